"""Freed memory is kept where the C library is glibc, and nothing happens elsewhere."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from albert_lib.training.memory import keep_freed_memory

FAULTS = """
import resource, sys
import torch
from albert_lib.training.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
for _ in range(20):  # until blocks large enough lie free
    torch.ones(20_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    command = [sys.executable, "-c", FAULTS, how]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(shown.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these options")
def test_the_same_memory_is_used_again() -> None:
    assert page_faults("keep") < page_faults("leave") / 2


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    keep_freed_memory.cache_clear()
    try:
        assert not keep_freed_memory()
    finally:
        keep_freed_memory.cache_clear()
