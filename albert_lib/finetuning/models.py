"""The five tasks: which model learns each, and in which order its head scores the classes."""

from __future__ import annotations

from typing import Literal, get_args

from albert_lib.errors import InputError, listed, quoted
from albert_lib.finetuning.glue import MNLI_LABELS, SST2_LABELS
from albert_lib.model import (
    AlbertForConditionedSpans,
    AlbertForMultipleChoice,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
)

Task = Literal["sst2", "mnli", "race", "squad1", "squad2"]
"""The name of a task."""

TASKS: tuple[Task, ...] = get_args(Task)
"""The names of all tasks."""

TaskModel = (
    AlbertForSequenceClassification
    | AlbertForMultipleChoice
    | AlbertForQuestionAnswering
    | AlbertForConditionedSpans
)

TASK_LABELS: dict[Task, tuple[str, ...]] = {"sst2": SST2_LABELS, "mnli": MNLI_LABELS}
"""The labels of a task, as the paper's code numbers them, from 0.

MNLI's order on the hub is entailment, neutral, contradiction: a model from there says so in its
`config.labels`.
"""


def model_class(task: Task, conditioned: bool = False) -> type[TaskModel]:
    """The class of models that learn a task.

    SQuAD 2.0 can be learned by the simple head of SQuAD 1.1, as is usual elsewhere, or with
    `conditioned` by the head that the paper's code has for it. InputError for another task.

    Example:
        >>> from albert_lib.finetuning import model_class
        >>> model_class("squad2").__name__, model_class("squad2", conditioned=True).__name__
        ('AlbertForQuestionAnswering', 'AlbertForConditionedSpans')
    """
    check_task(task)
    if conditioned and task != "squad2":
        raise InputError(
            f"Only SQuAD 2.0 has questions without an answer, and a head for them; leave "
            f"conditioned out for {task!r}."
        )
    if task in TASK_LABELS:
        return AlbertForSequenceClassification
    if task == "race":
        return AlbertForMultipleChoice
    return AlbertForConditionedSpans if conditioned else AlbertForQuestionAnswering


def check_task(task: str) -> None:
    """Raise InputError for what is none of the five tasks.

    Example:
        >>> from albert_lib.finetuning.models import check_task
        >>> check_task("race")
    """
    if task not in TASKS:
        raise InputError(f"{quoted(task)} is no task; choose from {listed(TASKS, most=5)}.")
