"""From ids to training examples: segment pairs, masking, and batches (notebook 02)."""

from albert_lib.objectives.batch_masking import mask_batch
from albert_lib.objectives.batches import PretrainingBatch, PretrainingBatches
from albert_lib.objectives.masking import (
    MaskingConfig,
    choose_spans,
    find_words,
    masking_budget,
    replace_tokens,
    span_lengths,
)
from albert_lib.objectives.pair_objective import PairObjective, order_pair
from albert_lib.objectives.segments import PairPlan, SegmentPairs

__all__ = [
    "MaskingConfig",
    "PairObjective",
    "PairPlan",
    "PretrainingBatch",
    "PretrainingBatches",
    "SegmentPairs",
    "choose_spans",
    "find_words",
    "mask_batch",
    "masking_budget",
    "order_pair",
    "replace_tokens",
    "span_lengths",
]
