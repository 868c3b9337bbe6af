"""Exercises of chapter 4: the two heads and their losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from albert_lib.model.losses import NOT_PREDICTED, mlm_loss
from albert_lib.workbook.exercise import Exercise, Misconception, Trial


def draw_predictions(rng: np.random.Generator) -> dict[str, Any]:
    """Logits for a small batch; one label in seven or so is asked about, unevenly by sentence."""
    batch, length, vocab = (
        int(rng.integers(2, 5)),
        int(rng.integers(6, 15)),
        int(rng.integers(5, 9)),
    )
    logits = torch.from_numpy(rng.normal(scale=2.0, size=(batch, length, vocab))).float()
    labels = torch.full((batch, length), NOT_PREDICTED)
    for sentence in range(batch):
        asked = rng.choice(length, size=1 + sentence % 2, replace=False)
        labels[sentence, asked] = torch.from_numpy(rng.integers(vocab, size=len(asked)))
    return {"logits": logits, "labels": labels}


def position_losses(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The cross-entropy at every position, 0 where nothing is predicted; and where it is."""
    losses = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    return losses, labels != NOT_PREDICTED


def averaged_before_masking(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum over the predicted positions, divided by the number of all positions."""
    losses, predicted = position_losses(logits, labels)
    return (losses * predicted).mean()


def sentence_means(logits: Tensor, labels: Tensor) -> Tensor:
    """A mean for each sentence, then the mean of those."""
    losses, predicted = position_losses(logits, labels)
    return ((losses * predicted).sum(dim=1) / predicted.sum(dim=1)).mean()


def summed(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum, never divided."""
    losses, _ = position_losses(logits, labels)
    return losses.sum()


def ignored_label_as_piece(logits: Tensor, labels: Tensor) -> Tensor:
    """Every position is predicted; -100 is taken for piece 0."""
    return F.cross_entropy(logits.transpose(1, 2), labels.clamp(min=0))


def softmax_twice(logits: Tensor, labels: Tensor) -> Tensor:
    """Probabilities handed to a function that takes logits."""
    return mlm_loss(logits.softmax(dim=-1), labels)


def probability_without_logarithm(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean of 1 - p instead of -log p."""
    predicted = labels != NOT_PREDICTED
    right = logits.softmax(dim=-1)[predicted].gather(1, labels[predicted][:, None])
    return (1 - right).mean()


def dilution(trials: Sequence[Trial]) -> float:
    """How many times smaller the answers are than they should be."""
    return float(sum(t.expected for t in trials) / sum(t.answer for t in trials))


def predictions(trials: Sequence[Trial]) -> int:
    """The most predictions in one trial."""
    return max(int((trial.arguments["labels"] != NOT_PREDICTED).sum()) for trial in trials)


EXERCISES = (
    Exercise(
        id="4.3",
        title="The mean that means it",
        difficulty=1,
        minutes=10,
        points=2,
        solution=mlm_loss,
        draw=draw_predictions,
        tolerance=1e-5,
        misconceptions=(
            Misconception(
                "averaged before masking",
                averaged_before_masking,
                lambda trials: (
                    "You averaged before masking: unmasked positions dilute the loss by "
                    f"{dilution(trials):.1f}×. They add nothing to the sum, but they are counted. "
                    "Divide by the number of predicted positions."
                ),
            ),
            Misconception(
                "mean of sentence means",
                sentence_means,
                "You average within each sentence and then over sentences, so a prediction in a "
                "sentence with few of them weighs more. Every predicted token weighs the same: "
                "one sum, one count.",
            ),
            Misconception(
                "summed",
                summed,
                lambda trials: (
                    f"That is the sum: where {predictions(trials)} tokens are predicted it is "
                    f"{predictions(trials)} times the mean, and it grows with the batch. Divide "
                    "by the number of predictions."
                ),
            ),
            Misconception(
                "ignored label as piece 0",
                ignored_label_as_piece,
                "You ask for a prediction at every position and read the label -100 as piece 0. "
                "A -100 says that the model was not asked: leave the position out.",
            ),
            Misconception(
                "softmax twice",
                softmax_twice,
                "The softmax is taken twice: cross_entropy wants logits and does it itself. With "
                "probabilities in their place even a certain, right prediction costs something.",
            ),
            Misconception(
                "no logarithm",
                probability_without_logarithm,
                "You average 1 - p. The loss is -log p of the right piece, in nats: a piece "
                "thought impossible costs more and more, not 1.",
            ),
        ),
        hints=(
            "`logits` is (batch, length, vocab), `labels` is (batch, length), and the loss is one "
            "number, a tensor of shape (). Most labels are -100.",
            "Take the cross-entropy at the predicted positions only, `labels != -100`. Sum it and "
            "divide by how many there are, over the whole batch at once.",
            "`predicted = labels != -100`, then "
            "`F.cross_entropy(logits[predicted], labels[predicted])`: picking rows with a mask "
            "leaves (predictions, vocab) and (predictions,), and the mean is over those alone.",
        ),
    ),
)
