"""Chapters 5 and 6: two slips at once, slips that no list has, and right answers of other kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.probing import bootstrap_ends, percentile_bootstrap
from albert_lib.training import lamb_update, training_steps, warmup_linear
from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import find_exercise
from albert_lib.workbook.exercises import lamb_steps
from albert_lib.workbook.exercises.bootstrap_exercise import bootstrap_like
from albert_lib.workbook.exercises.chapter_05 import schedule_like
from albert_lib.workbook.exercises.holm_exercise import holm_like
from albert_lib.workbook.exercises.lamb_steps import step
from albert_lib.workbook.exercises.loop_exercise import steps_like

TWO_AT_ONCE = [
    ("5.1", partial(step, bias_correction=True, decay="outside"), "bias-corrected and decay outs"),
    ("5.1", partial(step, ratio=lamb_steps.no_ratio, decay="none"), "no decay and no ratio"),
    ("5.2", partial(schedule_like, first=1, fall="late"), "counted from 1 and fall too slow"),
    ("5.3", partial(steps_like, clear="never", rate="too late"), "gradients never cleared and ra"),
    ("6.5", partial(bootstrap_like, of="medians", ends="one-sided"), "medians and all of it on ea"),
    ("6.6", partial(holm_like, factors="all", placed="sorted"), "Bonferroni and left sorted"),
]


@pytest.mark.parametrize(("id", "wrong", "names"), TWO_AT_ONCE)
def test_two_slips_at_once_are_both_named(id: str, wrong: Callable[..., Any], names: str) -> None:
    verdict = examine(find_exercise(id), wrong, seed=3)
    assert verdict.misconception is not None
    assert verdict.misconception.startswith(names)


def own_first_mean(*tensors: torch.Tensor, **settings: Any) -> Any:
    parameter, gradient, exp_avg, exp_avg_sq = tensors
    return lamb_update(parameter, gradient, exp_avg + 0.5, exp_avg_sq, **settings)


def own_move(*tensors: torch.Tensor, **settings: Any) -> Any:
    new, *means = lamb_update(*tensors, **settings)
    return (1.01 * new + 0.01, *means)


def half_as_far(*tensors: torch.Tensor, **settings: Any) -> Any:
    new, *means = lamb_update(*tensors, **settings)
    return ((tensors[0] + new) / 2, *means)


def slow_climb(step: int, **settings: Any) -> float:
    share = 0.9 if step < settings["warmup_steps"] else 1.0
    return share * warmup_linear(step, **settings)


def own_shares(weights: Any, leans: Any, *, bias: float) -> Any:
    rows = weights * np.exp(bias * np.array([[-0.25], [0.7]]) * leans)
    return rows / rows.sum(axis=1, keepdims=True)


def twice_as_sure(values: Any, rng: Any, *, confidence: float, resamples: int) -> Any:
    return bootstrap_ends(values, rng, confidence=1 - (1 - confidence) / 10, resamples=resamples)


def in_fives(nats: Any, n_bytes: Any) -> float:
    return float(nats.sum() / np.log(5) / n_bytes.sum())


UNLISTED = [
    ("5.5", in_fives, "another unit", "one factor, 0.431 everywhere"),
    ("6.3", own_shares, "other shares of the lean", "-0.25 and 0.7 times"),
    ("6.5", twice_as_sure, "other quantiles", "quantiles of the right means"),
    ("5.1", own_first_mean, "exp_avg", "Only exp_avg is wrong"),
    ("5.1", half_as_far, "length of the step", "not as far as it should"),
    ("5.1", own_move, "the step behind the means", "Both means are right"),
    ("5.2", slow_climb, "climb", "everything behind it right"),
]


@pytest.mark.parametrize(("id", "wrong", "name", "words"), UNLISTED)
def test_a_slip_of_ones_own_is_placed(
    id: str, wrong: Callable[..., Any], name: str, words: str
) -> None:
    verdict = examine(find_exercise(id), wrong, seed=3)
    assert verdict.misconception == name and words in verdict.text


def test_tensors_and_lists_are_no_numbers() -> None:
    def in_a_tensor(*arguments: Any, **settings: Any) -> Any:
        return torch.tensor(training_steps(*arguments, **settings))

    def numbers_of_numpy(*arguments: Any, **settings: Any) -> Any:
        return list(np.array(training_steps(*arguments, **settings)))

    exercise = find_exercise("5.3")
    assert "a list is expected" in examine(exercise, in_a_tensor, seed=1).text
    assert examine(exercise, numbers_of_numpy, seed=1).status == "right"  # they are floats too


def test_an_answer_to_the_training_step_says_where_the_losses_part() -> None:
    def a_little_decay(model: Any, *rest: Any, **settings: Any) -> Any:
        losses = training_steps(model, *rest, **settings)
        return [loss + 0.25 * (number == 1) for number, loss in enumerate(losses)]

    text = examine(find_exercise("5.3"), a_little_decay, seed=1).text
    assert "the loss of step 1 is" in text


def test_the_bootstrap_may_be_drawn_otherwise() -> None:
    """In a loop, by choice, by the library's general function: the generator gives the same."""

    def general(values: Any, rng: Any, *, confidence: float, resamples: int) -> Any:
        return percentile_bootstrap(
            len(values), lambda drawn: values[drawn].mean(axis=1), rng, confidence, resamples
        )

    def in_a_loop(values: Any, rng: Any, *, confidence: float, resamples: int) -> Any:
        if len(values) == 1:
            return -np.inf, np.inf
        means = [
            np.mean([values[rng.integers(len(values))] for _ in values]) for _ in range(resamples)
        ]
        return tuple(np.percentile(means, [50 - 50 * confidence, 50 + 50 * confidence]))

    for function in (general, in_a_loop):
        assert examine(find_exercise("6.5"), function, seed=5).status == "right"
