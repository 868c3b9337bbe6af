"""Where two answers differ first, with numbers that are never written alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.workbook.checks import examine
from albert_lib.workbook.describe import described_apart
from albert_lib.workbook.exercise import find_exercise
from albert_lib.workbook.first_difference import described_input, first_difference

ones = torch.ones(2, 3)
changed = ones.clone()
changed[1, 2] = 1.5


@pytest.mark.parametrize(
    ("expected", "answer", "sentence"),
    [
        (ones, changed, "is at [1, 2]: albert_lib has 1.0, you have 1.5."),
        ((1, ones), (1, changed), "is in element 1 at [1, 2]: albert_lib has 1.0, you have 1.5."),
        ([1, 2, 3], [1, 5, 3], "is in element 1: albert_lib has 2, you have 5."),
        ([1, 2], [1, 2, 3], "is in element 2: albert_lib has nothing there, you have 3."),
        ([1, 2], [1], "is in element 1: albert_lib has 2, you have nothing there."),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "is at key 'b': albert_lib has 2, you have 3."),
        ({"a": 1}, {}, "is at key 'a': albert_lib has 1, you have nothing there."),
        ({"a": [1]}, {"a": [2]}, "is at key 'a' in element 0: albert_lib has 1, you have 2."),
        ("dawn", "down", "is at character 1: albert_lib has 'dawn', you have 'down'."),
        ([1], [1.0], "is in element 0: albert_lib has 1, you have 1.0."),
        ([1], [True], "is in element 0: albert_lib has 1, you have True."),
        ([0.1], [0.1 + 1e-12], "is in element 0: albert_lib has 0.1, you have 0.100000000001."),
    ],
)
def test_the_first_place_is_named(expected: Any, answer: Any, sentence: str) -> None:
    place = first_difference(expected, answer)
    assert place is not None
    assert place.sentence() == f"The first difference {sentence}"


def test_what_is_the_same_has_no_such_place() -> None:
    assert first_difference(ones, ones.clone()) is None
    assert first_difference([0.0], [-0.0]) is None
    assert first_difference(ones, changed, tolerance=1.0) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, 1.0 + 2**-52),
        (np.float32(0.1), 0.1),
        (torch.tensor([1.0]), torch.tensor([1.0 + 2**-20])),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64)),
        (1, True),
        (1, 1.0),
        ((1, 2), (1.0, 2)),
        ([1.0], (1.0,)),
        (0.0, -0.0),
    ],
)
def test_two_that_differ_are_never_written_alike(one: Any, other: Any) -> None:
    texts = described_apart(one, other)
    assert texts[0] != texts[1]


def test_large_inputs_show_the_part_that_belongs_to_the_difference() -> None:
    large = torch.arange(600.0).reshape(3, 20, 10)
    text = described_input(large, (1, 4))
    assert text.startswith("float32 (3, 20, 10) beginning 0, 1, 2")
    assert text.endswith("and at [1, 4] float64 (10,) [" + ", ".join(
        str(n) for n in range(240, 250)) + "]") or "240, 241" in text  # fmt: skip
    assert "300 elements beginning [0, 1, 2]" in described_input(list(range(300)), (120,))
    assert "[117, 118, 119, 120, 121, 122, 123]" in described_input(list(range(300)), (120,))
    assert described_input([1, 2, 3], (1,)) == "[1, 2, 3]"


def test_an_unnamed_mistake_shows_input_place_and_both_values() -> None:
    exercise = find_exercise("3.2")

    def one_off(query: Any, key: Any, value: Any, mask: Any) -> Any:
        context, probabilities = exercise.solution(query, key, value, mask)
        context = context.clone()
        context[-1, -1, -1, -1] += 1
        return context, probabilities

    text = examine(exercise, one_off, seed=3).text
    assert "  query = float32 (" in text and "  attention_mask = int64 (" in text
    assert "The first difference is in element 0 at [" in text


def test_numbers_of_answers_get_digits_until_they_differ() -> None:
    exercise = find_exercise("4.3")
    text = examine(exercise, lambda *given: exercise.solution(*given) * 1.00002, seed=1).text
    lines = [line.split()[-1] for line in text.splitlines() if "answer" in line and "  " in line]
    assert len(lines) == 2 and lines[0] != lines[1]
