"""Exercises of chapter 7: batches, a passage's probabilities and spans, scores, no answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_lib.finetuning.batch_order import draw_batches
from albert_lib.finetuning.null_threshold import best_threshold
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises import batch_rules
from albert_lib.workbook.exercises.answer_exercises import F1, NORMALIZE
from albert_lib.workbook.exercises.span_exercises import SOFTMAX, SPAN
from albert_lib.workbook.exercises.threshold_rules import judge_thresholds

Rows = np.ndarray
Points = Sequence[float]


# -- 7.1: batches of like lengths


def draw_lengths(rng: np.random.Generator) -> dict[str, Any]:
    """One of four lists of lengths with many equal ones, and one of few generators."""
    kind = np.random.default_rng(int(rng.integers(4)))
    batch_size = int(kind.integers(3, 5))
    left_over = int(kind.integers(2)) * (batch_size - 1)  # every row of some lists has a place
    n_rows = batch_size * int(kind.integers(5, 7)) + left_over
    lengths = kind.integers(5, 9, size=n_rows)
    generator = np.random.default_rng(int(rng.integers(6)))
    return {"lengths": lengths, "batch_size": batch_size, "rng": generator}


def few_lengths(rng: np.random.Generator) -> list[dict[str, Any]]:
    """A single batch, batches of one row, and rows all alike."""
    return [
        {"lengths": np.array(lengths), "batch_size": size, "rng": np.random.default_rng(seed)}
        for lengths, size, seed in (
            ([5, 9, 7], 3, 11),
            ([6, 5, 8, 5], 1, 12),
            ([7, 7, 7, 7, 7, 7], 2, 13),
        )
    ]


def in_random_order(lengths: Rows, batch_size: int, rng: np.random.Generator) -> Rows:
    """Rows as they are drawn, whatever their lengths."""
    n_batches = len(lengths) // batch_size
    return rng.permutation(len(lengths))[: n_batches * batch_size].reshape(n_batches, batch_size)


def shortest_batch_first(lengths: Rows, batch_size: int, rng: np.random.Generator) -> Rows:
    """Sorted into batches, and these left in that order."""
    batches = draw_batches(lengths, batch_size, rng)
    return batches[np.argsort(lengths[batches].sum(axis=1), kind="stable")]


def longest_left_out(lengths: Rows, batch_size: int, rng: np.random.Generator) -> Rows:
    """Sorted first and cut afterwards."""
    drawn = rng.permutation(len(lengths))
    by_length = drawn[np.argsort(lengths[drawn], kind="stable")]
    n_batches = len(lengths) // batch_size
    return rng.permutation(by_length[: n_batches * batch_size].reshape(-1, batch_size), axis=0)


def the_same_rows_together(lengths: Rows, batch_size: int, rng: np.random.Generator) -> Rows:
    """Of equal lengths the row that stands first comes first, in every epoch."""
    n_batches = len(lengths) // batch_size
    drawn = np.sort(rng.permutation(len(lengths))[: n_batches * batch_size])
    by_length = drawn[np.argsort(lengths[drawn], kind="stable")]
    return rng.permutation(by_length.reshape(n_batches, batch_size), axis=0)


def own_seed(lengths: Rows, batch_size: int, rng: np.random.Generator) -> Rows:
    """A generator of its own."""
    return draw_batches(lengths, batch_size, np.random.default_rng(0))


BATCHES = Exercise(
    id="7.1",
    title="Batches of like lengths",
    difficulty=2,
    minutes=15,
    points=3,
    solution=draw_batches,
    draw=draw_lengths,
    borders=few_lengths,
    leaves_inputs=True,
    judge=batch_rules.judge_batches,
    misconceptions=(
        Misconception(
            "not sorted",
            in_random_order,
            "Your batches mix short rows with long ones: somewhere a row stands in a batch of "
            "longer rows while a longer one stands with shorter. Sort the drawn rows by length "
            "before you cut them into batches.",
            symptom=batch_rules.unsorted,
        ),
        Misconception(
            "batches in order of length",
            shortest_batch_first,
            "Every epoch of yours goes through the batches in order of their length. Then it "
            "begins on one kind of sentence and ends on another. Shuffle the batches, whole, once "
            "they are cut.",
            symptom=batch_rules.in_order,
        ),
        Misconception(
            "own seed",
            own_seed,
            "Other generators, and yet the same batches. Draw from rng, not from a seed of your "
            "own: each epoch brings its own generator.",
            symptom=batch_rules.always_the_same,
        ),
        Misconception(
            "longest left out",
            longest_left_out,
            "The rows that find no place are the longest ones every time, so no epoch would ever "
            "train on them. Draw first which rows stay out, then sort the others.",
            symptom=batch_rules.longest_left_out,
        ),
        Misconception(
            "the same rows together",
            the_same_rows_together,
            "Where no row is left over, your batches hold the same rows whatever rng is, only in "
            "another order. Shuffle the rows before a stable sort: then chance decides between "
            "rows of one length.",
            symptom=batch_rules.same_rows_together,
        ),
    ),
    hints=(
        "An array of whole numbers comes back, (batches, batch_size): the numbers of rows, no row "
        "twice. There are `len(lengths) // batch_size` batches.",
        "Four steps: shuffle all rows; keep as many as the batches take; sort those by length; cut "
        "into batches, and shuffle these.",
        "`drawn[np.argsort(lengths[drawn], kind='stable')]` sorts and keeps the drawn order among "
        "equals; `rng.permutation(batches, axis=0)` shuffles whole batches.",
    ),
)


# -- 7.11: when to say nothing


def draw_null_scores(rng: np.random.Generator) -> dict[str, Any]:
    """Null scores in whole points, so that some are equal, and what each question would get."""
    n = int(rng.integers(4, 11))
    impossible = rng.random(n) < rng.choice([0.2, 0.5, 0.9])
    null_scores = np.round(rng.normal(loc=-4.0, scale=2.0, size=n) + 3 * impossible)
    answered = np.where(impossible, 0.0, rng.choice([0.0, 0.5, 1.0], size=n, p=[0.2, 0.2, 0.6]))
    return {
        "null_scores": null_scores.tolist(),
        "answered": answered.tolist(),
        "unanswered": impossible.astype(float).tolist(),
    }


def few_questions(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One question of either kind; all answerable, none; equal scores."""
    return [
        {"null_scores": scores, "answered": answered, "unanswered": unanswered}
        for scores, answered, unanswered in (
            ([-3.0], [1.0], [0.0]),
            ([-3.0], [0.0], [1.0]),
            ([-4.0, -1.0, 2.0], [1.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
            ([-4.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
            ([0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
        )
    ]


def one_by_one(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Questions of one score are taken one after another, as in the official script."""
    total = best = sum(unanswered)
    value = -math.inf
    for i in sorted(range(len(null_scores)), key=lambda i: null_scores[i]):
        total += answered[i] - unanswered[i]
        if total > best:
            best, value = total, null_scores[i]
    return value


def zero_for_everything(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Leaving everything unanswered is called 0.0."""
    value = best_threshold(null_scores, answered, unanswered)
    return 0.0 if value == -math.inf else value


def never_silent(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Everything is answered."""
    return math.inf


def always_zero(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """No search: the best span against [CLS], even."""
    return 0.0


def only_below(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """The search for a rule that answers below the threshold, and not at it."""

    def total(value: float) -> float:
        return sum(
            if_answered if score < value else if_not
            for score, if_answered, if_not in zip(null_scores, answered, unanswered, strict=True)
        )

    return max([*sorted(set(null_scores)), math.inf], key=total)


def turned_round(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """The search for a rule that leaves low scores unanswered."""
    return -best_threshold([-score for score in null_scores], answered, unanswered)


THRESHOLD = Exercise(
    id="7.11",
    title="When to say nothing",
    difficulty=2,
    minutes=15,
    points=3,
    solution=best_threshold,
    draw=draw_null_scores,
    borders=few_questions,
    leaves_inputs=True,
    judge=judge_thresholds,
    misconceptions=(
        Misconception(
            "one by one",
            one_by_one,
            "You go through questions of one null score one after another and stop between them. "
            "No threshold can do that: it lets all of them answer, or none. Take them together.",
        ),
        Misconception(
            "zero for everything",
            zero_for_everything,
            "Where leaving everything unanswered is best you return 0.0. With null scores below 0 "
            "that answers everything. The threshold that answers nothing is -inf.",
        ),
        Misconception(
            "never silent",
            never_silent,
            "Yours answers every question. Each unanswerable one then counts 0, although silence "
            "would have been right.",
        ),
        Misconception(
            "always zero",
            always_zero,
            "You return 0 and search nothing. 0 means that the best span and [CLS] are even, and "
            "no one has told the model that these two scores are to be compared.",
        ),
        Misconception(
            "only below",
            only_below,
            "Your search answers below the threshold, the rule answers at it too: the question "
            "that set your threshold falls on the other side when it is applied.",
        ),
        Misconception(
            "turned round",
            turned_round,
            "You leave the low null scores unanswered. A high null score says that there is no "
            "answer; those are to be left.",
        ),
    ),
    hints=(
        "One number comes back; it may be -inf or inf. A question is left unanswered where its "
        "null score is greater than it.",
        "Only the order of the null scores matters, so a handful of candidates is enough: -inf, "
        "and each null score itself. Add up what each would bring.",
        "`max([-math.inf, *sorted(null_scores)], key=total)` with a function total(t) that adds "
        "`unanswered[i]` where `null_scores[i] > t` and `answered[i]` elsewhere.",
    ),
)

EXERCISES = (BATCHES, SOFTMAX, SPAN, NORMALIZE, F1, THRESHOLD)
