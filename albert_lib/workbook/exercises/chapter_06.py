"""Exercises of chapter 6: probing."""

from __future__ import annotations

from albert_lib.workbook.exercises.bootstrap_exercise import BOOTSTRAP
from albert_lib.workbook.exercises.dial_exercise import DIAL
from albert_lib.workbook.exercises.gap_exercise import GAP
from albert_lib.workbook.exercises.holm_exercise import HOLM
from albert_lib.workbook.exercises.log_odds_exercise import ODDS
from albert_lib.workbook.exercises.slope_exercise import SLOPE

EXERCISES = (GAP, ODDS, DIAL, SLOPE, BOOTSTRAP, HOLM)
