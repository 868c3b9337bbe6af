"""Chapter 7's judges: other right answers pass, and what breaks a rule is named."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from albert_lib.finetuning.batch_order import draw_batches
from albert_lib.finetuning.passage_spans import best_span
from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import find_exercise
from albert_lib.workbook.exercises.threshold_exercise import searched


def sorted_with_noise(lengths: Any, batch_size: int, rng: np.random.Generator) -> Any:
    """Right in another way: chance breaks ties in one sort, after others were left out."""
    n_batches = len(lengths) // batch_size
    kept = rng.choice(len(lengths), size=n_batches * batch_size, replace=False)
    rows = kept[np.lexsort((rng.random(len(kept)), lengths[kept]))]
    batches = np.stack(np.split(rows, n_batches))
    return batches[rng.permutation(n_batches)]


def repeats_a_row(lengths: Any, batch_size: int, rng: np.random.Generator) -> Any:
    batches = draw_batches(lengths, batch_size, rng)
    batches[0, 0] = batches[-1, -1] if batches.size > 1 else 7
    return batches


def another_every_time(lengths: Any, batch_size: int, rng: np.random.Generator) -> Any:
    return draw_batches(lengths, batch_size, np.random.default_rng())


def one_of_the_scores(null_scores: Any, answered: Any, unanswered: Any) -> float:
    """Right in another way: a null score itself, at which the rule still answers."""

    def total(value: float) -> float:
        pairs = zip(null_scores, answered, unanswered, strict=True)
        return sum(if_not if score > value else if_so for score, if_so, if_not in pairs)

    return max([-math.inf, *sorted(null_scores)], key=total)


@pytest.mark.parametrize(("id", "right"), [("7.1", sorted_with_noise), ("7.6", one_of_the_scores)])
def test_other_right_answers_pass(id: str, right: Any) -> None:
    assert examine(find_exercise(id), right).status == "right"


@pytest.mark.parametrize(
    ("wrong", "said", "name"),
    [
        (repeats_a_row, "twice", None),
        (another_every_time, "answer to the same input changed", "another answer each time"),
    ],
)
def test_batches_that_break_a_rule_are_refused_in_words(
    wrong: Any, said: str, name: str | None
) -> None:
    verdict = examine(find_exercise("7.1"), wrong)
    assert verdict.status == "wrong" and verdict.misconception == name and said in verdict.text


def test_a_poor_threshold_is_told_what_it_reaches() -> None:
    verdict = examine(find_exercise("7.6"), lambda null_scores, answered, unanswered: -4.0)
    assert verdict.status == "wrong" and "another threshold scores more" in verdict.text


def test_the_threshold_s_hint_is_right() -> None:
    assert "max([-math.inf, *sorted(null_scores)], key=total)" in find_exercise("7.6").hints[2]


def test_a_threshold_is_known_by_what_it_leaves_unanswered_wherever_it_lies() -> None:
    def a_little_higher(null_scores: Any, answered: Any, unanswered: Any) -> float:
        return searched(null_scores, answered, unanswered, gain="answered alone") + 0.25

    verdict = examine(find_exercise("7.6"), a_little_higher)
    assert (verdict.misconception, verdict.partial) == ("silence brings nothing", False)


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        (lambda starts, ends: (starts, 1.5 * ends), "another is better"),
        (lambda starts, ends: (np.full_like(starts, 0.0), ends), "end scores alone"),
    ],
)
def test_spans_that_break_no_rule_are_held_against_the_best(scores: Any, name: str) -> None:
    def answer(starts: Any, ends: Any, allowed: Any, max_tokens: int) -> tuple[int, int]:
        return best_span(*scores(starts, ends), allowed, max_tokens)

    assert examine(find_exercise("7.3"), answer).misconception == name
