"""What a fine-tuned model says of rows: scores of classes and choices, answers to questions.

Rows are read in order of their length, so that there is hardly any padding, and given back in the
order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float

from albert_lib.errors import InputError
from albert_lib.finetuning.beam_spans import SpanBeams, beams_of_windows, predict_from_beams
from albert_lib.finetuning.encoding import EncodedRow, SpanRow
from albert_lib.finetuning.models import TaskModel
from albert_lib.finetuning.spans import SpanPrediction, predict_span
from albert_lib.finetuning.task_batches import TaskBatch, collate
from albert_lib.model import AlbertForConditionedSpans
from albert_lib.training.precision import autocast, choose_precision

TOKENS_AT_ONCE = 8_192


def length_batches(
    rows: Sequence[EncodedRow], most_tokens: int = TOKENS_AT_ONCE
) -> Iterator[list[int]]:
    """The numbers of rows of like length, padded no more than `most_tokens` together; at least one.

    Example:
        >>> rows = [EncodedRow(n, (([2] * size, size),)) for n, size in enumerate((9, 2, 8, 2))]
        >>> list(length_batches(rows, most_tokens=9))
        [[1, 3], [2], [0]]
    """
    together: list[int] = []
    for number in sorted(range(len(rows)), key=lambda number: rows[number].n_tokens):
        width = rows[number].n_tokens * len(rows[number].sequences)
        if together and width * (len(together) + 1) > most_tokens:
            yield together
            together = []
        together.append(number)
    if together:
        yield together


@contextmanager
def reading(model: TaskModel) -> Iterator[None]:
    """Predict inside the block: no dropout, no gradients, products as the processor does them best.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48)).train()
        >>> with reading(model):
        ...     model.training, torch.is_grad_enabled()
        (False, False)
        >>> model.training
        True
    """
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), autocast(model.device, choose_precision(model.device).dtype):
            yield
    finally:
        model.train(was_training)


def _without_labels(
    rows: Sequence[EncodedRow], numbers: Sequence[int], model: TaskModel
) -> TaskBatch:
    return collate([rows[number] for number in numbers]).to(model.device)


def class_scores(model: TaskModel, rows: Sequence[EncodedRow]) -> Float[np.ndarray, "rows classes"]:
    """The scores of every class, or of every choice, for each row; the highest is the answer.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> from albert_lib.finetuning import ClassRow
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> rows = [ClassRow(0, (([2, 14, 3], 3),)), ClassRow(1, (([2, 14, 15, 3], 4),))]
        >>> class_scores(model, rows).shape
        (2, 2)
    """
    if not rows:
        raise InputError("There are no rows to predict; give at least one.")
    found: dict[int, Float[np.ndarray, "classes"]] = {}
    with reading(model):
        for numbers in length_batches(rows):
            scores = model(**_without_labels(rows, numbers, model).inputs).logits
            found.update(zip(numbers, scores.float().cpu().numpy(), strict=True))
    return np.stack([found[number] for number in range(len(rows))])


def predict_answers(model: TaskModel, rows: Sequence[SpanRow]) -> list[SpanPrediction]:
    """The prediction for every question whose windows stand in `rows`, in the questions' order.

    Either head of SQuAD; the rows are those of `encode_examples`, all windows of each question.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForQuestionAnswering
        >>> from albert_lib.finetuning.windows import example_windows
        >>> model = AlbertForQuestionAnswering(AlbertConfig(
        ...     vocab_size=8000, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> rows = [SpanRow(0, (each.sequence,), each) for each in example_windows()]
        >>> len(predict_answers(model, rows))
        1
    """
    if not rows:
        raise InputError("There are no windows to answer from; give at least one question.")
    beams: dict[int, SpanBeams] = {}
    starts: dict[int, Float[np.ndarray, "seq"]] = {}
    ends: dict[int, Float[np.ndarray, "seq"]] = {}
    with reading(model):
        for numbers in length_batches(rows):
            output = model(**_without_labels(rows, numbers, model).inputs)
            if isinstance(model, AlbertForConditionedSpans):
                beams.update(zip(numbers, beams_of_windows(output), strict=True))
                continue
            for place, logits in ((starts, output.start_logits), (ends, output.end_logits)):
                place.update(zip(numbers, logits.float().cpu().numpy(), strict=True))
    of_question: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        of_question.setdefault(row.example, []).append(number)
    predictions: list[SpanPrediction] = []
    for question in sorted(of_question):
        numbers = of_question[question]
        windows = [rows[number].window for number in numbers]
        if beams:
            predictions.append(predict_from_beams(windows, [beams[each] for each in numbers]))
        else:
            scores = [[place[each] for each in numbers] for place in (starts, ends)]
            predictions.append(predict_span(windows, *scores))
    return predictions
