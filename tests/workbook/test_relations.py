"""What is said of answers that no known mistake explains is measured, and holds wherever said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import Exercise, Misconception, Trial, find_exercise
from albert_lib.workbook.quantities import quantities
from albert_lib.workbook.relations import relation

RNG = np.random.default_rng(0)
INPUTS: list[dict[str, Any]] = [
    {
        "rows": int(RNG.integers(2, 9)),
        "width": int(RNG.integers(10, 90)),
        "rate": float(RNG.uniform(0.1, 0.9)),
        "words": [int(each) for each in RNG.permutation(50)[: int(RNG.integers(4, 9))]],
        "state": torch.from_numpy(RNG.normal(size=(2, 3))),
    }
    for _ in range(20)
]


def said(right: Callable[[dict], Any], given: Callable[[dict], Any]) -> tuple[str, str] | None:
    trials = [Trial(each, right(each), given(each)) for each in INPUTS]
    found = relation(trials, tolerance=1e-9)
    return None if found is None else (found.name, found.says)


def count(each: dict) -> int:
    return each["rows"] * each["width"] + 5 * each["width"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (lambda each: 2 * count(each), "times 2"),
        (lambda each: count(each) / 4, "times 1/4"),
        (lambda each: -count(each), "wrong sign"),
        (lambda each: count(each) * each["rows"], "times rows"),
        (lambda each: count(each) / each["width"], "over width"),
        (lambda each: count(each) / each["rows"] / each["width"], "over rows · width"),
        (lambda each: count(each) * each["rows"] / each["width"], "rows for width"),
        (lambda each: count(each) + 3, "too large by 3"),
        (lambda each: count(each) - each["width"], "too small by width"),
        (lambda each: count(each) + 2 * each["rows"], "too large by 2 · rows"),
        (lambda each: count(each) - each["rows"] * each["width"], "too small by rows · width"),
        (
            lambda each: count(each) + each["width"] ** 2 + each["rows"],
            "too large by rows + width²",
        ),
        (lambda each: float(np.log(count(each))), "log"),
        (lambda each: 7, "always the same"),
        (lambda each: each["rows"], "rows unchanged"),
    ],
)
def test_numbers(given: Callable[[dict], Any], name: str) -> None:
    found = said(count, given)
    assert found is not None and found[0] == name
    assert found[1].startswith("Wherever you differ, your answer ")


def mean(each: dict) -> torch.Tensor:
    return each["state"].softmax(dim=-1)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (lambda each: mean(each) + each["rate"] * each["state"], "plus rate · state"),
        (lambda each: mean(each) - (1 - each["rate"]) * each["state"], "minus (1 - rate) · state"),
        (lambda each: mean(each) + each["state"] ** 2, "plus state²"),
        (lambda each: mean(each) * each["state"].max().exp(), "a factor"),
        (lambda each: mean(each) + each["state"].sum() ** 2, "a term"),
        (lambda each: each["state"], "state unchanged"),
        (lambda each: 1 - mean(each), "complement"),
    ],
)
def test_tensors(given: Callable[[dict], Any], name: str) -> None:
    found = said(mean, given)
    assert found is not None and found[0] == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (lambda right: right[::-1], "reversed"),
        (lambda right: right[:-1], "last missing"),
        (lambda right: right[1:], "first missing"),
        (lambda right: [*right, 0], "last too many"),
        (lambda right: sorted(right), "another order"),
    ],
)
def test_lists(given: Callable[[list], list], name: str) -> None:
    def right(each: dict) -> list[int]:
        return [2 * word + 1 for word in each["words"]]

    found = said(right, lambda each: given(right(each)))
    assert found is not None and found[0] == name


def test_one_part_of_several_is_named_and_the_others_are_not_hidden() -> None:
    def right(each: dict) -> dict[str, int]:
        return {"first": count(each), "second": each["rows"] + 3, "third": each["width"]}

    only = said(right, lambda each: right(each) | {"first": 2 * count(each)})
    assert only is not None and "the entry 'first' of your answer is 2 times" in only[1]
    assert "second" not in only[1]
    trials = [
        Trial(
            each, right(each), right(each) | {"first": 2 * count(each), "second": each["width"] % 7}
        )
        for each in INPUTS
    ]
    both = relation(trials)
    assert both is not None and both.partial and "'second'" in both.says
    pairs = said(lambda each: (count(each), each["rows"]), lambda each: (each["rows"], count(each)))
    assert pairs is not None and pairs[0] == "parts exchanged"


def test_nothing_is_said_without_reason() -> None:
    noise = np.random.default_rng(1)
    assert said(count, lambda each: count(each) + int(noise.integers(1, 1000))) is None
    assert said(count, count) is None, "nothing is wrong"
    assert said(lambda each: True, lambda each: False) is None, "two answers are no evidence"
    few = [Trial(each, count(each), 2 * count(each)) for each in INPUTS[:3]]
    assert relation(few) is None
    generator = {"rng": np.random.default_rng(0)}
    drawn = [Trial(each | generator, count(each), 2 * count(each)) for each in INPUTS]
    assert relation(drawn) is None, "random answers differ by themselves"


def test_quantities_have_the_names_of_the_arguments() -> None:
    names = {each.name for each in quantities(INPUTS)}
    assert names == {"rows", "width", "rate", "(1 - rate)", "len(words)"}, "sides never change"


def test_a_known_mistake_comes_first_and_the_input_is_shown_otherwise() -> None:
    def add(rows: int, width: int) -> int:
        return rows + width

    exercise = Exercise(
        id="99.1",
        title="A sum",
        difficulty=1,
        minutes=1,
        points=1,
        solution=add,
        draw=lambda rng: {"rows": int(rng.integers(1, 9)), "width": int(rng.integers(10, 99))},
        misconceptions=(
            Misconception("twice", lambda rows, width: 2 * (rows + width), "You count twice."),
        ),
        hints=("a", "b", "c"),
    )
    known = examine(exercise, lambda rows, width: 2 * (rows + width), seed=1)
    assert known.misconception == "twice" and "2 times" not in known.text
    other = examine(exercise, lambda rows, width: rows, seed=1)
    assert other.misconception == "rows unchanged" and "rows = " in other.text
    less = examine(exercise, lambda rows, width: width - rows, seed=1)
    assert less.misconception == "too small by 2 · rows" and not less.partial
    assert "albert_lib answers" in less.text


def test_what_a_layer_costs_is_named_by_its_part() -> None:
    exercise = find_exercise("9.1")

    def without_length(config: Any, batch_size: int, length: int, predictions: int) -> Any:
        right = exercise.solution(config, batch_size, length, predictions)
        return right | {"attention_scores": right["attention_scores"] // length}

    verdict = examine(exercise, without_length, seed=1)
    assert verdict.misconception is not None and "attention_scores" in verdict.text
