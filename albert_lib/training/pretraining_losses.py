"""The losses of pretraining: MLM over masked tokens, and SOP over pairs of segments."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.model import sop_loss
from albert_lib.model.cross_entropy import mean_cross_entropy
from albert_lib.objectives import PairObjective, PretrainingBatch

PREDICTIONS_MULTIPLE = 32


def pretraining_loss(
    model: nn.Module, batch: PretrainingBatch, pair_objective: PairObjective = "sop"
) -> dict[str, Float[Tensor, ""]]:
    """Return "mlm_loss", "sop_loss" and their unweighted sum "loss", each in nats.

    As google-research/albert run_pretraining.py adds them. "sop_loss" is that of the batch's pair
    objective, whichever it is; with "none" there is none.
    """
    output = model(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        token_type_ids=batch.token_type_ids,
        masked_positions=pad_positions(batch.masked_positions),
    )
    mlm = mean_cross_entropy(output.prediction_logits, batch.masked_labels)
    if pair_objective == "none":
        return {"loss": mlm, "mlm_loss": mlm}
    sop = sop_loss(output.sop_logits, batch.sop_labels)
    return {"loss": mlm + sop, "mlm_loss": mlm, "sop_loss": sop}


def count_predictions(batch: PretrainingBatch) -> dict[str, int]:
    """Return how many predictions each of the losses is a mean over."""
    return {"mlm_loss": len(batch.masked_labels), "sop_loss": len(batch.sop_labels)}


def pad_positions(positions: Int[Tensor, " predictions"]) -> Int[Tensor, " padded"]:
    """On a CPU, pad with position 0 to a multiple of 32 positions.

    The matrix library prepares itself anew for every shape, and the number of predictions differs
    from batch to batch: for a small model that took a fifth of a step.

    Example:
        >>> import torch
        >>> len(pad_positions(torch.arange(40)))
        64
    """
    missing = -len(positions) % PREDICTIONS_MULTIPLE if positions.device.type == "cpu" else 0
    return F.pad(positions, (0, missing)) if missing else positions
