"""Answers that are right by their numbers, and wrong: no gradient, a memory, a changed input."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import Exercise, Misconception


def squares(states: Tensor, factor: int) -> Tensor:
    return factor * states.square().sum()


def draw(rng: np.random.Generator) -> dict[str, Any]:
    shape = (int(rng.integers(1, 3)), int(rng.integers(1, 4)))
    return {"states": torch.from_numpy(rng.normal(size=shape)).float(), "factor": 3}


MISTAKES = tuple(
    Misconception(f"times {n}", lambda states, factor, n=n: n * states.sum(), f"Times {n}.")
    for n in (7, 8, 9)
)
LOSS = Exercise(
    "9.1", "Squares", 1, 1, 1, squares, draw, MISTAKES, ("a", "b", "c"),
    tolerance=1e-5, gradients=("states",), leaves_inputs=True,
)  # fmt: skip


def test_the_right_answer_written_otherwise_passes() -> None:
    assert examine(LOSS, squares).status == "right"
    assert examine(LOSS, lambda states, factor: factor * (states * states).sum()).status == "right"
    cross_entropy = F.mse_loss
    other = examine(
        LOSS,
        lambda states, factor: factor * cross_entropy(states, 0 * states, reduction="sum"),
    )
    assert other.status == "right"


NO_GRADIENT: dict[str, Callable[..., Any]] = {
    "detached": lambda states, factor: squares(states.detach(), factor),
    "item": lambda states, factor: torch.tensor(squares(states, factor).item()),
    "no_grad": torch.no_grad()(squares),
    "numpy": lambda states, factor: torch.tensor(factor * (states.numpy() ** 2).sum()),
}


@pytest.mark.parametrize("function", NO_GRADIENT.values(), ids=NO_GRADIENT.keys())
def test_a_loss_without_a_gradient_is_refused(function: Callable[..., Any]) -> None:
    verdict = examine(LOSS, function)
    assert (verdict.status, verdict.misconception) == ("wrong", "no gradient")
    assert "gradient" in verdict.text and "states = float32" in verdict.text
    assert verdict.input is not None
    without = replace(LOSS, gradients=())
    assert examine(without, function).status == "right"


def test_another_gradient_is_refused_with_both_numbers() -> None:
    def half_detached(states: Tensor, factor: int) -> Tensor:
        return factor * (states * states.detach()).sum()

    verdict = examine(LOSS, half_detached)
    assert (verdict.status, verdict.misconception) == ("wrong", "another gradient")
    assert "its gradient for states is not the library's" in verdict.text
    assert "albert_lib has" in verdict.text


def test_the_gradient_of_a_module_is_its_parameters() -> None:
    def mapped(states: Tensor, layer: torch.nn.Linear) -> Tensor:
        return layer(states).sum()

    def drawn(rng: np.random.Generator) -> dict[str, Any]:
        layer = torch.nn.Linear(2, 2)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(rng.normal(size=(2, 2))))
        return {"states": torch.from_numpy(rng.normal(size=(3, 2))).float(), "layer": layer}

    exercise = replace(LOSS, solution=mapped, draw=drawn, gradients=("layer",))
    assert examine(exercise, mapped).status == "right"
    verdict = examine(exercise, lambda s, layer: F.linear(s, layer.weight.data, layer.bias).sum())
    assert verdict.misconception == "another gradient" and "layer.weight" in verdict.text


def test_a_changed_input_is_refused_by_its_name() -> None:
    def in_place(states: Tensor, factor: int) -> Tensor:
        states.requires_grad_(False).mul_(states)
        return factor * states.sum()

    exercise = replace(LOSS, gradients=())
    verdict = examine(exercise, in_place)
    assert (verdict.status, verdict.misconception) == ("wrong", "changes its input")
    assert "changes its argument 'states'" in verdict.text
    assert examine(replace(exercise, leaves_inputs=False), in_place).status == "right"


def test_an_exercise_may_have_its_own_sentence_for_a_general_fault() -> None:
    own = Misconception("no gradient", NO_GRADIENT["detached"], "Mine: it carries none.")
    exercise = replace(LOSS, misconceptions=(*MISTAKES, own))
    assert "Mine: it carries none." in examine(exercise, own.wrong).text


calls = [0]


def from_torch(states: Tensor, factor: int) -> Tensor:
    return squares(states, factor) + torch.rand(())


def from_numpy(states: Tensor, factor: int) -> Tensor:
    return squares(states, factor) + np.random.rand()  # noqa: NPY002


def from_python(states: Tensor, factor: int) -> Tensor:
    return squares(states, factor) + random.random()


def mutable_default(states: Tensor, factor: int, seen: list[Tensor] = []) -> Tensor:  # noqa: B006
    seen.append(squares(states, factor))
    return sum(seen)  # type: ignore[return-value]


def counts_calls(states: Tensor, factor: int) -> Tensor:
    calls[0] += 1
    return squares(states, factor) if calls[0] <= 100 else squares(states, factor) * 2


buffer = torch.zeros(())


def reuses_a_buffer(states: Tensor, factor: int) -> Tensor:
    return buffer.copy_(squares(states, factor))


@pytest.mark.parametrize(
    "function",
    [from_torch, from_numpy, from_python, mutable_default, counts_calls, reuses_a_buffer],
)
def test_what_lasts_between_calls_is_found(function: Callable[..., Any]) -> None:
    calls[0] = 0
    verdict = examine(replace(LOSS, gradients=()), function)
    assert (verdict.status, verdict.misconception) == ("wrong", "another answer each time")
    assert "Your answer to the same input changed" in verdict.text


def test_a_cache_under_too_short_a_key_is_wrong_and_one_under_the_whole_key_right() -> None:
    kept: dict[Any, Tensor] = {}

    def by_shape(states: Tensor, factor: int) -> Tensor:
        return kept.setdefault(tuple(states.shape), squares(states, factor))

    def by_all(states: Tensor, factor: int) -> Tensor:
        return kept.setdefault(str(states.tolist()), squares(states, factor))

    exercise = replace(LOSS, gradients=())
    assert examine(exercise, by_shape).status == "wrong"
    kept.clear()
    assert examine(exercise, by_all).status == "right"


def test_a_generator_that_is_passed_in_may_be_used_and_nothing_else() -> None:
    def noisy(states: Tensor, rng: np.random.Generator) -> Tensor:
        return states + float(rng.random())

    def drawn(rng: np.random.Generator) -> dict[str, Any]:
        return {"states": torch.zeros(2), "rng": np.random.default_rng(int(rng.integers(9)))}

    exercise = replace(LOSS, solution=noisy, draw=drawn, gradients=(), judge=lambda trials: None)
    assert examine(exercise, noisy).status == "right"
    verdict = examine(exercise, lambda states, rng: states + float(torch.rand(())))
    assert verdict.misconception == "another answer each time"
    assert "Draw from the generator that is passed in" in verdict.text


def test_global_generators_are_left_as_they_were() -> None:
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    expected = torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    examine(LOSS, from_torch)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected  # noqa: NPY002
