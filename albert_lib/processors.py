"""How many processors this process may use, and how many of them others are using.

PyTorch takes a thread for each processor that it may run on, and does not know of the quota that a
container has. With a quota of two of 64 processors, 64 threads would share the time of two. So
`limit_threads`, called when albert_lib is imported, sets the number where a quota is the smaller
one and the user has set none. It looks at nothing that changes while the machine works: the number
of threads decides in which order sums are added, and so the last digits of a run.
"""

from __future__ import annotations

import math
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # the user's, which nothing replaces
STAT = Path("/proc/stat")
PROCESSOR_LINE = re.compile(r"cpu(\d+) ")  # a processor's line in it


@dataclass(frozen=True)
class Processors:
    """What this process may use.

    Attributes:
        allowed: Processors that it may run on.
        quota: Processors whose time a container grants it, as 1.5; None without a limit.
    """

    allowed: int
    quota: float | None = None

    @property
    def usable(self) -> int:
        """How many threads can run at once; at least 1.

        Example:
            >>> Processors(64, quota=1.5).usable, Processors(2, quota=8.0).usable
            (2, 2)
        """
        return self.allowed if self.quota is None else min(self.allowed, math.ceil(self.quota))

    def __str__(self) -> str:
        words = f"{self.allowed} to run on"
        return words if self.quota is None else f"{words}, time of {self.quota:g} granted"


def allowed_processors() -> set[int]:
    """The numbers of the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def usable_processors(root: Path = Path("/")) -> Processors:
    """What this process may use by its affinity and the quotas of its container.

    `root` is where /proc and /sys are looked for.

    Example:
        >>> usable_processors().usable >= 1
        True
    """
    quotas = [quota for quota in _quotas(root) if quota > 0]
    return Processors(len(allowed_processors()), min(quotas, default=None))


def limit_threads() -> None:
    """Give PyTorch as many threads as a container's quota, unless the user has said how many."""
    if any(os.environ.get(name) for name in THREAD_SETTINGS):
        return
    processors = usable_processors()
    if processors.usable == processors.allowed:
        return
    os.environ["OMP_NUM_THREADS"] = str(processors.usable)
    if (torch := sys.modules.get("torch")) and hasattr(torch, "set_num_threads"):
        torch.set_num_threads(processors.usable)  # it has read its environment already


def _quotas(root: Path) -> Iterator[float]:
    """The quota of each control group that this process is in, those around it included.

    Version 2 has it in cpu.max ("150000 100000"), version 1 in two files; "max" and -1 are none.
    """
    for folder in _control_groups(root):
        for group in (folder, *folder.parents):
            words = _words(group / "cpu.max") or [
                *_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us"),
            ]  # fmt: skip
            if len(words) == 2 and words[0].isdecimal() and words[1].isdecimal() and int(words[1]):
                yield int(words[0]) / int(words[1])
            if group.parent == root:
                break


def _control_groups(root: Path) -> Iterator[Path]:
    """The folders of this process's groups for processors, wherever they are mounted."""
    groups = dict[str, str]()  # of each controller; version 2 has one for all, named ""
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        groups |= dict.fromkeys(controllers.split(","), path)
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or not kind or kind[0] not in ("cgroup", "cgroup2"):
            continue
        options = kind[-1].split(",")
        controller = "" if kind[0] == "cgroup2" else "cpu"
        if controller not in groups or (controller and controller not in options):
            continue
        inside = PurePosixPath(groups[controller])
        if inside.is_relative_to(fields[3]):  # a container may see a part of the tree alone
            inside = inside.relative_to(fields[3])
        yield root / fields[4].lstrip("/") / str(inside).lstrip("/")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


class OthersUse:
    """How many of the processors that this process may use are used by others.

    Example:
        >>> use = OthersUse()
        >>> first = use.since_last()  # since it was made; None where the system does not tell
        >>> first is None or first >= 0
        True
    """

    def __init__(self) -> None:
        self.before = self._read()
        self.last: float | None = None

    def since_last(self) -> float | None:
        """The mean since the last call, in processors, as 0.8; time taken by a host counts too."""
        now, before = self._read(), self.before
        if now is None or before is None or now[0] <= before[0]:
            return self.last
        passed, busy, own = (b - a for a, b in zip(before, now, strict=True))
        self.before, self.last = now, max(0.0, (busy - own) / passed)
        return self.last

    def _read(self) -> tuple[float, float, float] | None:
        """Seconds of the clock, of these processors not idle, and of this process."""
        busy = _busy_seconds()
        return None if busy is None else (time.monotonic(), busy, time.process_time())


def _busy_seconds() -> float | None:
    """Seconds in which the processors were not idle, all added up; None if nobody tells."""
    if not STAT.exists():
        import psutil  # type: ignore[import-untyped]  # 20 ms, and only where there is no /proc

        times = psutil.cpu_times()
        return float(sum(times) - times.idle)
    allowed, ticks = allowed_processors(), 0
    for line in _lines(STAT):
        if (found := PROCESSOR_LINE.match(line)) and int(found[1]) in allowed:
            user, nice, system, _idle, _waiting, *rest = map(int, line.split()[1:9])
            ticks += user + nice + system + sum(rest)  # interrupts, and what a host took
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else None
