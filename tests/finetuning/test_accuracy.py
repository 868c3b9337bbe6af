"""The fraction of right answers, and RACE's two levels apart."""

from __future__ import annotations

import pytest

from albert_lib.errors import InputError
from albert_lib.finetuning import ChoiceQuestion, accuracy, race_accuracy

OPTIONS = ("a", "b", "c", "d")


def question(answer: int | None, level: str | None) -> ChoiceQuestion:
    return ChoiceQuestion("1", "p", "?", OPTIONS, answer, level)  # type: ignore[arg-type]


def test_accuracy_is_a_fraction() -> None:
    assert accuracy(["1", "0", "0"], ["1", "1", "0"]) == pytest.approx(2 / 3)
    assert accuracy([3], [3]) == 1.0


def test_race_has_both_levels_apart() -> None:
    questions = [
        question(0, "high"),
        question(1, "middle"),
        question(2, "high"),
        question(3, "high"),
    ]
    assert race_accuracy(questions, [0, 0, 2, 2]) == {
        "accuracy": 0.5,
        "middle": 0.0,
        "high": pytest.approx(2 / 3),
    }


def test_questions_without_a_level_are_scored_together() -> None:
    assert race_accuracy([question(0, None), question(1, None)], [0, 0]) == {"accuracy": 0.5}


@pytest.mark.parametrize(("predicted", "gold"), [([], []), ([1], []), ([1], [1, 2])])
def test_as_many_predictions_as_labels(predicted: list[int], gold: list[int]) -> None:
    with pytest.raises(InputError, match="cannot be compared"):
        accuracy(predicted, gold)


def test_a_label_that_is_not_told_is_named() -> None:
    with pytest.raises(InputError, match=r"Example 1 .* without a label"):
        accuracy(["0", "1"], ["0", None])
    with pytest.raises(InputError, match=r"Example 0 .* without a label"):
        race_accuracy([question(None, "high")], [0])
    with pytest.raises(InputError, match="2 predictions cannot be compared with 1 labels"):
        race_accuracy([question(0, "high")], [0, 1])
