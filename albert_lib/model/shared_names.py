"""Names of parameters that several layers share: a file lists each once."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


def list_shared_once(module: nn.Module) -> None:
    """Let state dicts of a module hold a shared parameter once, and loading accept them.

    Example:
        >>> pair = nn.ModuleList([nn.Linear(2, 1)] * 2)
        >>> len(pair.state_dict())
        4
        >>> list_shared_once(pair)
        >>> list(pair.state_dict())
        ['0.weight', '0.bias']
        >>> pair.load_state_dict(pair.state_dict())
        <All keys matched successfully>
    """
    module.register_state_dict_post_hook(_drop_repeated)
    module.register_load_state_dict_pre_hook(_add_repeated)


def _repeated_names(encoder: nn.Module) -> dict[str, str]:
    """The further names of shared parameters → the first name of each."""
    first = {id(parameter): name for name, parameter in encoder.named_parameters()}
    every = encoder.named_parameters(remove_duplicate=False)
    return {name: first[id(p)] for name, p in every if name != first[id(p)]}


def _drop_repeated(
    encoder: nn.Module, state_dict: dict[str, Tensor], prefix: str, _metadata: Any
) -> None:
    """List shared parameters once: files would store them L times, and safetensors refuses."""
    for name in _repeated_names(encoder):
        state_dict.pop(prefix + name, None)


def _add_repeated(
    encoder: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_others: Any
) -> None:
    """Give PyTorch's loader the names that `_drop_repeated` left out."""
    for name, first in _repeated_names(encoder).items():
        if prefix + first in state_dict:
            state_dict.setdefault(prefix + name, state_dict[prefix + first])
