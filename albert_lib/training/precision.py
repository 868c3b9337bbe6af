"""Choosing between float32 and bfloat16 by asking the machine, not by guessing."""

from __future__ import annotations

import functools
import os
import statistics
import time

import torch

from albert_lib.errors import ConfigError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PRECISION_VARIABLE = "ALBERT_LIB_PRECISION"
CLEARLY_FASTER = 1.3  # below this, casting back and forth eats what the products gain


def best_dtype(device: str | torch.device = "cpu") -> torch.dtype:
    """Return the type in which to multiply matrices on `device`: bfloat16 only where it pays.

    On a CPU both types are timed once a process, which takes a few milliseconds. The
    environment variable ALBERT_LIB_PRECISION (float32 or bfloat16) settles it by hand; any
    other value raises ConfigError.
    """
    asked = os.environ.get(PRECISION_VARIABLE)
    if asked:
        return dtype_named(asked, source=PRECISION_VARIABLE)
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if kind != "cpu":
        return torch.float32
    return torch.bfloat16 if bfloat16_speed_up() >= CLEARLY_FASTER else torch.float32


def dtype_named(name: str, *, source: str) -> torch.dtype:
    """Return the torch type called `name`; raise ConfigError naming `source` for another word."""
    if name not in PRECISIONS:
        raise ConfigError(f"{source} is {name!r}; set it to float32 or bfloat16.")
    return PRECISIONS[name]


def autocast(device: str | torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return a context in which matrix products run in `dtype` while parameters stay float32."""
    return torch.autocast(torch.device(device).type, dtype=dtype, enabled=dtype != torch.float32)


@functools.cache
def bfloat16_speed_up() -> float:
    """Measure how many times faster this CPU multiplies matrices in bfloat16 than in float32."""
    seconds = {torch.float32: [], torch.bfloat16: []}  # type: dict[torch.dtype, list[float]]
    matrices = {dtype: torch.ones(512, 512, dtype=dtype) for dtype in seconds}
    for _ in range(7):  # in turn, so that a busy moment slows both alike
        for dtype, matrix in matrices.items():
            start = time.perf_counter()
            torch.mm(matrix, matrix)
            seconds[dtype].append(time.perf_counter() - start)
    return statistics.median(seconds[torch.float32]) / statistics.median(seconds[torch.bfloat16])
