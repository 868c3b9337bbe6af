"""Which model learns which task."""

from __future__ import annotations

from typing import Any

import pytest

import albert_lib
from albert_lib.errors import InputError
from albert_lib.finetuning import TASK_LABELS, TASKS, model_class


def test_every_task_has_its_model() -> None:
    assert {task: model_class(task) for task in TASKS} == {
        "sst2": albert_lib.AlbertForSequenceClassification,
        "mnli": albert_lib.AlbertForSequenceClassification,
        "race": albert_lib.AlbertForMultipleChoice,
        "squad1": albert_lib.AlbertForQuestionAnswering,
        "squad2": albert_lib.AlbertForQuestionAnswering,
    }
    assert model_class("squad2", conditioned=True) is albert_lib.AlbertForConditionedSpans


def test_classes_are_numbered_as_the_papers_code_does() -> None:
    assert TASK_LABELS == {
        "sst2": ("0", "1"),
        "mnli": ("contradiction", "entailment", "neutral"),
    }


@pytest.mark.parametrize(
    ("task", "conditioned", "message"),
    [
        ("squad1", True, "leave conditioned out for 'squad1'"),
        ("race", True, "leave conditioned out"),
        ("squad", False, "'squad' is no task; choose from sst2, mnli, race, squad1, squad2"),
    ],
)
@pytest.mark.usefixtures("without_shape_checks")
def test_other_models_are_refused(task: Any, conditioned: bool, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_class(task, conditioned)
