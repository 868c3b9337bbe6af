"""torch.compile, asked for by a recipe, with a sentence where the machine cannot do it."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from albert_lib.errors import ConfigError


def compiled(model: nn.Module) -> nn.Module:
    """Return `model` as torch.compile rewrites it; the parameters stay the model's own.

    Raises ConfigError where this machine cannot compile, which a two-number function shows.
    """
    device = next(model.parameters()).device
    try:
        torch.compile(_double)(torch.ones(2, device=device))
    except Exception as problem:  # a compiler, a header, a Python too new: all say it differently
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ConfigError(
            f"compile is on, but this machine cannot compile ({reason}); install a C++ compiler "
            f"such as g++, or leave compile out."
        ) from None
    return cast(nn.Module, torch.compile(model))


def _double(numbers: torch.Tensor) -> torch.Tensor:
    return numbers * 2
