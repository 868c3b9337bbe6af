"""The losses of a batch that is cut into parts, over processes too: those of the whole batch.

A loss function returns means, such as "mlm_loss" over masked tokens and "sop_loss" over pairs,
and beside them the "loss" to minimise. The mean of the parts' means is not the whole batch's: a
token would weigh more in a part with few of them. So each part's mean is scaled by its share of
the terms. "loss" must then be put together from the scaled means as its author did from the
unscaled ones. Its derivative with respect to each of them tells how: for

    loss = mlm_loss + 0.1 · sop_loss

autograd finds the weights 1 and 0.1. Nothing else than such a weighted sum can be had from parts:
the square of a mean, say, is not made of the squares of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from albert_lib.errors import ConfigError
from albert_lib.training import distributed

Losses = Mapping[str, Tensor]
TOLERANCE = 1e-4  # relative; float32 losses that are added up in another order differ by 1e-6


def counts_of_whole(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Add up the counts of all parts on all processes.

    Example:
        >>> counts_of_whole([{"mlm_loss": 3}, {"mlm_loss": 5}])
        {'mlm_loss': 8}
    """
    names = list(counts[0])
    numbers = torch.tensor([sum(part[name] for part in counts) for name in names])
    distributed.all_reduce([numbers])
    return dict(zip(names, numbers.tolist(), strict=True))


def scale_to_whole(
    losses: Losses, own: Mapping[str, int], whole: Mapping[str, int]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Scale a part's losses so that those of all parts add up to the whole batch's.

    Args:
        losses: What the loss function returned for the part. A mean over no terms must be 0.
        own: How many terms each loss is a mean over in this part; one for "loss" too if it is
            itself a mean.
        whole: The same for the whole batch.

    Returns:
        The scaled losses, "loss" among them, and the weights of the others in "loss" (none where
        "loss" is itself a mean).

    Raises:
        ConfigError: when the terms of a loss are not counted, or "loss" is not a weighted sum of
            the others.

    Example:
        >>> mlm, sop = (torch.tensor(each, requires_grad=True) for each in (4.0, 1.0))
        >>> losses = {"loss": mlm + 0.5 * sop, "mlm_loss": mlm, "sop_loss": sop}
        >>> own, whole = {"mlm_loss": 1, "sop_loss": 2}, {"mlm_loss": 4, "sop_loss": 4}
        >>> scaled, weights = scale_to_whole(losses, own, whole)
        >>> {name: loss.item() for name, loss in scaled.items()}
        {'loss': 1.25, 'mlm_loss': 1.0, 'sop_loss': 0.5}
    """
    check_counted(losses, own)
    scaled = {
        name: loss * (own[name] / max(1, whole[name]))
        for name, loss in losses.items()
        if name in own
    }
    if "loss" in own:
        return scaled, {}
    weights = loss_weights(losses)
    total = torch.zeros_like(losses["loss"])
    for name, weight in weights.items():
        total = total + weight * scaled[name]
    return {"loss": total, **scaled}, weights


def check_counted(losses: Losses, own: Mapping[str, int]) -> None:
    """Raise ConfigError unless the terms of every loss, or of all but "loss", are counted."""
    for name in losses:
        if name not in own and (name != "loss" or len(losses) == 1):
            raise ConfigError(
                f"A batch is cut into parts, so the number of terms that {name} is a mean over "
                f"must be known; return it from loss_counts."
            )


def loss_weights(losses: Losses) -> dict[str, Tensor]:
    """Return the weight of each recorded loss in "loss", by differentiating it.

    Raises ConfigError when a weight itself depends on the model, as in a product of losses.
    """
    total = losses["loss"]
    terms = {name: loss for name, loss in losses.items() if name != "loss"}
    differentiable = [name for name, term in terms.items() if term.requires_grad]
    found = torch.autograd.grad(
        total, [terms[name] for name in differentiable], create_graph=True, allow_unused=True
    )
    weights = {name: torch.zeros_like(total) for name in terms}
    for name, weight in zip(differentiable, found, strict=True):
        if weight is not None:
            if weight.requires_grad:
                raise not_a_weighted_sum(losses)
            weights[name] = weight
    return weights


def check_weighted_sum(losses: Losses, weights: Mapping[str, Tensor]) -> None:
    """Raise ConfigError unless "loss" is the sum of the recorded losses by these weights.

    It is not where it holds a term that is not recorded, or where a recorded loss is detached.
    Reads numbers, for which an accelerator is waited for.
    """
    products = torch.stack([weight * losses[name].detach() for name, weight in weights.items()])
    difference = (losses["loss"].detach() - products.sum()).abs()
    if difference > TOLERANCE * products.abs().sum() + 1e-7:
        raise not_a_weighted_sum(losses)


def check_same_weights(weights: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> None:
    """Raise ConfigError unless two parts found the same weights, as the maximum may not.

    Reads numbers, for which an accelerator is waited for.
    """
    for name, weight in weights.items():
        if not torch.allclose(weight, others[name], rtol=TOLERANCE):
            raise not_a_weighted_sum({"loss": weight, **weights})


def not_a_weighted_sum(losses: Losses) -> ConfigError:
    """Return the error for a loss that cannot be had from parts of a batch."""
    names = ", ".join(name for name in losses if name != "loss")
    return ConfigError(
        f"A batch is cut into parts, but loss is not a weighted sum of the means recorded beside "
        f"it ({names}), so the whole batch's cannot be known; record each mean that it is made of "
        f"with its gradient, or train without accumulation in one process."
    )
