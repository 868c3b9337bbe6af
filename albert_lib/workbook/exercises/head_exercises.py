"""Exercises 4.1, 4.2 and 4.4: the states that are asked, their scores, and a sequence's vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib.model.heads import masked_states, pooled_cls, tied_logits
from albert_lib.model.layer import gelu_new
from albert_lib.model.losses import NOT_PREDICTED
from albert_lib.workbook.exercise import Exercise, Misconception, Trial
from albert_lib.workbook.exercises.drawn_modules import decimals, draw_linear, draw_norm

TOLERANCE = 1e-5
Drawn = dict[str, Any]


# -- 4.1: the states that are asked


def draw_asked(
    rng: np.random.Generator, batch: int = 0, share: float = 0.35, pieces: int = 4
) -> Drawn:
    """States of a few texts and their labels; [CLS] is never asked, piece 0 often the answer."""
    batch, length = batch or int(rng.integers(1, 4)), int(rng.integers(2, 7))
    labels = torch.from_numpy(rng.integers(pieces, size=(batch, length)))
    labels[torch.from_numpy(rng.random((batch, length)) >= share)] = NOT_PREDICTED
    labels[:, 0] = NOT_PREDICTED
    return {"hidden": decimals(rng, batch, length, int(rng.integers(1, 4))), "labels": labels}


def nobody_and_everybody(rng: np.random.Generator) -> Sequence[Drawn]:
    """Batches in which no token is asked, and in which all are, [CLS] excepted."""
    return [draw_asked(rng, 1, 0.0), draw_asked(rng, 2, 0.0), draw_asked(rng, 2, 1.0)]


def select(
    hidden: Tensor, labels: Tensor, *, asked: str = "predicted", order: str = "by row"
) -> Tensor:
    """The selection with parts of it done wrong."""
    predicted = {
        "predicted": labels != NOT_PREDICTED,
        "the others": labels == NOT_PREDICTED,
        "not 0": labels != 0,
        "above 0": labels > 0,
    }.get(asked, labels != NOT_PREDICTED)
    if asked == "[CLS] too":
        predicted = predicted.clone()
        predicted[:, 0] = True
    if order == "zeros elsewhere":
        return hidden * predicted[..., None]
    if order == "of the first row":
        return hidden.flatten(0, 1)[predicted.nonzero()[:, 1]]
    if order == "by column":
        return hidden.transpose(0, 1)[predicted.T]
    return hidden[predicted]


ASKED = Exercise(
    id="4.1",
    title="Only where it is asked",
    difficulty=1,
    minutes=5,
    points=1,
    solution=masked_states,
    draw=draw_asked,
    borders=nobody_and_everybody,
    gradients=("hidden",),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "column by column",
            partial(select, order="by column"),
            "You go through the batch column by column: all first tokens, then all second ones. "
            "The labels are read row by row, text by text, so every state would be compared with "
            "another token's label.",
        ),
        Misconception(
            "zeros elsewhere",
            partial(select, order="zeros elsewhere"),
            "You set the other states to 0 and keep them. Then the head scores every position "
            "after all, a row of zeros too. Select: as many rows come out as there are labels "
            "other than -100.",
        ),
        Misconception(
            "positions of the first row",
            partial(select, order="of the first row"),
            "You use the position within a text as if the batch had one row, so what is asked in "
            "the second text is taken from the first. In the flattened batch, position s of text "
            "b is b · seq + s.",
        ),
        Misconception(
            "the others",
            partial(select, asked="the others"),
            "You take what is not asked. A label of -100 says: no question here.",
        ),
        Misconception(
            "0 as not asked",
            partial(select, asked="not 0"),
            "You take every label but 0. What is not asked is labelled -100; 0 is a piece of the "
            "vocabulary like any other.",
        ),
        Misconception(
            "above 0",
            partial(select, asked="above 0"),
            "You lose the tokens whose right answer is piece 0: `labels > 0` is false for it. "
            "Compare with -100 itself.",
        ),
        Misconception(
            "[CLS] too",
            partial(select, asked="[CLS] too"),
            "You also take the [CLS] of every text. The other head reads that one; here only the "
            "tokens with a label are asked.",
        ),
    ),
    hints=(
        "`hidden` is (batch, seq, H), `labels` is (batch, seq). What comes out is "
        "(predictions, H), and (0, H) where nothing is asked.",
        "A tensor of True and False of the shape (batch, seq) selects rows of a "
        "(batch, seq, H) tensor, text by text. True belongs where a label is not -100.",
        "`hidden[labels != -100]`.",
    ),
)


# -- 4.2: scores by the tied table


def draw_head(rng: np.random.Generator, predictions: int = -1) -> Drawn:
    """A few states, the head's modules, and a word table as a tensor."""
    wide, narrow, vocab = (int(rng.integers(low, low + 4)) for low in (2, 3, 2))
    n = int(rng.integers(1, 5)) if predictions < 0 else predictions
    return {
        "states": decimals(rng, n, wide, scale=2.0),
        "dense": draw_linear(rng, wide, narrow),
        "norm": draw_norm(rng, narrow),
        "words": decimals(rng, vocab, narrow),
        "bias": decimals(rng, vocab),
    }


def decode(
    states: Tensor,
    dense: nn.Linear,
    norm: nn.LayerNorm,
    words: Tensor,
    bias: Tensor,
    *,
    activation: Callable[[Tensor], Tensor] = gelu_new,
    normalised: str = "after the activation",
    biased: bool = True,
    returned: str = "scores",
    detached: bool = False,
) -> Tensor:
    """The head with parts of it done wrong."""
    narrow = dense(states)
    if normalised == "before the activation":
        narrow = activation(norm(narrow))
    else:
        narrow = activation(narrow)
        narrow = norm(narrow) if normalised == "after the activation" else narrow
    scores = narrow @ (words.detach() if detached else words).T
    scores = scores + bias if biased else scores
    return scores.softmax(dim=-1) if returned == "probabilities" else scores


def as_it_is(inputs: Tensor) -> Tensor:
    """No activation."""
    return inputs


def largest_gap(trials: Sequence[Trial]) -> float:
    """The largest difference between the answers and the library's."""
    gaps = [
        (trial.answer - trial.expected).abs().max().item()
        for trial in trials
        if trial.answer.numel()
    ]
    return max(gaps, default=0.0)


DECODER = Exercise(
    id="4.2",
    title="A score for every piece",
    difficulty=2,
    minutes=15,
    points=2,
    solution=tied_logits,
    draw=draw_head,
    borders=lambda rng: [draw_head(rng, predictions) for predictions in (0, 1)],
    tolerance=TOLERANCE,
    gradients=("states", "dense", "norm", "words", "bias"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "no bias",
            partial(decode, biased=False),
            "The bias is missing: one number for each piece, added last. It is all that the head "
            "owns of the vocabulary, and what it learns first is how common each piece is.",
        ),
        Misconception(
            "no activation",
            partial(decode, activation=as_it_is),
            "No GELU is between the dense map and the norm. The head is a small network of its "
            "own, not only a way back from H to E.",
        ),
        Misconception(
            "exact gelu",
            partial(decode, activation=F.gelu),
            lambda trials: (
                f"Nearly: you are at most {largest_gap(trials):.1e} off. F.gelu is the exact form "
                'with erf; ALBERT\'s gelu_new is the tanh form, F.gelu(…, approximate="tanh").'
            ),
        ),
        Misconception(
            "norm before the activation",
            partial(decode, normalised="before the activation"),
            "You normalise first and activate then. In this head the norm is last: what meets "
            "the word table has a length near √E.",
        ),
        Misconception(
            "no norm",
            partial(decode, normalised="never"),
            "The LayerNorm is missing. It keeps what meets the word table at one length, so that "
            "no state shouts louder than another.",
        ),
        Misconception(
            "probabilities",
            partial(decode, returned="probabilities"),
            "You return probabilities. The scores themselves are asked for (logits): the loss "
            "takes the softmax, and would take it twice.",
        ),
        Misconception(
            "another gradient",
            partial(decode, detached=True),
            "The scores are right, but a gradient is not: something on the way is detached or "
            "copied. Mind the word table: it has two jobs, and in this one it is trained too, so "
            "it has to be `words` itself.",
        ),
    ),
    hints=(
        "`dense` makes (predictions, E) of (predictions, H); activation and norm keep the shape; "
        "the table `words` is (V, E), and (predictions, V) is to come out.",
        "First the way back: dense, GELU in its tanh form, norm, in this order. Then every piece "
        "is scored by the product of its own row with the result, plus its bias.",
        '`narrow = norm(F.gelu(dense(states), approximate="tanh"))`, then '
        "`narrow @ words.T + bias`.",
    ),
)


# -- 4.4: one vector for a sequence


def draw_sequences(rng: np.random.Generator, batch: int = 0, length: int = 0) -> Drawn:
    """States of a few texts, and a pooler."""
    batch, length = batch or int(rng.integers(1, 4)), length or int(rng.integers(1, 6))
    width = int(rng.integers(1, 5))
    return {"hidden": decimals(rng, batch, length, width), "pooler": draw_linear(rng, width, width)}


def pool(hidden: Tensor, pooler: nn.Linear, *, of: str = "first", squash: str = "after") -> Tensor:
    """The pooling with parts of it done wrong."""
    chosen = {
        "first": hidden[:, 0],
        "last": hidden[:, -1],
        "mean": hidden.mean(dim=1),
        "max": hidden.amax(dim=1),
        "text": hidden[0],
        "kept": hidden[:, :1],
    }[of]
    if squash == "before":
        return pooler(chosen.tanh())
    return pooler(chosen).tanh() if squash == "after" else pooler(chosen)


POOLER = Exercise(
    id="4.4",
    title="One vector for a whole text",
    difficulty=1,
    minutes=5,
    points=1,
    solution=pooled_cls,
    draw=draw_sequences,
    borders=lambda rng: [draw_sequences(rng, 1, 1), draw_sequences(rng, 3, 1)],
    tolerance=TOLERANCE,
    gradients=("hidden", "pooler"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "mean over positions",
            partial(pool, of="mean"),
            "You take the mean over all positions. That is a good vector for many uses, but not "
            "this one: ALBERT's pooler reads the first token, [CLS], alone. (A plain mean would "
            "count the padding, too.)",
        ),
        Misconception(
            "maximum over positions",
            partial(pool, of="max"),
            "You take the maximum over all positions. The word “pooler” suggests it; but this one "
            "pools nothing, it reads the first token.",
        ),
        Misconception(
            "last position",
            partial(pool, of="last"),
            "You read the last position, as one does in a model that reads from left to right. "
            "[CLS] stands first, and in a batch the last position is mostly padding.",
        ),
        Misconception(
            "no tanh",
            partial(pool, squash="never"),
            "The tanh is missing. Every number that goes on to the SOP head lies between -1 and 1.",
        ),
        Misconception(
            "tanh before the map",
            partial(pool, squash="before"),
            "You take the tanh of the state and map then. The map comes first, the tanh last.",
        ),
        Misconception(
            "first text",
            partial(pool, of="text"),
            "`hidden[0]` is the whole first text. The batch is axis 0; the first position of "
            "every text is `hidden[:, 0]`.",
        ),
        Misconception(
            "an axis too many",
            partial(pool, of="kept"),
            "You keep the axis of positions with one position in it. One vector a text is asked "
            "for, (batch, H): an index takes the axis away, a slice keeps it.",
        ),
    ),
    hints=(
        "(batch, seq, H) comes in, (batch, H) goes out. The first axis counts the texts.",
        "Of each text the state of its first token, through `pooler`, through tanh.",
        "`torch.tanh(pooler(hidden[:, 0]))`.",
    ),
)
