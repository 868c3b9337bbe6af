"""Cross-entropy over a large vocabulary, with its gradient made in the same pass.

PyTorch's own writes the log-probabilities of every row in float32, keeps them for the backward
pass, and there fills and rewrites two more tensors of that size. At 600 predictions over 30,000
pieces those are 74 MB each, and moving them took a fifth of a training step. Here a few rows at a
time stay in the processor's cache, and only their gradient, in the scores' own precision, is kept.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS_AT_ONCE = 16  # of 30,000 float32 scores each: 2 MB


class _MeanCrossEntropy(torch.autograd.Function):
    """The mean over labelled rows; its gradient is (softmax - one-hot) / rows, 0 beyond them."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        """Work through the rows, leaving the gradient behind."""
        n_rows = len(labels)
        total = logits.new_zeros((), dtype=torch.float32)
        gradient = torch.empty_like(logits)
        gradient[n_rows:] = 0
        for start in range(0, n_rows, ROWS_AT_ONCE):
            chosen = slice(start, min(start + ROWS_AT_ONCE, n_rows))
            scores, right = logits[chosen].float(), labels[chosen, None]
            scores = scores - scores.amax(dim=1, keepdim=True)
            total -= scores.gather(1, right).sum()
            odds = scores.exp_()
            sums = odds.sum(dim=1, keepdim=True)
            total += sums.log().sum()
            shares = odds.div_(sums * n_rows)
            shares.scatter_add_(1, right, shares.new_full(right.shape, -1 / n_rows))
            gradient[chosen] = shares
        ctx.save_for_backward(gradient)
        return total / n_rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        """Scale what the forward pass left behind."""
        (gradient,) = ctx.saved_tensors
        slope = slopes[0].item()  # 1 where the loss is a plain sum: then there is nothing to copy
        return gradient if slope == 1 else gradient * slope, None


def mean_cross_entropy(
    logits: Float[Tensor, "rows_and_more choices"], labels: Int[Tensor, "rows"]
) -> Float[Tensor, ""]:
    """Mean of -log softmax(logits)[label] over rows, in float32; 0 where there are no rows.

    Rows of logits beyond the last label count for nothing.
    """
    if len(labels) == 0:
        return logits[:0].float().sum()  # zero, and still part of the graph
    if logits.device.type != "cpu":  # many small steps suit a cache, not an accelerator
        return F.cross_entropy(logits[: len(labels)].float(), labels)
    loss: Tensor = _MeanCrossEntropy.apply(logits, labels)
    return loss
