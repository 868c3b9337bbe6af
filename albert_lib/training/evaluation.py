"""How well a pretrained model does on text it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import PretrainingBatches
from albert_lib.training import distributed
from albert_lib.training.precision import autocast

SEQUENCES_AT_ONCE = 64  # a batch to train on may be larger than memory holds in one piece


@dataclass(frozen=True)
class Evaluation:
    """Held-out means, each over all pieces predicted or all pairs judged; losses in nats."""

    mlm_loss: float
    mlm_accuracy: float
    sop_loss: float
    sop_accuracy: float
    predictions: int  # masked pieces that were predicted
    pairs: int  # sequences whose order was judged


@torch.no_grad()
def evaluate(
    model: AlbertForPreTraining,
    batches: PretrainingBatches,
    n_batches: int,
    *,
    dtype: torch.dtype = torch.float32,
) -> Evaluation:
    """Measure both objectives on the first `n_batches` batches, without dropout.

    Sums over all predictions before dividing: the mean of batch means would weigh a piece by
    how many others happen to share its batch. Several processes share the batches out, so all
    of them must call this; each returns the same.
    """
    device = next(model.parameters()).device
    masked = torch.zeros(2, dtype=torch.float64)  # summed loss, right answers
    order = torch.zeros(2, dtype=torch.float64)
    counts = torch.zeros(2, dtype=torch.float64)  # of predictions, of pairs
    was_training = model.training
    model.eval()
    for number, rows in to_look_at(n_batches, batches.batch_size):
        batch = batches.batch(number, rows).to(device)
        with autocast(device, dtype):
            output = model(
                batch.input_ids,
                attention_mask=batch.attention_mask,
                token_type_ids=batch.token_type_ids,
                masked_positions=batch.masked_positions,
            )
        masked += loss_and_right(output.prediction_logits, batch.masked_labels)
        order += loss_and_right(output.sop_logits, batch.sop_labels)
        counts += torch.tensor([len(batch.masked_labels), len(batch.sop_labels)])
    model.train(was_training)
    sums = torch.cat([masked, order, counts])
    distributed.all_reduce([sums])
    masked, order, counts = sums.split(2)
    mlm_loss, mlm_accuracy = (masked / counts[0].clamp(min=1)).tolist()
    sop_loss, sop_accuracy = (order / counts[1].clamp(min=1)).tolist()
    predictions, pairs = map(int, counts.tolist())
    return Evaluation(mlm_loss, mlm_accuracy, sop_loss, sop_accuracy, predictions, pairs)


def to_look_at(n_batches: int, batch_size: int) -> Iterator[tuple[int, slice]]:
    """Yield this process's batches by number, those of many sequences in parts."""
    for number in range(distributed.rank(), n_batches, distributed.world_size()):
        for first in range(0, batch_size, SEQUENCES_AT_ONCE):
            yield number, slice(first, min(first + SEQUENCES_AT_ONCE, batch_size))


def loss_and_right(
    logits: Float[Tensor, "answers choices"], labels: Int[Tensor, "answers"]
) -> Float[Tensor, "2"]:
    """Return the cross-entropy summed over all answers, and how many were right.

    On the CPU, whatever the device of the logits: not every device has float64 to add up in.
    """
    loss = F.cross_entropy(logits.float(), labels, reduction="sum")
    right = (logits.argmax(dim=-1) == labels).sum()
    return torch.stack([loss, right.to(loss.dtype)]).cpu().double()
