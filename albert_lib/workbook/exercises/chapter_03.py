"""Exercises of chapter 3: the encoder."""

from __future__ import annotations

from albert_lib.workbook.exercises.attention_exercises import ATTENTION, HEADS
from albert_lib.workbook.exercises.embedding_exercises import EMBEDDING
from albert_lib.workbook.exercises.layer_exercises import DEPTH, FEED_FORWARD, LAYER

EXERCISES = (EMBEDDING, ATTENTION, HEADS, FEED_FORWARD, LAYER, DEPTH)
