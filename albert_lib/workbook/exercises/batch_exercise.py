"""Exercise 7.1: batches of like lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from albert_lib.finetuning.batch_order import draw_batches
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises import batch_rules

Rows = np.ndarray


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


def in_columns(lengths: Rows, batch_size: int, rng: np.random.Generator) -> Rows:
    """The number of batches and their size in each other's place."""
    n_batches = len(lengths) // batch_size
    drawn = rng.permutation(len(lengths))[: n_batches * batch_size]
    by_length = drawn[np.argsort(lengths[drawn], kind="stable")]
    return rng.permutation(by_length.reshape(batch_size, n_batches), axis=0)


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
        Misconception(
            "size and number exchanged",
            in_columns,
            "Your table has batch_size rows, so each of its rows is a batch of another size. A "
            "batch is a row of the table: (batches, batch_size).",
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
