"""Exercises of chapter 4: the two heads and their losses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from albert_lib.model.losses import NOT_PREDICTED, mlm_loss, sop_loss
from albert_lib.workbook.exercise import Exercise, Misconception, Trial
from albert_lib.workbook.exercises.drawn_modules import decimals
from albert_lib.workbook.exercises.head_exercises import ASKED, DECODER, POOLER

TOLERANCE = 1e-5
LOW_PRECISION = 0.2  # of the inputs are in bfloat16, as under autocast
Drawn = dict[str, Any]


def perhaps_low(rng: np.random.Generator, logits: Tensor) -> Tensor:
    """The same logits, some of them in bfloat16."""
    return logits.bfloat16() if rng.random() < LOW_PRECISION else logits


# -- 4.3: the MLM loss


def draw_predictions(rng: np.random.Generator, asked: int = -1) -> Drawn:
    """Logits for a small batch; few labels are asked about, unevenly by sentence."""
    batch, length = int(rng.integers(1, 4)), int(rng.integers(3, 9))
    vocab = int(rng.integers(3, 7))
    labels = torch.full((batch, length), NOT_PREDICTED)
    for sentence in range(batch):
        count = int(rng.integers(1, 4)) if asked < 0 else asked
        places = rng.choice(length, size=count, replace=False)
        labels[sentence, places] = torch.from_numpy(rng.integers(vocab, size=count))
    return {
        "logits": perhaps_low(rng, decimals(rng, batch, length, vocab, scale=2.0)),
        "labels": labels,
    }


def certain(rng: np.random.Generator) -> Drawn:
    """Logits so far apart that a probability is 0 in float32."""
    drawn = draw_predictions(rng)
    return {**drawn, "logits": drawn["logits"].float() * 100}


def silent_and_certain(rng: np.random.Generator) -> Sequence[Drawn]:
    """Nothing is asked; one thing is asked; the model is quite certain, and wrong."""
    return [draw_predictions(rng, 0), draw_predictions(rng, 1), certain(rng)]


def mean_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    over: str = "predictions",
    asked: str = "predicted",
    price: str = "-log p",
    precise: bool = True,
    nothing: str = "0",
) -> Tensor:
    """The loss with parts of it done wrong."""
    logits = logits.float() if precise else logits
    predicted = labels != NOT_PREDICTED
    if asked == "all, as piece 0":
        predicted = torch.ones_like(predicted)
    elif asked == "piece 0 never":
        predicted = labels > 0
    right = labels.clamp(min=0)
    if price == "1 - p":
        paid = 1 - logits.softmax(dim=-1).gather(-1, right[..., None])[..., 0]
    elif price == "softmax twice":
        paid = F.cross_entropy(logits.softmax(dim=-1).transpose(1, 2), right, reduction="none")
    else:
        paid = F.cross_entropy(logits.transpose(1, 2), right, reduction="none")
        paid = paid / np.log(2) if price == "bits" else paid
    paid, counts = paid * predicted, predicted.sum(dim=1)
    if over == "sentences":
        return (paid.sum(dim=1) / counts.clamp(min=1)).mean()
    if over == "positions":
        return paid.mean()
    total = counts.sum() if nothing == "nan" else counts.sum().clamp(min=1)
    return paid.sum() if over == "nothing" else paid.sum() / total


def dilution(trials: Sequence[Trial]) -> float:
    """How many times smaller the answers are than they should be."""
    return float(sum(t.expected for t in trials) / sum(t.answer for t in trials))


def predictions(trials: Sequence[Trial]) -> int:
    """The most predictions in one trial."""
    return max(int((trial.arguments["labels"] != NOT_PREDICTED).sum()) for trial in trials)


MLM = Exercise(
    id="4.3",
    title="The mean that means it",
    difficulty=1,
    minutes=10,
    points=2,
    solution=mlm_loss,
    draw=draw_predictions,
    borders=silent_and_certain,
    tolerance=TOLERANCE,
    gradients=("logits",),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "averaged before masking",
            partial(mean_loss, over="positions"),
            lambda trials: (
                "You averaged before masking: unmasked positions dilute the loss by "
                f"{dilution(trials):.1f}×. They add nothing to the sum, but they are counted. "
                "Divide by the number of predicted positions."
            ),
        ),
        Misconception(
            "mean of sentence means",
            partial(mean_loss, over="sentences"),
            "You average within each sentence and then over sentences, so a prediction in a "
            "sentence with few of them weighs more. Every predicted token weighs the same: "
            "one sum, one count.",
        ),
        Misconception(
            "summed",
            partial(mean_loss, over="nothing"),
            lambda trials: (
                f"That is the sum: where {predictions(trials)} tokens are predicted it is "
                f"{predictions(trials)} times the mean, and it grows with the batch. Divide "
                "by the number of predictions."
            ),
        ),
        Misconception(
            "ignored label as piece 0",
            partial(mean_loss, asked="all, as piece 0"),
            "You ask for a prediction at every position and read the label -100 as piece 0. "
            "A -100 says that the model was not asked: leave the position out.",
        ),
        Misconception(
            "piece 0 never",
            partial(mean_loss, asked="piece 0 never"),
            "You leave out the tokens whose right answer is piece 0, with `labels > 0` or the "
            "like. Only -100 means that nothing is asked.",
        ),
        Misconception(
            "softmax twice",
            partial(mean_loss, price="softmax twice"),
            "The softmax is taken twice: cross_entropy wants logits and does it itself. With "
            "probabilities in their place even a certain, right prediction costs something.",
        ),
        Misconception(
            "no logarithm",
            partial(mean_loss, price="1 - p"),
            "You average 1 - p. The loss is -log p of the right piece, in nats: a piece "
            "thought impossible costs more and more, not 1.",
        ),
        Misconception(
            "bits",
            partial(mean_loss, price="bits"),
            "Your logarithm has base 2, which measures in bits: 1.44 times the number in nats. "
            "Losses in this field are in nats, the natural logarithm.",
        ),
        Misconception(
            "nan where nothing is asked",
            partial(mean_loss, nothing="nan"),
            "Right, except where nothing is masked: there you divide 0 by 0, and one nan in a run "
            "makes every weight nan. The loss is then 0: take the sum, and divide it by the "
            "count, but at least by 1.",
        ),
        Misconception(
            "in low precision",
            partial(mean_loss, precise=False),
            "Where the logits are in bfloat16, as in mixed precision, you compute in bfloat16 "
            "too, which keeps two to three digits. Losses are summed in float32: "
            "logits.float() first.",
        ),
    ),
    hints=(
        "`logits` is (batch, length, vocab), `labels` is (batch, length), and the loss is one "
        "number, a float32 tensor of shape (). Most labels are -100; all may be.",
        "Take the cross-entropy at the predicted positions only, `labels != -100`. Sum it and "
        "divide by how many there are, over the whole batch at once, and at least by 1.",
        "`predicted = labels != -100`, then `F.cross_entropy(logits[predicted].float(), "
        'labels[predicted], reduction="sum") / predicted.sum().clamp(min=1)`: picking rows with a '
        "mask leaves (predictions, vocab) and (predictions,).",
    ),
)


# -- 4.5: the SOP loss


def draw_orders(rng: np.random.Generator, batch: int = 0) -> Drawn:
    """Two scores a pair, and which order was right."""
    batch = batch or int(rng.integers(1, 7))
    logits = perhaps_low(rng, decimals(rng, batch, 2, scale=2.0))
    return {"logits": logits, "labels": torch.from_numpy(rng.integers(2, size=batch))}


def one_and_certain(rng: np.random.Generator) -> Sequence[Drawn]:
    """A single pair; scores so far apart that a probability is 0 in float32."""
    drawn = draw_orders(rng, 3)
    return [draw_orders(rng, 1), {**drawn, "logits": drawn["logits"].float() * 100}]


def order_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    right: str = "label",
    price: str = "-log p",
    over: str = "pairs",
    precise: bool = True,
) -> Tensor:
    """The loss with parts of it done wrong."""
    logits = logits.float() if precise else logits
    labels = 1 - labels if right == "turned round" else labels
    if price == "two sigmoids":
        wanted = F.one_hot(labels, 2).to(logits)
        paid = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=1)
    elif price == "wrong answers":
        paid = (logits.argmax(dim=-1) != labels).to(logits)
    else:
        scores = {
            "-log p": logits.log_softmax(dim=-1),
            "-score": logits,
            "-p": logits.softmax(dim=-1),
            "softmax twice": logits.softmax(dim=-1).log_softmax(dim=-1),
        }[price]
        paid = -scores.gather(1, labels[:, None])[:, 0]
    return paid.sum() if over == "nothing" else paid.mean()


SOP = Exercise(
    id="4.5",
    title="What order costs",
    difficulty=1,
    minutes=10,
    points=2,
    solution=sop_loss,
    draw=draw_orders,
    borders=one_and_certain,
    tolerance=TOLERANCE,
    gradients=("logits",),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "labels turned round",
            partial(order_loss, right="turned round"),
            "Your labels are the wrong way round: 0 is in order, 1 is swapped, and the label is "
            "the column of the right score. Trained so, the model would learn to be wrong.",
        ),
        Misconception(
            "no log-softmax",
            partial(order_loss, price="-score"),
            "You take the right order's score itself for its log-probability. Both scores may "
            "grow without end, and the loss would fall without end. log_softmax subtracts the "
            "log of the sum over both first.",
        ),
        Misconception(
            "no logarithm",
            partial(order_loss, price="-p"),
            "You average the probability of the right order, negated. The loss is its "
            "logarithm, negated: -log p, in nats, so a coin costs ln 2.",
        ),
        Misconception(
            "softmax twice",
            partial(order_loss, price="softmax twice"),
            "The softmax is taken twice: cross_entropy and log_softmax want the scores. On "
            "probabilities the loss cannot fall below 0.31, however sure the model is.",
        ),
        Misconception(
            "two sigmoids",
            partial(order_loss, price="two sigmoids"),
            "You judge each score by itself, with a sigmoid. The two orders exclude each other: "
            "one softmax over both.",
        ),
        Misconception(
            "summed",
            partial(order_loss, over="nothing"),
            "That is the sum over the batch. The loss is the mean over the pairs, so that it does "
            "not depend on how many there are.",
        ),
        Misconception(
            "share of wrong answers",
            partial(order_loss, price="wrong answers"),
            "You count the wrong answers. That number has steps and no slope, so nothing can be "
            "learnt from it; the loss is the mean of -log p.",
        ),
        Misconception(
            "in low precision",
            partial(order_loss, precise=False),
            "Where the scores are in bfloat16, as in mixed precision, you compute in bfloat16 "
            "too, which keeps two to three digits. Losses are computed in float32: "
            "logits.float() first.",
        ),
    ),
    hints=(
        "`logits` is (batch, 2), `labels` is (batch,) of 0 and 1, and the loss is one number, a "
        "float32 tensor of shape ().",
        "A cross-entropy with two classes: of each pair -log p of the right order, then the mean. "
        "Column 0 scores “in order”, column 1 “swapped”.",
        "`F.cross_entropy(logits.float(), labels)`; or by hand, `log_softmax(dim=-1)` and of each "
        "row the column that its label names.",
    ),
)

EXERCISES = (ASKED, DECODER, MLM, POOLER, SOP)
