"""Muon: a matrix of the layers is moved as far in every direction, not as far in every number.

The gradient of a matrix is mostly made of a few directions, and so is Adam's step. Muon takes
the step apart into its directions, gives all of them the same length, and puts it together again.
ALBERT has few such matrices, the same at every depth, so this costs little: what is learnt from a
batch goes up by far more (benchmarks/README.md).

Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; the length of a step as in
Liu et al. (2025), arXiv 2502.16982, section 2.2, so that a rate found for AdamW serves here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.adamw import adamw

from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.training.lamb import parameter_groups

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's: fast near 0 rather than exact near 1
ITERATIONS = 5
STEP_SIZE = 0.2  # root mean square of an AdamW step over its rate, about


def orthogonalized(
    matrices: Float[Tensor, "*batch rows columns"],
) -> Float[Tensor, "*batch rows columns"]:
    """Give every direction of each matrix about the same length: U S V' becomes about U V'.

    An odd polynomial, applied again and again, brings the singular values, whatever they are,
    to between 0.7 and 1.2; those under two thousandths of the matrix's length may stay below.
    """
    rows, columns = matrices.shape[-2:]
    x = matrices.mT if rows > columns else matrices  # products of the short side are cheaper
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if rows > columns else x


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for groups with orthogonalize=True, whose tensors are matrices; AdamW for the others.

    Give it `muon_groups(model, weight_decay)`. Muon keeps one running mean a number (momentum,
    looked ahead as Nesterov does), AdamW two. Raises ConfigError when a setting cannot work.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        orthogonalize: bool = False,
    ) -> None:
        shares = (momentum, *betas)
        if lr < 0 or eps <= 0 or weight_decay < 0 or not all(0 <= each < 1 for each in shares):
            raise ConfigError(
                f"Muon cannot work with lr={lr}, momentum={momentum}, betas={betas}, eps={eps}, "
                f"weight_decay={weight_decay}; take lr and weight_decay of 0 or more, eps above "
                f"0, momentum and betas from 0 up to, not including, 1."
            )
        defaults = {
            "lr": lr, "momentum": momentum, "betas": betas, "eps": eps,
            "weight_decay": weight_decay, "orthogonalize": orthogonalize,
            "fused": True,  # when loaded, AdamW's count of steps then goes where its tensors are
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            if group["orthogonalize"] and any(p.ndim != 2 for p in group["params"]):
                raise ConfigError("Muon moves matrices alone; leave other tensors to AdamW.")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every tensor that has a gradient; return what `closure`, if given, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["orthogonalize"]:
                self._move_matrices(moved, group)
            elif moved:
                self._move_by_adamw(moved, group)
        return loss

    def _move_matrices(self, matrices: list[Tensor], group: dict[str, Any]) -> None:
        """One step of Muon; matrices of one shape are made orthogonal together."""
        of_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for matrix in matrices:
            of_shape[matrix.shape].append(matrix)
        for shape, alike in of_shape.items():
            updates = orthogonalized(torch.stack([self._looked_ahead(m, group) for m in alike]))
            length = group["lr"] * STEP_SIZE * max(shape) ** 0.5
            for matrix, update in zip(alike, updates, strict=True):
                matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=length)

    def _looked_ahead(self, matrix: Tensor, group: dict[str, Any]) -> Tensor:
        """Take the gradient into the running mean; return the mean as of the next step."""
        gradient, momentum = matrix.grad, group["momentum"]
        assert gradient is not None
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        mean: Tensor = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(mean, momentum)

    def _move_by_adamw(self, tensors: list[Tensor], group: dict[str, Any]) -> None:
        """One step of PyTorch's own AdamW."""
        for tensor in tensors:
            state = self.state[tensor]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=tensor.device)
                state["exp_avg"] = torch.zeros_like(tensor)
                state["exp_avg_sq"] = torch.zeros_like(tensor)
        states = [self.state[tensor] for tensor in tensors]
        beta1, beta2 = group["betas"]
        adamw(
            params=tensors,
            grads=[tensor.grad for tensor in tensors if tensor.grad is not None],
            exp_avgs=[state["exp_avg"] for state in states],
            exp_avg_sqs=[state["exp_avg_sq"] for state in states],
            max_exp_avg_sqs=[],
            state_steps=[state["step"] for state in states],
            fused=group["fused"],
            amsgrad=False,
            maximize=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
        )


def muon_groups(model: AlbertForPreTraining, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's parameters into the matrices inside it, for Muon, and all else.

    Embeddings are rows that are looked up one at a time, and the last matrix of the SOP head has
    but two: both stay with AdamW, as Muon's authors advise. Biases and layer normalisations do
    not decay.
    """
    inside = [*model.albert.modules(), model.mlm_head.dense]
    inner = {module.weight for module in inside if isinstance(module, nn.Linear)}
    groups = []
    for group in parameter_groups(model, weight_decay):
        matrices = [p for p in group["params"] if p in inner]
        others = [p for p in group["params"] if p not in inner]
        decay = {"weight_decay": group["weight_decay"]}
        groups += [{"params": matrices, "orthogonalize": True, **decay}] if matrices else []
        groups += [{"params": others, **decay}] if others else []
    return groups
