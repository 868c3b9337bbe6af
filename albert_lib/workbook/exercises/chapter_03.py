"""Exercises of chapter 3: the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.model.attention import explicit_attention
from albert_lib.workbook.exercise import Exercise, Misconception, Trial

TOLERANCE = 1e-5
Answer = tuple[Tensor, Tensor]  # context, probabilities


def draw_attention(rng: np.random.Generator) -> dict[str, Any]:
    """Small queries, keys and values; all but the first sentence of a batch end in padding."""
    batch, heads = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    length, head_size = int(rng.integers(2, 7)), int(rng.choice([3, 4, 8]))
    shape = (batch, heads, length, head_size)
    query, key, value = (torch.from_numpy(rng.normal(size=shape)).float() for _ in range(3))
    attention_mask = torch.ones(batch, length, dtype=torch.int64)
    for sentence in range(1, batch):
        attention_mask[sentence, int(rng.integers(1, length)) :] = 0
    return {"query": query, "key": key, "value": value, "attention_mask": attention_mask}


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    *,
    scale: Callable[[int], float] = lambda head_size: head_size**0.5,
    mask_out: Callable[[Tensor, Tensor], Tensor] | None = None,
    over: int = -1,
    after: Callable[[Tensor, Tensor], Tensor] = lambda probabilities, mask: probabilities,
) -> Answer:
    """Attention with one part exchanged."""
    mask = attention_mask[:, None, None, :]
    scores = query @ key.transpose(-2, -1) / scale(query.shape[-1])
    lowest = torch.finfo(scores.dtype).min
    scores = scores.masked_fill(mask == 0, lowest) if mask_out is None else mask_out(scores, mask)
    probabilities = after(scores.softmax(dim=over), mask)
    return probabilities @ value, probabilities


def not_scaled(query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor) -> Answer:
    """Without division by the root of the head size."""
    return attend(query, key, value, attention_mask, scale=lambda head_size: 1.0)


def scaled_by_size(query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor) -> Answer:
    """Divided by the head size instead of its root."""
    return attend(query, key, value, attention_mask, scale=lambda head_size: float(head_size))


def mask_ignored(query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor) -> Answer:
    """Padding is looked at like any token."""
    return attend(query, key, value, attention_mask, mask_out=lambda scores, mask: scores)


def masked_after_softmax(
    query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor
) -> Answer:
    """The weights of padding are set to 0 after the softmax, so the others sum to less than 1."""
    return attend(
        query,
        key,
        value,
        attention_mask,
        mask_out=lambda scores, mask: scores,
        after=lambda probabilities, mask: probabilities * mask,
    )


def mask_multiplied(query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor) -> Answer:
    """The scores of padding become 0, which is an ordinary score."""
    return attend(query, key, value, attention_mask, mask_out=lambda scores, mask: scores * mask)


def mask_reversed(query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor) -> Answer:
    """Masks the tokens and looks at the padding."""
    return attend(query, key, value, 1 - attention_mask)


def softmax_over_queries(
    query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor
) -> Answer:
    """Normalised down the columns of the scores."""
    return attend(query, key, value, attention_mask, over=-2)


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


EXERCISES = (
    Exercise(
        id="3.2",
        title="Attention by hand",
        difficulty=2,
        minutes=20,
        points=3,
        solution=explicit_attention,
        draw=draw_attention,
        tolerance=TOLERANCE,
        misconceptions=(
            Misconception(
                "not scaled",
                not_scaled,
                "The scores are not divided by the square root of the head size. The wider the "
                "head, the larger a dot product of random vectors, and the softmax ends up "
                "looking at one key alone.",
            ),
            Misconception(
                "scaled by size",
                scaled_by_size,
                "You divide by the head size; it is its square root. A dot product of n random "
                "terms grows like √n, not like n, so your weights come out too even.",
            ),
            Misconception(
                "masked after softmax",
                masked_after_softmax,
                lambda trials: (
                    "You mask the padding after the softmax, when it has already taken its part: "
                    f"one query's weights sum to {smallest_sum(trials):.2f} instead of 1. Mask it "
                    "in the scores, before the softmax."
                ),
            ),
            Misconception(
                "mask ignored",
                mask_ignored,
                lambda trials: (
                    "Padding is looked at: one query spends "
                    f"{most_on_padding(trials):.0%} of its attention on it. attention_mask is 0 "
                    "there; those scores must not take part."
                ),
            ),
            Misconception(
                "mask multiplied",
                mask_multiplied,
                "You multiply the scores by the mask. That gives padding the score 0, which is "
                "an ordinary score and larger than every negative one; it needs the smallest "
                "there is.",
            ),
            Misconception(
                "mask reversed",
                mask_reversed,
                "Your mask is the wrong way round: in attention_mask a 1 is a token to look at, "
                "a 0 is padding. You look at the padding and mask the text.",
            ),
            Misconception(
                "softmax over queries",
                softmax_over_queries,
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
    ),
)
