"""The instructions of this machine's processor: which it has for bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

CPU_INFORMATION = Path("/proc/cpuinfo")
# The instructions for bfloat16 products: a name for people, PyTorch's own test (private, so it may
# be missing), and the flag in /proc/cpuinfo to fall back on.
BFLOAT16_INSTRUCTIONS = (
    ("AMX", "_is_amx_tile_supported", "amx_bf16"),
    ("AVX512_BF16", "_is_avx512_bf16_supported", "avx512_bf16"),
)


def bfloat16_instructions() -> str | None:
    """Return the name of this CPU's instructions for bfloat16 products; None without any.

    Example:
        >>> bfloat16_instructions() in ("AMX", "AVX512_BF16", None)
        True
    """
    for name, test, flag in BFLOAT16_INSTRUCTIONS:
        is_supported: Callable[[], bool] | None = getattr(torch.cpu, test, None)
        if is_supported() if is_supported is not None else flag in cpu_flags():
            return name
    return None


def cpu_flags() -> list[str]:
    """Return the instruction sets that Linux lists for this processor; none elsewhere."""
    try:
        lines = CPU_INFORMATION.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return next((line.split() for line in lines if line.startswith("flags")), [])
