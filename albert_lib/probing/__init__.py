"""Asking a trained model: fill-mask, and template probes with intervals (notebook 06)."""

from __future__ import annotations

from albert_lib.probing.features import Features, TextFeatures
from albert_lib.probing.fill_mask import Fill, FillMask
from albert_lib.probing.intervals import (
    Interval,
    bootstrap_interval,
    mean_interval,
    proportion_interval,
)
from albert_lib.probing.log_odds import log_odds, log_odds_gap, log_probability_gap
from albert_lib.probing.measure import Measure, percentage
from albert_lib.probing.pseudo_likelihood import (
    TokenScores,
    pseudo_log_likelihood,
    shared_positions,
    word_positions,
)
from albert_lib.probing.template_probe import ProbeRow, contrast, probe, probe_log_odds
from albert_lib.probing.templates import ProbeSet, probe_set, write_person
from albert_lib.probing.words import one_piece_words, word_id

__all__ = [
    "Features",
    "Fill",
    "FillMask",
    "Interval",
    "Measure",
    "ProbeRow",
    "ProbeSet",
    "TextFeatures",
    "TokenScores",
    "bootstrap_interval",
    "contrast",
    "log_odds",
    "log_odds_gap",
    "log_probability_gap",
    "mean_interval",
    "one_piece_words",
    "percentage",
    "probe",
    "probe_log_odds",
    "probe_set",
    "proportion_interval",
    "pseudo_log_likelihood",
    "shared_positions",
    "word_id",
    "word_positions",
    "write_person",
]
