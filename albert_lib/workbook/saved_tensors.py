"""The tensors that a forward pass saves for the backward pass: counted, not estimated."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks


def saved_tensors(compute: Callable[[], Tensor], model: nn.Module) -> list[Tensor]:
    """The tensors that `compute` saves for the backward pass, without the model's weights.

    Tensors that share memory count once. The result of `compute` is held until all are counted:
    autograd frees its saved tensors as soon as nothing refers to the result.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(5, 3)
        >>> (saved,) = saved_tensors(lambda: layer(torch.ones(7, 5)).sum(), layer)
        >>> saved.shape  # the input of the layer
        torch.Size([7, 5])
    """
    weights = {_address(weight) for weight in model.parameters()}
    saved: dict[int, Tensor] = {}

    def save(tensor: Tensor) -> Tensor:
        if _address(tensor) not in weights:
            saved.setdefault(_address(tensor), tensor)
        return tensor

    with saved_tensors_hooks(save, lambda tensor: tensor):
        result = compute()
    found = list(saved.values())
    del result
    return found


def saved_bytes(compute: Callable[[], Tensor], model: nn.Module) -> int:
    """The bytes of all tensors that `saved_tensors` finds, token ids included.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(5, 3)
        >>> saved_bytes(lambda: layer(torch.ones(7, 5)).sum(), layer)
        140
    """
    return sum(tensor.untyped_storage().nbytes() for tensor in saved_tensors(compute, model))


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
