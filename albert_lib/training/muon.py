"""Muon: a step of equal length in every direction of a matrix, not in every number.

The gradient of a matrix is mostly made of a few directions (singular vectors), and so is Adam's
step. Muon decomposes the step into its directions and gives all of them the same length. ALBERT has
few such matrices, the same at every depth, so this costs little: what is learned from a batch goes
up by far more (benchmarks/README.md).

Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; the length of a step as in
Liu et al. (2025), arXiv 2502.16982, section 2.2, so that a learning rate found for AdamW serves
here too.

Why not torch.optim.Muon (PyTorch 2.9 and later)? Its updates are the same to 0.1 to 0.4 %, the
rounding of bfloat16, in which it always orthogonalizes, one matrix at a time. On a CPU without
instructions for bfloat16 a step of the optimizer took 280 ms instead of 18 at the Town's shape and
284 instead of 20 at the quick recipe's (`python -m benchmarks.muon`, one core, PyTorch 2.13). Here
it is done in the precision of the run, matrices of one shape together.
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

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's: fast near 0, not exact near 1
ITERATIONS = 5
ADAMW_STEP = 0.2  # root mean square of an AdamW step over its learning rate, about


def orthogonalized(
    matrices: Float[Tensor, "*batch rows columns"], dtype: torch.dtype | None = None
) -> Float[Tensor, "*batch rows columns"]:
    """Bring all singular values of each matrix close to 1: U S V' becomes about U V'.

    A polynomial of the matrix, applied five times (Newton-Schulz), brings them to between 0.7 and
    1.2; those under two thousandths of the matrix's norm may stay below. Products are taken in
    `dtype`, that of the matrices by default; bfloat16 is precise enough, and where the processor
    has instructions for it more than twice as fast.

    Example:
        >>> matrix = torch.diag(torch.tensor([1.0, 0.1]))
        >>> [round(each, 1) for each in torch.linalg.svdvals(orthogonalized(matrix)).tolist()]
        [0.7, 0.7]
    """
    rows, columns = matrices.shape[-2:]
    x = matrices.mT if rows > columns else matrices  # products of the short side are cheaper
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    x = x.to(dtype or matrices.dtype).reshape(-1, *x.shape[-2:])
    a, b, c = NEWTON_SCHULZ
    for _ in range(ITERATIONS):  # x = a x + (b s + c s s) x, where s = x x'; few roundings
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    x = x.mT if rows > columns else x
    return x.to(matrices.dtype).reshape(matrices.shape)


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for groups with orthogonalize=True, whose tensors are matrices; AdamW for the others.

    Give it `muon_groups(model, weight_decay)`. Muon stores one running mean for each number
    (Nesterov momentum), AdamW two. `dtype` is that of the products that orthogonalize, the
    parameters' own by default. Raises ConfigError when a setting cannot work.

    Example:
        >>> matrix = nn.Parameter(torch.eye(2))
        >>> optimizer = MuonWithAdamW([{"params": [matrix], "orthogonalize": True}], lr=0.1)
        >>> matrix.grad = torch.diag(torch.tensor([100.0, 1.0]))
        >>> optimizer.step()
        >>> matrix.diag().lt(1).tolist()
        [True, True]
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
        dtype: torch.dtype | None = None,
    ) -> None:
        decays = (momentum, *betas)
        if lr < 0 or eps <= 0 or weight_decay < 0 or not all(0 <= each < 1 for each in decays):
            raise ConfigError(
                f"Muon cannot work with lr={lr}, momentum={momentum}, betas={betas}, eps={eps}, "
                f"weight_decay={weight_decay}; take lr and weight_decay of 0 or more, eps above "
                f"0, momentum and betas from 0 up to, not including, 1."
            )
        defaults = {
            "lr": lr, "momentum": momentum, "betas": betas, "eps": eps,
            "weight_decay": weight_decay, "orthogonalize": orthogonalize,
            "fused": True,  # so that a loaded step count goes to the device of its tensors
        }  # fmt: skip
        super().__init__(params, defaults)
        self.dtype = dtype
        for group in self.param_groups:
            if group["orthogonalize"] and any(p.ndim != 2 for p in group["params"]):
                raise ConfigError("Muon is for matrices only; leave other tensors to AdamW.")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every tensor that has a gradient; return what `closure`, if given, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["orthogonalize"]:
                self._update_matrices(moved, group)
            elif moved:
                self._update_by_adamw(moved, group)
        return loss

    def _update_matrices(self, matrices: list[Tensor], group: dict[str, Any]) -> None:
        """One step of Muon; matrices of one shape are orthogonalized together."""
        of_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for matrix in matrices:
            of_shape[matrix.shape].append(matrix)
        for shape, alike in of_shape.items():
            means = torch.stack([self._nesterov_momentum(m, group) for m in alike])
            updates = orthogonalized(means, self.dtype)
            length = group["lr"] * ADAMW_STEP * max(shape) ** 0.5
            for matrix, update in zip(alike, updates, strict=True):
                matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=length)

    def _nesterov_momentum(self, matrix: Tensor, group: dict[str, Any]) -> Tensor:
        """Add the gradient to the running mean; return the mean as of the next step."""
        gradient, momentum = matrix.grad, group["momentum"]
        assert gradient is not None
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        mean: Tensor = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(mean, momentum)

    def _update_by_adamw(self, tensors: list[Tensor], group: dict[str, Any]) -> None:
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
    """Split a model's parameters into the matrices of its layers, for Muon, and the rest.

    Embeddings, whose rows are looked up one at a time, and the last matrix of the SOP head, which
    has two rows, are left to AdamW, as Muon's authors advise. Biases and LayerNorms do not decay.
    """
    return matrix_groups(model, [*model.albert.modules(), model.mlm_head.dense], weight_decay)


def matrix_groups(
    model: nn.Module, inside: Iterable[nn.Module], weight_decay: float
) -> list[dict[str, Any]]:
    """The same split of any model: the matrices of the linear modules among `inside`, and the rest.

    Example:
        >>> layers = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
        >>> groups = matrix_groups(layers, [layers[0]], weight_decay=0.01)
        >>> [(len(group["params"]), group.get("orthogonalize", False)) for group in groups]
        [(1, True), (1, False), (2, False)]
    """
    inner = {module.weight for module in inside if isinstance(module, nn.Linear)}
    groups = []
    for group in parameter_groups(model, weight_decay):
        matrices = [p for p in group["params"] if p in inner]
        others = [p for p in group["params"] if p not in inner]
        decay = {"weight_decay": group["weight_decay"]}
        groups += [{"params": matrices, "orthogonalize": True, **decay}] if matrices else []
        groups += [{"params": others, **decay}] if others else []
    return groups
