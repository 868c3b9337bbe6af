"""The two pretraining losses."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

NOT_PREDICTED = -100  # the label of a piece that the model was not asked about


def mlm_loss(
    logits: Float[Tensor, "*positions vocab"], labels: Int[Tensor, "*positions"]
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the predicted pieces alone.

    Positions labelled -100 were not masked: they enter neither the sum nor the count. Zero
    when nothing was masked.
    """
    total = F.cross_entropy(
        logits.flatten(0, -2).float(),
        labels.flatten().long(),
        ignore_index=NOT_PREDICTED,
        reduction="sum",
    )
    n_predicted = (labels != NOT_PREDICTED).sum()
    return total / n_predicted.clamp(min=1)


def sop_loss(logits: Float[Tensor, "batch 2"], labels: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats of "in order" (0) against "swapped" (1)."""
    return F.cross_entropy(logits.float(), labels.long())
