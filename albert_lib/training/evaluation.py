"""How well a pretrained model does on text it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from albert_lib.model import AlbertForPreTraining
from albert_lib.model.outputs import PreTrainingOutput
from albert_lib.objectives import PretrainingBatch, PretrainingBatches
from albert_lib.training import distributed
from albert_lib.training.precision import autocast

SEQUENCES_AT_ONCE = 64  # a training batch may be too large for memory without accumulation


@dataclass(frozen=True)
class Evaluation:
    """Means over all masked tokens or all pairs of a held-out text; losses in nats."""

    mlm_loss: float
    mlm_accuracy: float
    sop_loss: float
    sop_accuracy: float
    predictions: int  # masked tokens
    pairs: int  # sequences, of two segments each


@torch.no_grad()
def evaluate(
    model: AlbertForPreTraining,
    batches: PretrainingBatches,
    n_batches: int,
    *,
    dtype: torch.dtype = torch.float32,
) -> Evaluation:
    """Measure both objectives on the first `n_batches` batches, without dropout.

    Sums over all predictions before dividing: in a mean of batch means a token would weigh more
    in a batch with few of them. Several processes divide the batches among them, so all of them
    must call this; each returns the same.
    """
    device = next(model.parameters()).device
    masked = torch.zeros(2, dtype=torch.float64)  # summed loss, correct predictions
    order = torch.zeros(2, dtype=torch.float64)  # the same of pairs
    counts = torch.zeros(2, dtype=torch.float64)  # of predictions, of pairs
    was_training = model.training
    model.eval()
    for number, rows in own_batches(n_batches, batches.batch_size):
        batch = batches.batch(number, rows).to(device)
        output = predictions_of(model, batch, dtype)
        masked += loss_and_correct(output.prediction_logits, batch.masked_labels)
        order += loss_and_correct(output.sop_logits, batch.sop_labels)
        counts += torch.tensor([len(batch.masked_labels), len(batch.sop_labels)])
    model.train(was_training)
    sums = torch.cat([masked, order, counts])
    distributed.all_reduce([sums])
    masked, order, counts = sums.split(2)
    mlm_loss, mlm_accuracy = (masked / counts[0].clamp(min=1)).tolist()
    sop_loss, sop_accuracy = (order / counts[1].clamp(min=1)).tolist()
    predictions, pairs = map(int, counts.tolist())
    return Evaluation(mlm_loss, mlm_accuracy, sop_loss, sop_accuracy, predictions, pairs)


def predictions_of(
    model: AlbertForPreTraining, batch: PretrainingBatch, dtype: torch.dtype
) -> PreTrainingOutput:
    """Return both heads' logits for a batch that is on the model's device."""
    with autocast(batch.input_ids.device, dtype):
        return model(
            batch.input_ids,
            attention_mask=batch.attention_mask,
            token_type_ids=batch.token_type_ids,
            masked_positions=batch.masked_positions,
        )


def held_out_columns(
    model: AlbertForPreTraining, batches: PretrainingBatches, n_batches: int, dtype: torch.dtype
) -> dict[str, float]:
    """Return an evaluation's losses and accuracies as columns of the history: "held_out_…"."""
    found = evaluate(model, batches, n_batches, dtype=dtype)
    names = ("mlm_loss", "mlm_accuracy", "sop_loss", "sop_accuracy")
    return {f"held_out_{name}": getattr(found, name) for name in names}


def own_batches(n_batches: int, batch_size: int) -> Iterator[tuple[int, slice]]:
    """Yield the number of each batch of this process, and the rows to run at once."""
    for number in range(distributed.rank(), n_batches, distributed.world_size()):
        for first in range(0, batch_size, SEQUENCES_AT_ONCE):
            yield number, slice(first, min(first + SEQUENCES_AT_ONCE, batch_size))


def loss_and_correct(
    logits: Float[Tensor, "predictions classes"], labels: Int[Tensor, "predictions"]
) -> Float[Tensor, "2"]:
    """Return the cross-entropy summed over all predictions, in nats, and how many are correct.

    In float64 on the CPU, because not every device has float64.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
        >>> [round(each, 3) for each in loss_and_correct(logits, torch.tensor([0, 1])).tolist()]
        [1.386, 1.0]
    """
    loss = F.cross_entropy(logits.float(), labels, reduction="sum")
    correct = (logits.argmax(dim=-1) == labels).sum()
    return torch.stack([loss, correct.to(loss.dtype)]).cpu().double()
