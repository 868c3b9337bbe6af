"""Asking a trained model: fill-mask, and probes with intervals (notebook 06).

The ways of asking stand in one file each; so do the published sets, which are modules with
`read` and `score`: `albert_lib.probing.sets.blimp`, `crows_pairs`, `weat`.
"""

from __future__ import annotations

from albert_lib.probing.association import (
    AssociationTest,
    association,
    association_test,
    effect_size,
    effect_size_interval,
    sentence_embeddings,
    static_embeddings,
)
from albert_lib.probing.bias_score import bias_score, increased_log_probability
from albert_lib.probing.corrections import benjamini_hochberg, bonferroni, holm, simultaneous
from albert_lib.probing.crossed import crossed_interval
from albert_lib.probing.features import Features, TextFeatures
from albert_lib.probing.fill_mask import Fill, FillMask
from albert_lib.probing.intervals import (
    Interval,
    bootstrap_interval,
    mean_interval,
    mean_p_value,
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
from albert_lib.probing.top_k import ListedWord, compare_top_k, gap_bounds, top_k_presence
from albert_lib.probing.words import one_piece_words, word_id

__all__ = [
    "AssociationTest",
    "Features",
    "Fill",
    "FillMask",
    "Interval",
    "ListedWord",
    "Measure",
    "ProbeRow",
    "ProbeSet",
    "TextFeatures",
    "TokenScores",
    "association",
    "association_test",
    "benjamini_hochberg",
    "bias_score",
    "bonferroni",
    "bootstrap_interval",
    "compare_top_k",
    "contrast",
    "crossed_interval",
    "effect_size",
    "effect_size_interval",
    "gap_bounds",
    "holm",
    "increased_log_probability",
    "log_odds",
    "log_odds_gap",
    "log_probability_gap",
    "mean_interval",
    "mean_p_value",
    "one_piece_words",
    "percentage",
    "probe",
    "probe_log_odds",
    "probe_set",
    "proportion_interval",
    "pseudo_log_likelihood",
    "sentence_embeddings",
    "shared_positions",
    "simultaneous",
    "static_embeddings",
    "top_k_presence",
    "word_id",
    "word_positions",
    "write_person",
]
