"""Precision of matrix products, float32 or bfloat16, by what the processor offers; torch.compile.

The choice changes the numbers of a run, so it must be the same on the same machine whatever else
runs there: it follows a fixed rule, never a measurement.

    CUDA                  bfloat16 where the GPU supports it
    CPU with AMX          bfloat16: matrix units, 2.7 TFLOP/s on two cores
    CPU with AVX512_BF16  bfloat16: 2.3 times the products of float32 a second (199 and 88 GFLOP
                          on one core), a training step 1.7 times as fast
    any other CPU         float32: without such instructions bfloat16 products took 40 times as
                          long (512 x 512, AMD EPYC with AVX2, PyTorch 2.13)
    any other device      float32

The environment variable
ALBERT_LIB_PRECISION, a recipe's `precision` and the flag --precision overrule it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import nn

from albert_lib.errors import ConfigError
from albert_lib.instruction_sets import bfloat16_instructions

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PRECISION_VARIABLE = "ALBERT_LIB_PRECISION"


@dataclass(frozen=True)
class PrecisionChoice:
    """The type in which matrices are multiplied, and why; `print` it.

    Example:
        >>> str(PrecisionChoice("bfloat16", "this processor has AMX"))
        'bfloat16 (this processor has AMX)'
    """

    name: str  # float32 or bfloat16
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """The torch type of that name."""
        return PRECISIONS[self.name]

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def choose_precision(
    device: str | torch.device = "cpu", requested: Precision = "auto"
) -> PrecisionChoice:
    """Choose the precision of matrix products on `device` by the rule above.

    `requested` other than "auto" is what is chosen; then comes ALBERT_LIB_PRECISION, which
    raises ConfigError for any value but float32 and bfloat16.

    Example:
        >>> str(choose_precision("cpu", "bfloat16"))
        'bfloat16 (requested)'
        >>> str(choose_precision("mps")) if not os.environ.get(PRECISION_VARIABLE) else "float32"
        'float32 (mps has no other choice)'
    """
    if requested != "auto":
        return PrecisionChoice(requested, "requested")
    if forced := os.environ.get(PRECISION_VARIABLE):
        if forced not in PRECISIONS:
            raise ConfigError(f"{PRECISION_VARIABLE} is {forced!r}; set it to float32 or bfloat16.")
        return PrecisionChoice(forced, f"set by {PRECISION_VARIABLE}")
    kind = torch.device(device).type
    if kind == "cuda":
        if torch.cuda.is_bf16_supported():
            return PrecisionChoice("bfloat16", "this GPU supports it")
        return PrecisionChoice("float32", "this GPU has no bfloat16")
    if kind != "cpu":
        return PrecisionChoice("float32", f"{kind} has no other choice")
    found = bfloat16_instructions()
    if found:
        return PrecisionChoice("bfloat16", f"this processor has {found}")
    return PrecisionChoice("float32", "this processor has no instructions for bfloat16")


def best_dtype(device: str | torch.device = "cpu") -> torch.dtype:
    """Return the torch type that `choose_precision` chooses for `device`.

    Example:
        >>> best_dtype("cpu") in (torch.float32, torch.bfloat16)
        True
    """
    return choose_precision(device).dtype


def autocast(device: str | torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return a context in which matrix products run in `dtype` while parameters stay float32.

    Example:
        >>> layer = torch.nn.Linear(2, 2)
        >>> with autocast("cpu", torch.bfloat16):
        ...     layer(torch.ones(1, 2)).dtype
        torch.bfloat16
    """
    return torch.autocast(torch.device(device).type, dtype=dtype, enabled=dtype != torch.float32)


def compiled(model: nn.Module) -> nn.Module:
    """Return `model` as torch.compile rewrites it; the parameters stay the model's own.

    Off by default in a recipe: on one core of a CPU with bfloat16 instructions a step was 1.01
    times as fast in float32 and 0.78 times in bfloat16, after a minute of compiling three layers
    (`python -m benchmarks.compiling`).

    Sizes are dynamic from the first step on. Batches differ in their number of masked tokens; a
    kernel for one number would be replaced at the second step, but in a run that resumes after a
    kill at another step. Raises ConfigError where this machine cannot compile, which a trial on
    two numbers shows.
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
