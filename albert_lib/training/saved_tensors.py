"""The tensors of a model and an optimizer by name, as a checkpoint's files hold them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from albert_lib.errors import CheckpointError
from albert_lib.model.names import current_name


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return every parameter and buffer once, by name (a tied one by its first name)."""
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: tensor.detach() for name, tensor in named.items()}


def copy_weights(file: Path, model: nn.Module) -> None:
    """Copy saved weights into `model`; raise CheckpointError when names or shapes differ."""
    config = getattr(model, "config", None)
    saved = {current_name(name, config): tensor for name, tensor in load_file(file).items()}
    own = weights(model)
    if unmatched := sorted(saved.keys() ^ own.keys()):
        raise CheckpointError(
            f"{file} is of another model ({unmatched[0]} is in only one of the two); "
            f"use a new output folder."
        )
    for name, tensor in own.items():
        if saved[name].shape != tensor.shape:
            raise CheckpointError(
                f"{file} is of another model: {name} has shape {tuple(saved[name].shape)} there "
                f"and {tuple(tensor.shape)} here; use a new output folder."
            )
        tensor.copy_(saved[name])


def optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimizer's running means as STATE/PARAMETER."""
    names = optimized_names(model, optimizer)
    return {
        f"{kind}/{names[index]}": value.contiguous()
        for index, values in optimizer.state_dict()["state"].items()
        for kind, value in values.items()
    }


def copy_optimizer_state(file: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Copy a saved state into `optimizer`; raise CheckpointError when it is of another one."""
    kind_saved, kind_here = optimizer_kind(file), type(optimizer).__name__
    if kind_saved != kind_here:
        raise CheckpointError(
            f"{file} is of {kind_saved}, but {kind_here} was requested; use a new output folder."
        )
    state: dict[str, dict[str, Tensor]] = {}
    for key, tensor in load_file(file).items():
        kind, _, name = key.partition("/")
        name = current_name(name, getattr(model, "config", None))
        state.setdefault(name, {})[kind] = tensor.clone()  # aligned as a fresh tensor is
    names = optimized_names(model, optimizer)
    if not state.keys() <= set(names):
        raise CheckpointError(f"{file} is of another model; use a new output folder.")
    optimizer.load_state_dict(
        {
            "state": {i: state[name] for i, name in enumerate(names) if name in state},
            "param_groups": optimizer.state_dict()["param_groups"],
        }
    )


def optimized_names(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[str]:
    """Return the names of the optimizer's parameters in the order of its state_dict."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]


def optimizer_kind(file: Path) -> str:
    """Return the name of the class whose state `file` holds."""
    with safe_open(file, "pt") as saved:
        return str((saved.metadata() or {}).get("optimizer", "an unnamed optimizer"))
