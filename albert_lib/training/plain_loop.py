"""The training loop without anything around it: one batch, one step, one number written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

AnyExamples = TypeVar("AnyExamples")


def training_steps(
    model: nn.Module,
    batches: Sequence[AnyExamples],
    loss_function: Callable[[nn.Module, AnyExamples], Float[Tensor, ""]],
    optimizer: torch.optim.Optimizer,
    *,
    learning_rates: Sequence[float],
    max_grad_norm: float = 1.0,
) -> list[float]:
    """Take one step on each batch, at the learning rate of its own; return each step's loss.

    The loss is that before the step, as a plain number: a tensor would keep the whole
    computation behind it in memory. All gradients together are one vector, and where its norm is
    larger than `max_grad_norm` it is shortened to that. The model and the optimizer are changed;
    calling this again goes on from there.

    `TrainingLoop` gives the same weights, and does what a long run needs besides.

    Example:
        >>> weight = nn.Linear(1, 1, bias=False)
        >>> nn.init.zeros_(weight.weight).numel()
        1
        >>> def squared_error(model, batch):
        ...     return (model(batch) - 1.0).square().mean()
        >>> batch, sgd = torch.ones(2, 1), torch.optim.SGD(weight.parameters(), lr=1.0)
        >>> rates = [0.0, 0.5, 0.5]
        >>> losses = training_steps(weight, [batch] * 3, squared_error, sgd, learning_rates=rates)
        >>> [round(loss, 5) for loss in losses]
        [1.0, 1.0, 0.25]
    """
    losses = []
    for batch, learning_rate in zip(batches, learning_rates, strict=True):
        optimizer.zero_grad()
        loss = loss_function(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        losses.append(loss.item())
    return losses
