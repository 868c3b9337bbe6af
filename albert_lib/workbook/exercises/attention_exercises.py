"""Exercises 3.2 and 3.3: attention with a mask, and its heads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.model.attention import explicit_attention, split_heads
from albert_lib.workbook.exercise import Exercise, Misconception, Trial
from albert_lib.workbook.exercises.drawn_modules import decimals

TOLERANCE = 1e-5
NO_AXIS = 9
Answer = tuple[Tensor, Tensor]  # context, probabilities
Drawn = dict[str, Any]


# -- 3.2: attention


def draw_attention(rng: np.random.Generator, batch: int = 0, length: int = 0) -> Drawn:
    """Small queries, keys and values; most sentences end in padding, and at least one does not."""
    batch, heads = batch or int(rng.integers(1, 4)), int(rng.integers(1, 3))
    length, head_size = length or int(rng.integers(1, 7)), int(rng.choice([2, 3, 4, 8]))
    shape = (batch, heads, length, head_size)
    query, key, value = (decimals(rng, *shape) for _ in range(3))
    attention_mask = torch.ones(batch, length, dtype=torch.int64)
    for sentence in range(1, batch):
        attention_mask[sentence, int(rng.integers(1, length + 1)) :] = 0
    return {"query": query, "key": key, "value": value, "attention_mask": attention_mask}


def short_and_lonely(rng: np.random.Generator) -> Sequence[Drawn]:
    """Sentences of one token; then one of which a single token is no padding."""
    lonely = draw_attention(rng, 2, 5)
    lonely["attention_mask"][1, 1:] = 0
    return [draw_attention(rng, 1, 1), draw_attention(rng, 2, 1), lonely]


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    *,
    scale: str = "root",
    masked: str = "scores",
    over: int = -1,
    returned: str = "context first",
) -> Answer:
    """Attention with parts of it done wrong."""
    size = query.shape[-1]
    divisors = {"root": size**0.5, "size": size, "none": 1, "root above": size**-0.5}
    scores = query @ key.transpose(-2, -1) / divisors[scale]
    mask = attention_mask[:, None, None, :]
    lowest = torch.finfo(scores.dtype).min
    if masked == "queries":
        scores = scores.masked_fill(attention_mask[:, None, :, None] == 0, lowest)
    elif masked == "scores":
        scores = scores.masked_fill(mask == 0, lowest)
    elif masked == "reversed":
        scores = scores.masked_fill(mask == 1, lowest)
    elif masked == "multiplied":
        scores = scores * mask
    probabilities = scores if over == NO_AXIS else scores.softmax(dim=over)
    if masked == "afterwards":
        probabilities = probabilities * mask
    context = probabilities @ value
    return (context, probabilities) if returned == "context first" else (probabilities, context)


def columns_sum_to_one(trials: Sequence[Trial]) -> bool:
    """Whether, over the queries, the weights of every visible key sum to 1."""
    for trial in trials:
        probabilities = trial.answer[1]
        visible = trial.arguments["attention_mask"][:, None, :].bool()
        sums = probabilities.sum(dim=-2)[visible.expand(probabilities.shape[:2] + (-1,))]
        if not torch.allclose(sums, torch.ones_like(sums), atol=TOLERANCE):
            return False
    return True


def smallest_sum(trials: Sequence[Trial]) -> float:
    """The smallest sum over the keys of any query's weights."""
    return min(trial.answer[1].sum(dim=-1).min().item() for trial in trials)


def most_on_padding(trials: Sequence[Trial]) -> float:
    """The most that any query spends on padding."""
    return max(
        (trial.answer[1] * (trial.arguments["attention_mask"][:, None, None, :] == 0))
        .sum(dim=-1)
        .max()
        .item()
        for trial in trials
    )


ATTENTION = Exercise(
    id="3.2",
    title="Attention by hand",
    difficulty=2,
    minutes=20,
    points=3,
    solution=explicit_attention,
    draw=draw_attention,
    borders=short_and_lonely,
    tolerance=TOLERANCE,
    gradients=("query", "key", "value"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "not scaled",
            partial(attend, scale="none"),
            "The scores are not divided by the square root of the head size. The wider the "
            "head, the larger a dot product of random vectors, and the softmax ends up "
            "looking at one key alone.",
        ),
        Misconception(
            "scaled by size",
            partial(attend, scale="size"),
            "You divide by the head size; it is its square root. A dot product of n random "
            "terms grows like √n, not like n, so your weights come out too even.",
        ),
        Misconception(
            "scaled up",
            partial(attend, scale="root above"),
            "You multiply the scores by the square root of the head size. They are divided by it: "
            "the sum of many products is large already.",
        ),
        Misconception(
            "no softmax",
            partial(attend, over=NO_AXIS),
            "You return the scores as they are. A softmax over the keys makes weights of them: "
            "none is below 0, and those of one query sum to 1.",
        ),
        Misconception(
            "softmax over heads",
            partial(attend, over=1),
            "Your weights sum to 1 over the heads. Each head works on its own: within it, every "
            "query divides its attention among the keys, the last axis of the scores.",
        ),
        Misconception(
            "masked after softmax",
            partial(attend, masked="afterwards"),
            lambda trials: (
                "You mask the padding after the softmax, when it has already taken its part: "
                f"one query's weights sum to {smallest_sum(trials):.2f} instead of 1. Mask it "
                "in the scores, before the softmax."
            ),
        ),
        Misconception(
            "mask ignored",
            partial(attend, masked="never"),
            lambda trials: (
                "Padding is looked at: one query spends "
                f"{most_on_padding(trials):.0%} of its attention on it. attention_mask is 0 "
                "there; those scores must not take part."
            ),
        ),
        Misconception(
            "mask multiplied",
            partial(attend, masked="multiplied"),
            "You multiply the scores by the mask. That gives padding the score 0, which is "
            "an ordinary score and larger than every negative one; it needs the smallest "
            "there is.",
        ),
        Misconception(
            "mask reversed",
            partial(attend, masked="reversed"),
            "Your mask is the wrong way round: in attention_mask a 1 is a token to look at, "
            "a 0 is padding. You look at the padding and mask the text.",
        ),
        Misconception(
            "queries masked",
            partial(attend, masked="queries"),
            "You mask the rows of the padding, that is what padding itself looks at, and leave "
            "its columns open: every token still looks at the padding. Keys lie on the last axis "
            "of the scores: attention_mask[:, None, None, :].",
        ),
        Misconception(
            "probabilities first",
            partial(attend, returned="probabilities first"),
            "You return the two tensors the other way round: the context comes first, then the "
            "probabilities.",
        ),
        Misconception(
            "softmax over queries",
            partial(attend, over=-2),
            "Your weights sum to 1 down the columns: the queries compete for each key. Each "
            "query divides its own attention among the keys, the last axis of the scores.",
            symptom=columns_sum_to_one,
        ),
    ),
    hints=(
        "`query`, `key` and `value` are (batch, heads, length, head size). Every query meets "
        "every key, so the scores and the probabilities are (batch, heads, length, length), "
        "queries down and keys across. The mask is (batch, length): which axes does it lack?",
        "Scores are dot products over the square root of the head size. A softmax over the "
        "keys turns them into weights; a key whose score is the smallest number there is gets "
        "the weight 0. The context is the weighted sum of the values.",
        "`scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5`, then "
        "`scores.masked_fill(attention_mask[:, None, None, :] == 0, "
        "torch.finfo(scores.dtype).min)`, then `softmax(dim=-1)`. Return two tensors.",
    ),
)


# -- 3.3: heads


def draw_vectors(
    rng: np.random.Generator, batch: int = 0, length: int = 0, heads: int = 0, size: int = 0
) -> Drawn:
    """Vectors of a few tokens, and a number of heads that divides their width."""
    batch, length = batch or int(rng.integers(1, 4)), length or int(rng.integers(1, 6))
    heads, size = heads or int(rng.integers(1, 5)), size or int(rng.integers(1, 4))
    return {"hidden": decimals(rng, batch, length, heads * size), "heads": heads}


def ones(rng: np.random.Generator) -> Sequence[Drawn]:
    """One head; heads of one number; one token; one text."""
    return [
        draw_vectors(rng, heads=1),
        draw_vectors(rng, size=1),
        draw_vectors(rng, length=1, heads=2),
        draw_vectors(rng, batch=1, length=2, heads=2, size=2),
    ]


def split(
    hidden: Tensor, heads: int, *, cut: str = "pieces", axes: str = "batch heads seq size"
) -> Tensor:
    """The heads with parts of it done wrong."""
    batch, length, width = hidden.shape
    if cut == "reshaped":
        parts = hidden.reshape(batch, heads, length, width // heads)
    elif cut == "interleaved":
        parts = hidden.unflatten(-1, (width // heads, heads)).permute(0, 3, 1, 2)
    else:
        parts = hidden.unflatten(-1, (heads, width // heads)).transpose(1, 2)
    if axes == "batch seq heads size":
        return parts.transpose(1, 2)
    if axes == "batch heads size seq":
        return parts.transpose(2, 3)
    if axes == "heads batch seq size":
        return parts.transpose(0, 1)
    return parts.flatten(0, 1) if axes == "batch·heads seq size" else parts


HEADS = Exercise(
    id="3.3",
    title="Cut into heads",
    difficulty=1,
    minutes=10,
    points=2,
    solution=split_heads,
    draw=draw_vectors,
    borders=ones,
    gradients=("hidden",),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "reshaped in one step",
            partial(split, cut="reshaped"),
            "The shape is right and the numbers are mixed up: view and reshape only count "
            "through memory, so with more than one token your first head holds pieces of one "
            "token's heads where it should hold one head of every token. Cut the last axis into "
            "(heads, head size), then exchange two axes with transpose.",
        ),
        Misconception(
            "heads behind the positions",
            partial(split, axes="batch seq heads size"),
            "You cut, but the heads stand behind the positions: (batch, seq, heads, head size). "
            "Attention multiplies the last two axes, so it would compare the heads of one token "
            "with each other. Exchange axes 1 and 2.",
        ),
        Misconception(
            "every so many numbers",
            partial(split, cut="interleaved"),
            "Your head 0 takes every so many numbers of a vector, like dealt cards. A head is a "
            "piece in one: the first H / heads numbers are head 0's, the next ones head 1's. With "
            "trained weights only this cut finds the right ones.",
        ),
        Misconception(
            "positions last",
            partial(split, axes="batch heads size seq"),
            "Your last axis counts the positions. That is how a key lies when the product with "
            "the query is taken; here the head's own numbers come last: "
            "(batch, heads, seq, head size).",
        ),
        Misconception(
            "heads before the texts",
            partial(split, axes="heads batch seq size"),
            "Your first axis counts the heads: so it comes out of torch.stack(hidden.chunk(…)). "
            "The batch stays first; stack along axis 1.",
        ),
        Misconception(
            "heads within the batch",
            partial(split, axes="batch·heads seq size"),
            "You put the heads of all texts into one axis. Some implementations do, to multiply "
            "in three dimensions; here batch and heads stay axes of their own.",
        ),
    ),
    hints=(
        "(batch, seq, H) comes in, (batch, heads, seq, head size) goes out, and head size is "
        "H / heads. Four axes, as many numbers as before.",
        "Two steps: cut every vector into `heads` pieces of neighbours, which makes four axes "
        "(batch, seq, heads, head size); then exchange seq and heads. One reshape cannot do "
        "both, because it never changes the order in memory.",
        "`hidden.unflatten(-1, (heads, -1))` cuts, `.transpose(1, 2)` exchanges.",
    ),
)
