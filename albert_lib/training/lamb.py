"""LAMB: Adam whose step is scaled, variable by variable, to the norm of the variable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from albert_lib.errors import ConfigError


def lamb_update(
    parameter: Float[Tensor, "*shape"],
    gradient: Float[Tensor, "*shape"],
    exp_avg: Float[Tensor, "*shape"],
    exp_avg_sq: Float[Tensor, "*shape"],
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-6,
    weight_decay: float = 0.01,
    adapt: bool = True,
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Take one LAMB step on one variable; return the new parameter, exp_avg and exp_avg_sq.

    exp_avg and exp_avg_sq are the running means of the gradient and of its square, both zero
    before the first step. With `adapt` the step is multiplied by the trust ratio, the norm of the
    parameter over the norm of its update (1 where either is 0).

    You et al., arXiv 1904.00962, Algorithm 2, as google-research/albert lamb_optimizer.py has
    it: no bias correction, no limit on the ratio, weight decay inside the update.

    Example:
        >>> parameter, zero = torch.tensor([3.0, 4.0]), torch.zeros(2)
        >>> new, _, _ = lamb_update(parameter, torch.ones(2), zero, zero, lr=0.1)
        >>> round((new - parameter).norm().item(), 4)  # lr times the norm of the parameter
        0.5
    """
    beta1, beta2 = betas
    exp_avg = beta1 * exp_avg + (1 - beta1) * gradient
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * gradient.square()
    update = exp_avg / (exp_avg_sq.sqrt() + eps) + weight_decay * parameter

    if adapt:
        parameter_norm = torch.linalg.vector_norm(parameter)
        update_norm = torch.linalg.vector_norm(update)
        both_positive = (parameter_norm > 0) & (update_norm > 0)
        trust_ratio = torch.where(both_positive, parameter_norm / update_norm, 1.0)
        update = trust_ratio * update

    return parameter - lr * update, exp_avg, exp_avg_sq


class Lamb(torch.optim.Optimizer):
    """`lamb_update` on every variable; a group with adapt=False takes plain Adam steps.

    Give it `parameter_groups(model, weight_decay)`, which excludes biases and LayerNorms from
    decay and adaptation as in the paper. A layer shared by all depths is one set of variables, so
    each has one trust ratio whatever the depth.

    Raises ConfigError for a learning rate, beta, eps or decay that cannot work.

    Example:
        >>> weight = nn.Parameter(torch.tensor([3.0, 4.0]))
        >>> optimizer = Lamb([weight], lr=0.1)
        >>> weight.grad = torch.ones(2)
        >>> optimizer.step()
        >>> round((weight.detach() - torch.tensor([3.0, 4.0])).norm().item(), 4)
        0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        adapt: bool = True,
    ) -> None:
        if lr < 0 or eps <= 0 or weight_decay < 0 or not all(0 <= beta < 1 for beta in betas):
            raise ConfigError(
                f"Lamb cannot work with lr={lr}, betas={betas}, eps={eps}, "
                f"weight_decay={weight_decay}; take lr and weight_decay of 0 or more, "
                f"eps above 0 and betas from 0 up to, not including, 1."
            )
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "adapt": adapt
        }  # fmt: skip
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every variable that has a gradient; return what `closure`, if given, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            settings = {key: value for key, value in group.items() if key in self.defaults}
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["exp_avg"] = torch.zeros_like(parameter)
                    state["exp_avg_sq"] = torch.zeros_like(parameter)
                lamb_update_in_place(
                    parameter, parameter.grad, state["exp_avg"], state["exp_avg_sq"], **settings
                )
        return loss


def lamb_update_in_place(
    parameter: Float[Tensor, "*shape"],
    gradient: Float[Tensor, "*shape"],
    exp_avg: Float[Tensor, "*shape"],
    exp_avg_sq: Float[Tensor, "*shape"],
    *,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    adapt: bool,
) -> None:
    """`lamb_update` in place: the same sums with one new tensor instead of nine.

    An update takes as long as its memory traffic; the arithmetic costs nothing beside it.
    """
    beta1, beta2 = betas
    exp_avg.mul_(beta1).add_(gradient, alpha=1 - beta1)
    exp_avg_sq.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    update = exp_avg_sq.sqrt().add_(eps)
    torch.div(exp_avg, update, out=update)
    if weight_decay:
        update.add_(parameter, alpha=weight_decay)
    if not adapt:
        parameter.sub_(update, alpha=lr)
        return
    parameter_norm = torch.linalg.vector_norm(parameter)
    update_norm = torch.linalg.vector_norm(update)
    both_positive = (parameter_norm > 0) & (update_norm > 0)
    trust_ratio = torch.where(both_positive, parameter_norm / update_norm, 1.0)
    parameter.sub_(update.mul_(lr * trust_ratio))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's parameters into those that decay and adapt, and those that do neither.

    The latter are biases and LayerNorms, as in google-research/albert optimization.py (there by
    name: "LayerNorm", "layer_norm", "bias"). torch's optimizers take the groups too and ignore
    `adapt`.

    Example:
        >>> groups = parameter_groups(nn.Linear(3, 2), weight_decay=0.01)
        >>> [(group["weight_decay"], len(group["params"])) for group in groups]
        [(0.01, 1), (0.0, 1)]
    """
    adapted: list[nn.Parameter] = []
    excluded: list[nn.Parameter] = []
    seen: set[nn.Parameter] = set()  # tied weights belong to several modules
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter in seen or not parameter.requires_grad:
                continue
            seen.add(parameter)
            is_excluded = isinstance(module, nn.LayerNorm) or "bias" in name
            (excluded if is_excluded else adapted).append(parameter)
    groups = [
        {"params": adapted, "weight_decay": weight_decay, "adapt": True},
        {"params": excluded, "weight_decay": 0.0, "adapt": False},
    ]
    return [group for group in groups if group["params"]]
