"""torch.compile, asked for by a recipe, with a sentence where the machine cannot do it.

It is off by default. On one core of a CPU with bfloat16 units a step was 1.01 times as fast in
float32 and 0.78 times in bfloat16, after a minute of compiling three layers
(`python -m benchmarks.compiling`).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from albert_lib.errors import ConfigError


def compiled(model: nn.Module) -> nn.Module:
    """Return `model` as torch.compile rewrites it; the parameters stay the model's own.

    Sizes are left open from the first step on: batches differ in their number of masked pieces,
    and a kernel made for one number would be replaced at the second step, which a run that goes
    on after a kill would do at another. Raises ConfigError where this machine cannot compile,
    which a two-number function shows.
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
    return cast(nn.Module, torch.compile(model, dynamic=True))


def _double(numbers: torch.Tensor) -> torch.Tensor:
    return numbers * 2
