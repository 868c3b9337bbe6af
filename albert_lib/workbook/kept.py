"""The tensors that a forward pass keeps for the backward one: counted, not estimated."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks


def kept_tensors(compute: Callable[[], Tensor], model: nn.Module) -> list[Tensor]:
    """One tensor for every piece of memory that `compute` keeps beyond the model's own weights.

    Tensors that share their memory count once, as they take it once. What `compute` returns is
    held until the counting is done, or its graph would be thrown away under way.
    """
    own = {_place(weight) for weight in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if _place(tensor) not in own:
            kept.setdefault(_place(tensor), tensor)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        result = compute()
    found = list(kept.values())
    del result
    return found


def kept_bytes(compute: Callable[[], Tensor], model: nn.Module) -> int:
    """Bytes of all the memory that `kept_tensors` finds, ids included."""
    return sum(tensor.untyped_storage().nbytes() for tensor in kept_tensors(compute, model))


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
