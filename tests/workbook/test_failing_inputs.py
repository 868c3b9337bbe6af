"""A refusal shows the smallest input that fails, in full, and hands it over."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from albert_lib.workbook import check, failing_input
from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import Exercise, ExerciseError, Misconception, find_exercise
from albert_lib.workbook.failing_inputs import NoFailingInput


@pytest.fixture(autouse=True)
def nothing_refused_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("albert_lib.workbook.failing_inputs._refused", {})


def test_the_last_refused_input_comes_by_name_as_new_copies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check("2.2", lambda words, budget, rng: [range(0, 1)])
    assert 'failing_input("2.2")' in capsys.readouterr().out
    one, other = failing_input("2.2"), failing_input("2.2")
    assert list(one) == ["words", "budget", "rng"]
    assert one["words"] == other["words"] and one["words"] is not other["words"]
    assert one["rng"].random() == other["rng"].random(), "a generator as it was before the call"


def test_it_is_an_input_on_which_the_function_is_wrong() -> None:
    exercise = find_exercise("6.1")

    def wrong_for_the_first(logits_a: Any, logits_b: Any, token_id: int) -> Any:
        return exercise.solution(logits_a, logits_b, token_id) + (token_id == 0)

    check("6.1", wrong_for_the_first)
    arguments = failing_input("6.1")
    assert arguments["token_id"] == 0
    assert not np.allclose(wrong_for_the_first(**arguments), exercise.solution(**arguments))


def test_what_raises_leaves_its_input_too() -> None:
    def raises(logits: Any, labels: Any) -> None:
        raise ValueError(f"{logits.shape}")

    check("4.3", raises)
    with pytest.raises(ValueError, match=r"torch\.Size"):
        raises(**failing_input("4.3"))


def test_without_one_there_is_one_clear_error() -> None:
    with pytest.raises(NoFailingInput, match=r"No input of exercise 8\.1 is kept"):
        failing_input("8.1")
    with pytest.raises(ExerciseError, match="There is no exercise"):
        failing_input("77.7")


# -- Shrinking


def longest(text: str) -> int:
    return len(text)


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Long texts, and one in fifty that is short."""
    length = int(rng.integers(3, 12)) if rng.random() < 0.02 else int(rng.integers(60, 90))
    return {"text": "".join(rng.choice(list("abcd"), size=length))}


TOY = Exercise(
    "9.1", "Length", 1, 1, 1, longest, draw,
    (
        Misconception("last", lambda text: len(text) - (text[0] == "d"), "You leave out d."),
        Misconception("half", lambda text: len(text) // 2, "Half."),
        Misconception("none", lambda text: 0, "None."),
    ),
    ("a", "b", "c"),
    trials=20,
)  # fmt: skip


def length_of_input(function: Any, seed: int) -> int:
    verdict = examine(TOY, function, seed)
    assert verdict.input is not None
    return len(verdict.input["text"])


def test_a_smaller_input_that_fails_alike_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def unnamed(text: str) -> int:
        return len(text) + text.startswith("a")

    shrunk = [length_of_input(unnamed, seed) for seed in range(6)]
    monkeypatch.setattr("albert_lib.workbook.shrinking.DRAWS", 0)
    drawn = [length_of_input(unnamed, seed) for seed in range(6)]
    assert all(one <= other for one, other in zip(shrunk, drawn, strict=True))
    assert max(shrunk) < 12 < max(drawn)


def test_it_shows_the_same_mistake_and_is_printed_in_full() -> None:
    verdict = examine(TOY, TOY.misconceptions[0].wrong, seed=5)
    assert verdict.misconception == "last" and verdict.input is not None
    assert verdict.input["text"].startswith("d"), "where only that mistake is visible"

    other = examine(TOY, lambda text: len(text) + text.startswith("a"), seed=5)
    assert other.input is not None
    assert f"text = {other.input['text']!r}" in other.text


def test_looking_for_a_smaller_one_never_raises() -> None:
    def hates_short_ones(text: str) -> int:
        if len(text) < 30:
            raise ValueError
        return -1

    smooth = replace(TOY, draw=lambda rng: {"text": "x" * int(rng.integers(30, 90))}, trials=5)
    short_later = copy.copy(smooth)
    assert examine(short_later, hates_short_ones, seed=1).status == "wrong"
