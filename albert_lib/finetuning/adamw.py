"""AdamW as Google fine-tunes with it: no bias correction, eps 1e-6, decay in the update."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from albert_lib.training.lamb import Lamb, parameter_groups

# A step at which nothing is left of Adam's bias correction: 1 - beta ** LATE is 1.
LATE = 1e12
HAS_KERNEL = ("cpu", "cuda")  # devices for which PyTorch has AdamW as one fused kernel


class AdamWeightDecay(Lamb):
    """LAMB whose trust ratio is 1 throughout: Google's AdamWeightDecayOptimizer.

    With m and v, the running means of the gradient and of its square, both zero at first:

        parameter -= lr * (m / (sqrt(v) + eps) + weight_decay * parameter)

    google-research/albert optimization.py. torch's AdamW divides m and v by 1 - beta ** step
    before that, which makes its first steps shorter: without it the very first has
    0.1 / sqrt(0.001) = 3.2 times the learning rate where torch's has once. Warm-up is there for
    that. Raises ConfigError for a learning rate, beta, eps or decay that cannot work.

    Example:
        >>> import torch
        >>> weight = nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = AdamWeightDecay([weight], lr=0.1, weight_decay=0.0)
        >>> weight.grad = torch.tensor([5.0])
        >>> optimizer.step()
        >>> round(1 - weight.item(), 3)
        0.316
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, adapt=False)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every variable that has a gradient; return what `closure`, if given, returned.

        PyTorch's fused AdamW does it, told that bias correction is long over.
        """
        if any(each.device.type not in HAS_KERNEL for each in self.param_groups[0]["params"]):
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._fused_step(group, [each for each in group["params"] if each.grad is not None])
        return loss

    def _fused_step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        for each in parameters:
            if not self.state[each]:
                self.state[each]["exp_avg"] = torch.zeros_like(each)
                self.state[each]["exp_avg_sq"] = torch.zeros_like(each)
        beta1, beta2 = group["betas"]
        adamw(
            parameters,
            [each.grad for each in parameters if each.grad is not None],
            [self.state[each]["exp_avg"] for each in parameters],
            [self.state[each]["exp_avg_sq"] for each in parameters],
            [],
            [torch.tensor(LATE, device=each.device) for each in parameters],
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )


def finetuning_optimizer(
    model: nn.Module, *, lr: float, eps: float = 1e-6, weight_decay: float = 0.01
) -> AdamWeightDecay:
    """Return AdamW of a model's parameters, without decay of biases and LayerNorms.

    The same rate for the body and the head: neither the paper nor Google's code has one a layer,
    and there is one layer only.

    Example:
        >>> optimizer = finetuning_optimizer(nn.Linear(3, 2), lr=1e-5)
        >>> [(len(g["params"]), g["weight_decay"], g["adapt"]) for g in optimizer.param_groups]
        [(1, 0.01, False), (1, 0.0, False)]
    """
    groups = [{**group, "adapt": False} for group in parameter_groups(model, weight_decay)]
    return AdamWeightDecay(groups, lr=lr, eps=eps, weight_decay=weight_decay)
