"""Fine-tuning: a task's files, spans and windows of a text, official scores (notebook 07)."""

from __future__ import annotations

from albert_lib.finetuning.accuracy import accuracy, race_accuracy
from albert_lib.finetuning.beam_spans import (
    ConditionedPrediction,
    SpanBeams,
    beams_of_windows,
    predict_from_beams,
)
from albert_lib.finetuning.encoding import ClassRow, Row, SpanRow, encode_examples
from albert_lib.finetuning.glue import TextExample, TextExamples, read_mnli, read_sst2
from albert_lib.finetuning.models import TASK_LABELS, TASKS, Task, model_class
from albert_lib.finetuning.null_threshold import NullThreshold, choose_null_threshold
from albert_lib.finetuning.race import ChoiceQuestion, question_with_option, read_race
from albert_lib.finetuning.spans import RankedAnswer, SpanPrediction, predict_span
from albert_lib.finetuning.squad import Answer, SquadFile, SquadQuestion, read_squad
from albert_lib.finetuning.squad_scoring import (
    AnswerScore,
    MeanScores,
    SquadScores,
    normalize_answer,
    score_answer,
    score_squad,
)
from albert_lib.finetuning.task_batches import TaskBatch, collate, count_rows, task_loss
from albert_lib.finetuning.windows import (
    SpanWindow,
    WindowSizes,
    balance_windows,
    count_answers,
    span_windows,
)

__all__ = [
    "Answer",
    "AnswerScore",
    "ChoiceQuestion",
    "ClassRow",
    "ConditionedPrediction",
    "MeanScores",
    "NullThreshold",
    "RankedAnswer",
    "Row",
    "SpanBeams",
    "SpanPrediction",
    "SpanRow",
    "SpanWindow",
    "SquadFile",
    "SquadQuestion",
    "SquadScores",
    "TASKS",
    "TASK_LABELS",
    "Task",
    "TaskBatch",
    "TextExample",
    "TextExamples",
    "WindowSizes",
    "accuracy",
    "balance_windows",
    "beams_of_windows",
    "choose_null_threshold",
    "collate",
    "count_answers",
    "count_rows",
    "encode_examples",
    "model_class",
    "normalize_answer",
    "predict_from_beams",
    "predict_span",
    "question_with_option",
    "race_accuracy",
    "read_mnli",
    "read_race",
    "read_squad",
    "read_sst2",
    "score_answer",
    "score_squad",
    "span_windows",
    "task_loss",
]
