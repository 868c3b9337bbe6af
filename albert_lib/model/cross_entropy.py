"""A cross-entropy that is faster in training: a few rows at a time, its gradient at once."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

SCORES_AT_ONCE = 480_000  # in float32 2 MB, which stay in the cache: 16 rows of 30,000


class _MeanCrossEntropy(torch.autograd.Function):
    """The mean over labelled rows; its gradient is (softmax - one-hot) / rows, 0 beyond them."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        """Go through the rows and store the gradient beside the sum."""
        n_rows = len(labels)
        total = logits.new_zeros((), dtype=torch.float32)
        gradient = torch.empty_like(logits)
        gradient[n_rows:] = 0
        rows_at_once = max(1, SCORES_AT_ONCE // logits.shape[1])
        for start in range(0, n_rows, rows_at_once):
            chosen = slice(start, min(start + rows_at_once, n_rows))
            scores, right = logits[chosen].float(), labels[chosen, None]
            scores = scores - scores.amax(dim=1, keepdim=True)
            total -= scores.gather(1, right).sum()
            exponentials = scores.exp_()
            sums = exponentials.sum(dim=1, keepdim=True)
            total += sums.log().sum()
            probabilities = exponentials.div_(sums * n_rows)
            probabilities.scatter_add_(1, right, probabilities.new_full(right.shape, -1 / n_rows))
            gradient[chosen] = probabilities
        ctx.save_for_backward(gradient)
        return total / n_rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        """Scale the stored gradient."""
        (gradient,) = ctx.saved_tensors
        slope = slopes[0].item()  # 1 where the loss is a plain sum: then there is nothing to copy
        return gradient if slope == 1 else gradient * slope, None


def mean_cross_entropy(
    logits: Float[Tensor, "rows_and_more choices"], labels: Int[Tensor, "rows"]
) -> Float[Tensor, ""]:
    """Mean of -log softmax(logits)[label] over rows, in float32; 0 where there are no rows.

    Rows of logits beyond the last label are ignored.

    PyTorch's own writes the log-probabilities of every row in float32, keeps them for the backward
    pass, and there fills and rewrites two more tensors of that size. At 600 predictions over
    30,000 pieces those are 74 MB each, and moving them took a fifth of a training step. Here a few
    rows at a time stay in the processor's cache, and only their gradient, in the precision of the
    logits, is stored.

    Example:
        >>> import torch
        >>> from albert_lib.model.cross_entropy import mean_cross_entropy
        >>> mean_cross_entropy(torch.zeros(3, 10), torch.tensor([1, 7]))  # ln 10
        tensor(2.3026)
    """
    if len(labels) == 0:
        return logits[:0].float().sum()  # zero, and still part of the graph
    if logits.device.type != "cpu":  # many small steps suit a cache, not an accelerator
        return F.cross_entropy(logits[: len(labels)].float(), labels)
    loss: Tensor = _MeanCrossEntropy.apply(logits, labels)
    return loss
