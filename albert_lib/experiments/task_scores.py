"""A fine-tuned model's scores on a task's data, with intervals: what `evaluate TASK` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from albert_lib.errors import InputError, listed
from albert_lib.experiments.finetuned_folder import finite
from albert_lib.finetuning import (
    SpanPrediction,
    SquadFile,
    Task,
    TextExamples,
    accuracy,
    choose_null_threshold,
    encode_examples,
    race_accuracy,
    score_squad,
)
from albert_lib.finetuning.models import TASK_LABELS, TaskModel
from albert_lib.finetuning.predicting import class_scores, predict_answers
from albert_lib.finetuning.recipes import FinetuningRecipe
from albert_lib.finetuning.seeds import median_and_range
from albert_lib.finetuning.squad_scoring import score_questions, score_without_answer
from albert_lib.finetuning.task_data import TaskData, examples_of
from albert_lib.probing import Interval, mean_interval, proportion_interval
from albert_lib.text import AlbertTokenizer

NO_THRESHOLD = 0.0  # the best span against [CLS], even


@dataclass(frozen=True)
class TaskPredictions:
    """What a model answers to every example of a task's data, in their order.

    Attributes:
        words: The classes by name, the letters of options, or the best spans of a passage.
        spans: SQuAD's whole predictions; empty for other tasks.
    """

    task: Task
    words: tuple[str, ...]
    spans: tuple[SpanPrediction, ...] = ()

    def answers(self, threshold: float | None) -> tuple[str, ...]:
        """The words; of SQuAD "" where the null margin is above a threshold, if there is one."""
        if threshold is None:
            return self.words
        return tuple(each.text(threshold) for each in self.spans)

    def margins(self) -> list[float]:
        """By how much no answer beats the best span, for every question; finite."""
        return [finite(each.null_margin) for each in self.spans]


def predict_task(
    task: Task,
    model: TaskModel,
    tokenizer: AlbertTokenizer,
    data: TaskData,
    recipe: FinetuningRecipe,
) -> TaskPredictions:
    """Answer every example, cut to the recipe's lengths, which the model must have positions for.

    InputError for data of another task or a model of other classes.
    """
    encode = partial(
        encode_examples, task, examples_of(data), tokenizer, recipe.max_length,
        question_length=recipe.question_length, advance=recipe.advance,
    )  # fmt: skip
    if task in TASK_LABELS:
        labels = class_names(task, model)
        rows = encode(labels=labels)
        best = class_scores(model, rows).argmax(axis=1)
        return TaskPredictions(task, tuple(labels[number] for number in best))
    rows = encode()
    if task == "race":
        best = class_scores(model, rows).argmax(axis=1)
        return TaskPredictions(task, tuple("ABCD"[number] for number in best))
    spans = predict_answers(model, rows)  # type: ignore[arg-type]
    return TaskPredictions(task, tuple(each.text() for each in spans), tuple(spans))


def class_names(task: Task, model: TaskModel) -> tuple[str, ...]:
    """A task's classes in the order in which the model scores them.

    A model that names its classes as the task does keeps its own order, whatever the case of the
    letters; one that only numbers them (LABEL_0, ...) has the paper's. InputError for others.
    """
    wanted, own = TASK_LABELS[task], tuple(model.config.labels)
    lowered = tuple(name.lower() for name in own)
    if sorted(lowered) == sorted(wanted):
        return lowered
    if own == tuple(f"LABEL_{number}" for number in range(len(wanted))):
        return wanted
    raise InputError(
        f"The model tells {listed(own)} apart, and the task {task} has {listed(wanted)}; give a "
        f"model that was fine-tuned on {task}."
    )


def score_task(
    data: TaskData, predictions: TaskPredictions, threshold: float | None = None
) -> dict[str, Any]:
    """The task's official scores with 95 % intervals, as one JSON object.

    Accuracies are fractions, SQuAD's scores percent, as their scripts have them. Of SQuAD 2.0 there
    is also the best threshold on this very data, under names that say so; it is no score of the
    model, since the data chose it.
    """
    if isinstance(data, SquadFile):
        return score_answers(data, predictions, threshold)
    if isinstance(data, TextExamples):
        gold = [example.label for example in data.examples]
        scores: dict[str, Any] = {"accuracy": accuracy(predictions.words, gold)}
    else:
        scores = dict(race_accuracy(data, ["ABCD".index(word) for word in predictions.words]))
    count = len(predictions.words)
    interval = proportion_interval(round(scores["accuracy"] * count), count)
    return {
        "task": predictions.task,
        **scores,
        **_ends("accuracy", interval, 1.0),
        "examples": count,
    }


def score_answers(
    data: SquadFile, predictions: TaskPredictions, threshold: float | None
) -> dict[str, Any]:
    """Exact match and F1, in percent, with the interval of their means over questions."""
    ids = [question.id for question in data.questions]
    texts = dict(zip(ids, predictions.words, strict=True))
    if data.version == "1.1":
        official: dict[str, Any] = dict(score_squad(data, texts).official())
        each = score_questions(data, texts)
        found = [each[name] for name in ids]
        names = ("exact_match", "f1")
    else:
        margins = dict(zip(ids, predictions.margins(), strict=True))
        value = NO_THRESHOLD if threshold is None else threshold
        official = dict(score_squad(data, texts, margins, value).official())
        each = score_questions(data, texts)
        found = [
            score_without_answer(question) if margins[question.id] > value else each[question.id]
            for question in data.questions
        ]
        best = choose_null_threshold(data, texts, margins)
        official |= {
            "threshold": value,
            "best_f1_on_this_data": best.scores.overall.f1,
            "best_threshold_on_this_data": finite(best.value),
        }
        names = ("exact", "f1")
    for name, values in zip(
        names, ([s.exact_match for s in found], [s.f1 for s in found]), strict=True
    ):
        official |= _ends(name, mean_interval(100 * np.array(values)), 100.0)
    return {"task": predictions.task, **official, "examples": len(ids)}


def _ends(name: str, interval: Interval, most: float) -> dict[str, float]:
    """The ends of an interval, within what the score can be: JSON knows no infinity."""
    return {f"{name}_low": max(interval.low, 0.0), f"{name}_high": min(interval.high, most)}


def over_seeds(scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The median of each number over several runs, and its range as NAME_range where it has one."""
    names = [name for name, value in scores[0].items() if isinstance(value, int | float)]
    found: dict[str, Any] = {"task": scores[0]["task"], "seeds": len(scores)}
    for name, score in median_and_range([{n: each[n] for n in names} for each in scores]).items():
        found[name] = score.median
        if score.lowest != score.highest:
            found[f"{name}_range"] = [score.lowest, score.highest]
    return found
