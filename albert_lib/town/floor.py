"""The floor: the Bayes-optimal loss, what the ideal reader scores on the same examples as a model.

Nobody who knows only what is visible can have a lower expected loss than the reader who knows the
exact posterior; the workbook calls its loss and accuracy the floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from albert_lib.errors import InputError
from albert_lib.objectives import PretrainingBatch, PretrainingBatches
from albert_lib.town.ideal_reader import IdealReader, Posterior


@dataclass(frozen=True)
class Estimate:
    """A mean over examples and its standard error; losses in nats.

    Example:
        >>> from albert_lib.town import Estimate
        >>> str(Estimate(mean=0.25, error=0.0123))
        '0.250 ± 0.012'
    """

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.error:.3f}"


@dataclass(frozen=True)
class Floor:
    """The Bayes-optimal scores. A model does better only by luck, on these examples.

    Compare with what `evaluate` finds on the same batches: luck in the draw of the examples is
    then common to both.

    Example:
        >>> from albert_lib.town import Estimate, Floor
        >>> floor = Floor(Estimate(0.3, 0.01), Estimate(0.9, 0.01), Estimate(0.1, 0.01),
        ...               Estimate(0.96, 0.01), predictions=900, pairs=100)
        >>> print(floor.mlm_loss)
        0.300 ± 0.010
    """

    mlm_loss: Estimate
    mlm_accuracy: Estimate
    sop_loss: Estimate
    sop_accuracy: Estimate
    predictions: int
    pairs: int


def find_floor(reader: IdealReader, batches: PretrainingBatches, n_batches: int) -> Floor:
    """Score the ideal reader's answers to the first `n_batches` batches.

    Where two answers are equally likely, each counts as half right. Raises InputError for no
    batches, and as `IdealReader.read` does.

    Example:
        >>> import tempfile
        >>> from albert_lib.corpus import TokenStore
        >>> from albert_lib.objectives import MaskingConfig, PretrainingBatches
        >>> from albert_lib.town import IdealReader, Town, find_floor
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> town, masking = Town(1.0, world=load_hamlet()), MaskingConfig(max_ngram=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", town.documents(8), town.tokenizer)
        ...     batches = PretrainingBatches(
        ...         store, town.tokenizer, batch_size=2, masking=masking,
        ...         sequence_length=town.world.sequence_length, short_sequence_probability=0.0,
        ...     )
        ...     floor = find_floor(IdealReader(town, masking), batches, n_batches=1)
        >>> floor.pairs, floor.mlm_loss.mean > 0, 0 <= floor.sop_accuracy.mean <= 1
        (2, True, True)
    """
    if n_batches < 1:
        raise InputError(f"n_batches is {n_batches}; read at least 1.")
    columns = []
    for number in range(n_batches):
        batch = batches.batch(number)
        columns.append(score_sequences(reader.read(batch), batch))
    count, loss, right, order_loss, order_right = torch.cat(columns, dim=1).numpy()
    return Floor(
        mlm_loss=ratio_estimate(loss, count),
        mlm_accuracy=ratio_estimate(right, count),
        sop_loss=ratio_estimate(order_loss, np.ones_like(count)),
        sop_accuracy=ratio_estimate(order_right, np.ones_like(count)),
        predictions=int(count.sum()),
        pairs=len(count),
    )


def score_sequences(posterior: Posterior, batch: PretrainingBatch) -> Float64[Tensor, "5 batch"]:
    """For each sequence: predictions, their summed loss and accuracy; SOP loss and accuracy."""
    row = batch.masked_positions // batch.input_ids.shape[1]
    of_label = posterior.tokens.gather(1, batch.masked_labels[:, None]).squeeze(1)
    right = expected_accuracy(posterior.tokens, batch.masked_labels)
    order = torch.stack([posterior.in_order, 1 - posterior.in_order], dim=1)
    sums = torch.zeros((3, len(order)), dtype=torch.float64)
    sums.index_add_(1, row, torch.stack([torch.ones_like(of_label), -of_label.log(), right]))
    of_order = order.gather(1, batch.sop_labels[:, None]).squeeze(1)
    right_order = expected_accuracy(order, batch.sop_labels)
    return torch.cat([sums, torch.stack([-of_order.log(), right_order])])


def expected_accuracy(
    probabilities: Float64[Tensor, "answers choices"], labels: Tensor
) -> Float64[Tensor, " answers"]:
    """1 where the label is the likeliest answer, 1/n where it is one of n such, else 0.

    Example:
        >>> import torch
        >>> from albert_lib.town.floor import expected_accuracy
        >>> answers = torch.tensor([[0.5, 0.5, 0.0], [0.7, 0.2, 0.1]], dtype=torch.float64)
        >>> expected_accuracy(answers, torch.tensor([1, 1])).tolist()
        [0.5, 0.0]
    """
    most = probabilities.max(dim=1, keepdim=True).values
    is_best = probabilities >= most * (1 - 1e-9)  # ties, but for rounding
    found = is_best.gather(1, labels[:, None]).squeeze(1)
    return found.double() / is_best.sum(dim=1)


def ratio_estimate(
    sums: Float64[np.ndarray, " pairs"], counts: Float64[np.ndarray, " pairs"]
) -> Estimate:
    """Σ sums / Σ counts with its standard error over pairs, by linearisation (Cochran, 1977, 6.4).

    Example:
        >>> import numpy as np
        >>> from albert_lib.town.floor import ratio_estimate
        >>> print(ratio_estimate(np.array([1.0, 2.0, 3.0]), np.ones(3)))  # 1 / √3
        2.000 ± 0.577
    """
    mean = float(sums.sum() / counts.sum())
    rest = sums - mean * counts
    n = len(counts)
    spread = float(np.sqrt((rest**2).sum() / max(1, n - 1)))
    return Estimate(mean, spread / (sqrt(n) * float(counts.mean())))
