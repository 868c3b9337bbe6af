"""The floor: what the perfect reader scores on the very examples that a model is asked."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from albert_lib.errors import InputError
from albert_lib.objectives import PretrainingBatch, PretrainingBatches
from albert_lib.town.ideal_reader import IdealReader, Reading


@dataclass(frozen=True)
class Score:
    """A mean over examples and its standard error; losses in nats."""

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.error:.3f}"


@dataclass(frozen=True)
class Floor:
    """No model does better in the long run; on these examples, only by luck.

    Compare with what `evaluate` finds on the same batches: luck in the draw of the examples is
    then common to both.
    """

    mlm_loss: Score
    mlm_accuracy: Score
    sop_loss: Score
    sop_accuracy: Score
    predictions: int
    pairs: int


def find_floor(reader: IdealReader, batches: PretrainingBatches, n_batches: int) -> Floor:
    """Read the first `n_batches` batches perfectly and score the answers.

    Where two answers are equally likely, each counts as half right. Raises InputError for no
    batches, and as `IdealReader.read` does.
    """
    if n_batches < 1:
        raise InputError(f"n_batches is {n_batches}; read at least 1.")
    columns = []
    for number in range(n_batches):
        batch = batches.batch(number)
        columns.append(score(reader.read(batch), batch))
    count, loss, right, order_loss, order_right = torch.cat(columns, dim=1).numpy()
    return Floor(
        mlm_loss=ratio(loss, count),
        mlm_accuracy=ratio(right, count),
        sop_loss=ratio(order_loss, np.ones_like(count)),
        sop_accuracy=ratio(order_right, np.ones_like(count)),
        predictions=int(count.sum()),
        pairs=len(count),
    )


def score(reading: Reading, batch: PretrainingBatch) -> Float64[Tensor, "5 batch"]:
    """Of every sequence: predictions, their summed loss and right ones; loss and right of order."""
    row = batch.masked_positions // batch.input_ids.shape[1]
    of_label = reading.pieces.gather(1, batch.masked_labels[:, None]).squeeze(1)
    right = share_of_best(reading.pieces, batch.masked_labels)
    order = torch.stack([reading.in_order, 1 - reading.in_order], dim=1)
    sums = torch.zeros((3, len(order)), dtype=torch.float64)
    sums.index_add_(1, row, torch.stack([torch.ones_like(of_label), -of_label.log(), right]))
    of_order = order.gather(1, batch.sop_labels[:, None]).squeeze(1)
    return torch.cat([sums, torch.stack([-of_order.log(), share_of_best(order, batch.sop_labels)])])


def share_of_best(
    probabilities: Float64[Tensor, "answers choices"], labels: Tensor
) -> Float64[Tensor, " answers"]:
    """1 where the label is the likeliest answer, 1/n where it is one of n such, else 0."""
    most = probabilities.max(dim=1, keepdim=True).values
    is_best = probabilities >= most * (1 - 1e-9)  # ties, but for rounding
    found = is_best.gather(1, labels[:, None]).squeeze(1)
    return found.double() / is_best.sum(dim=1)


def ratio(sums: Float64[np.ndarray, " pairs"], counts: Float64[np.ndarray, " pairs"]) -> Score:
    """Σ sums / Σ counts, with the error that the draw of the pairs gives it."""
    mean = float(sums.sum() / counts.sum())
    rest = sums - mean * counts
    n = len(counts)
    spread = float(np.sqrt((rest**2).sum() / max(1, n - 1)))
    return Score(mean, spread / (sqrt(n) * float(counts.mean())))
