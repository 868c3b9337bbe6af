"""Keeping freed memory for the next step instead of handing it back to the system.

A training step frees and asks for the same hundreds of megabytes again and again. The C library of
Linux gives large blocks back at once, and the system then clears every page of them anew: at
V=30000 that took a tenth of a step of ours and a third of transformers'
(`python -m benchmarks.throughput` shows both).
"""

from __future__ import annotations

import ctypes
import functools
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
LARGEST_INT = 2**31 - 1


@functools.cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed, for as long as the process lives; say whether it does.

    The process then stays as large as it ever was. Elsewhere than on Linux with glibc nothing
    happens. What the environment sets (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_MAX_) is overruled.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    set_option = ctypes.CDLL(None).mallopt
    kept = set_option(M_MMAP_MAX, 0) and set_option(M_TRIM_THRESHOLD, LARGEST_INT)
    return bool(kept)
