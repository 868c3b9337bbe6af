"""Fine-tuning: a task's files, spans and windows, recipes, runs, official scores (notebook 07)."""

from __future__ import annotations

from albert_lib.finetuning.accuracy import accuracy, race_accuracy
from albert_lib.finetuning.adamw import AdamWeightDecay, finetuning_optimizer
from albert_lib.finetuning.batch_order import BatchOrder, padding_share
from albert_lib.finetuning.beam_spans import (
    ConditionedPrediction,
    SpanBeams,
    beams_of_windows,
    predict_from_beams,
)
from albert_lib.finetuning.collapse import find_collapse
from albert_lib.finetuning.encoding import ClassRow, EncodedRow, SpanRow, encode_examples
from albert_lib.finetuning.finetune import FinetuningRun, TaskFunctions, finetune
from albert_lib.finetuning.glue import TextExample, TextExamples, read_mnli, read_sst2
from albert_lib.finetuning.loading import load_to_finetune
from albert_lib.finetuning.models import TASK_LABELS, TASKS, Task, model_class
from albert_lib.finetuning.null_threshold import NullThreshold, choose_null_threshold
from albert_lib.finetuning.race import ChoiceQuestion, question_with_option, read_race
from albert_lib.finetuning.recipes import (
    FinetuningRecipe,
    finetuning_recipe,
    read_finetuning_recipe,
)
from albert_lib.finetuning.seeds import ScoreRange, median_and_range
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
    "AdamWeightDecay",
    "Answer",
    "AnswerScore",
    "BatchOrder",
    "ChoiceQuestion",
    "ClassRow",
    "ConditionedPrediction",
    "EncodedRow",
    "FinetuningRecipe",
    "FinetuningRun",
    "MeanScores",
    "NullThreshold",
    "RankedAnswer",
    "ScoreRange",
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
    "TaskFunctions",
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
    "find_collapse",
    "finetune",
    "finetuning_optimizer",
    "finetuning_recipe",
    "load_to_finetune",
    "median_and_range",
    "model_class",
    "normalize_answer",
    "padding_share",
    "predict_from_beams",
    "predict_span",
    "question_with_option",
    "race_accuracy",
    "read_finetuning_recipe",
    "read_mnli",
    "read_race",
    "read_squad",
    "read_sst2",
    "score_answer",
    "score_squad",
    "span_windows",
    "task_loss",
]
