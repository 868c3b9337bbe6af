"""Exercises of chapter 7: batches, a passage's probabilities and spans, scores, no answer."""

from __future__ import annotations

from albert_lib.workbook.exercises.batch_exercise import BATCHES
from albert_lib.workbook.exercises.best_span_exercise import SPAN
from albert_lib.workbook.exercises.normalize_exercise import NORMALIZE
from albert_lib.workbook.exercises.softmax_exercise import SOFTMAX
from albert_lib.workbook.exercises.threshold_exercise import THRESHOLD
from albert_lib.workbook.exercises.word_f1_exercise import F1

EXERCISES = (BATCHES, SOFTMAX, SPAN, NORMALIZE, F1, THRESHOLD)
