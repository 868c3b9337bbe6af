"""Asking a trained model: fill-mask, features, and bias probes with intervals (notebook 06).

The ways of asking have one file each. The published probe sets are modules with `read` and
`score` in `albert_lib.probing.sets`: `blimp`, `crows_pairs`, `stereoset` and so on.
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
from albert_lib.probing.features import Features, TextFeatures
from albert_lib.probing.fill_mask import Fill, FillMask
from albert_lib.probing.intervals import (
    Interval,
    bootstrap_ends,
    bootstrap_interval,
    mean_interval,
    mean_p_value,
    percentile_bootstrap,
    proportion_interval,
    two_way_interval,
)
from albert_lib.probing.pseudo_likelihood import (
    TokenScores,
    pseudo_log_likelihood,
    shared_positions,
    word_positions,
)
from albert_lib.probing.template_probe import (
    ProbeRow,
    contrast,
    log_odds,
    log_odds_gap,
    log_probability_gap,
    probe,
    probe_log_odds,
)
from albert_lib.probing.templates import (
    TemplateSet,
    single_token_words,
    template_set,
    word_id,
    write_person,
)
from albert_lib.probing.top_k import ListedWord, compare_top_k, gap_bounds, top_k_presence

__all__ = [
    "AssociationTest",
    "Features",
    "Fill",
    "FillMask",
    "Interval",
    "ListedWord",
    "ProbeRow",
    "TemplateSet",
    "TextFeatures",
    "TokenScores",
    "association",
    "association_test",
    "benjamini_hochberg",
    "bias_score",
    "bonferroni",
    "bootstrap_ends",
    "bootstrap_interval",
    "compare_top_k",
    "contrast",
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
    "percentile_bootstrap",
    "probe",
    "probe_log_odds",
    "proportion_interval",
    "pseudo_log_likelihood",
    "sentence_embeddings",
    "shared_positions",
    "simultaneous",
    "single_token_words",
    "static_embeddings",
    "template_set",
    "top_k_presence",
    "two_way_interval",
    "word_id",
    "word_positions",
    "write_person",
]
