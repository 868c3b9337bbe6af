"""A process's memory: its peak, and keeping freed memory for reuse."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
LARGEST_INT = 2**31 - 1


def peak_memory() -> int | None:
    """Return the largest resident memory of this process so far, in bytes; None if unknown.

    On Linux from /proc, because getrusage there counts in what the parent had before it started
    this process; elsewhere from getrusage; on Windows from psutil, which Jupyter installs.

    Example:
        >>> from albert_lib.memory import peak_memory
        >>> peak = peak_memory()
        >>> peak is None or peak > 1_000_000
        True
    """
    if sys.platform == "win32":
        try:
            import psutil
        except ImportError:
            return None
        return int(psutil.Process().memory_info().peak_wset)
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@functools.cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed, for as long as the process lives; say whether it does.

    A training step frees and asks for the same hundreds of megabytes again and again. glibc gives
    large blocks back to the system at once, which then clears every page of them anew: at V=30000
    that took a tenth of a step (`python -m benchmarks.throughput` trains with it, transformers
    beside it without).

    The process then stays as large as it ever was. Elsewhere than on Linux with glibc nothing
    happens. What the environment sets (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_MAX_) is overruled.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    set_option = ctypes.CDLL(None).mallopt
    kept = set_option(M_MMAP_MAX, 0) and set_option(M_TRIM_THRESHOLD, LARGEST_INT)
    return bool(kept)
