"""What a process may use: affinity, the quotas of containers, and what others leave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from albert_lib import processors
from albert_lib.processors import OthersUse, Processors, limit_threads, usable_processors

VERSION_2 = "0::/user/job\n", "30 23 0:26 {mounted} /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw"
VERSION_1 = (
    "4:memory:/m\n1:cpu,cpuacct:/user/job\n",
    (
        "31 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "32 31 0:29 {mounted} /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct"
    ),
)
NEW, OLD = "sys/fs/cgroup/", "sys/fs/cgroup/cpu/"
QUOTA, PERIOD = "/cpu.cfs_quota_us", "/cpu.cfs_period_us"


def tree(root: Path, groups: tuple[str, str], mounted: str, files: dict[str, str]) -> Path:
    own = root / "proc" / "self"
    own.mkdir(parents=True)
    (own / "cgroup").write_text(groups[0])
    (own / "mountinfo").write_text(groups[1].format(mounted=mounted))
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "mounted", "files", "quota"),
    [
        (VERSION_2, "/", {}, None),
        (VERSION_2, "/", {NEW + "user/job/cpu.max": "max 100000\n"}, None),
        (VERSION_2, "/", {NEW + "user/job/cpu.max": "150000 100000\n"}, 1.5),
        (
            VERSION_2, "/",
            {NEW + "user/job/cpu.max": "300000 100000", NEW + "user/cpu.max": "50000 100000"}, 0.5,
        ),
        (VERSION_2, "/user/job", {NEW + "cpu.max": "200000 100000"}, 2.0),  # as a container sees it
        (VERSION_2, "/", {NEW + "user/job/cpu.max": "no number"}, None),
        (VERSION_1, "/", {OLD + "user" + QUOTA: "-1", OLD + "user" + PERIOD: "100000"}, None),
        (VERSION_1, "/", {OLD + "user" + QUOTA: "70000", OLD + "user" + PERIOD: "50000"}, 1.4),
        (VERSION_1, "/user/job", {OLD + QUOTA: "100000", OLD + PERIOD: "100000"}, 1.0),
        (("", ""), "/", {}, None),
    ],
)  # fmt: skip
def test_the_smallest_quota_of_a_container_and_those_around_it_counts(
    groups: tuple[str, str], mounted: str, files: dict[str, str], quota: float | None,
    tmp_path: Path,
) -> None:  # fmt: skip
    assert usable_processors(tree(tmp_path, groups, mounted, files)).quota == quota


@pytest.mark.parametrize(
    ("quota", "settings", "expected"),
    [
        (None, {}, None),
        (64.0, {}, None),
        (1.5, {}, "2"),
        (0.2, {}, "1"),
        (1.5, {"OMP_NUM_THREADS": "7"}, "7"),
        (1.5, {"MKL_NUM_THREADS": "7"}, None),
    ],
)
def test_threads_follow_a_quota_unless_the_user_has_said_how_many(
    quota: float | None, settings: dict[str, str], expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(processors, "usable_processors", lambda: Processors(64, quota))
    monkeypatch.delitem(sys.modules, "torch")  # as before it is loaded
    for name in processors.THREAD_SETTINGS:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)  # so that what is set here is undone
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    limit_threads()
    assert os.environ.get("OMP_NUM_THREADS") == expected


def test_a_busy_neighbour_counts_and_this_process_does_not() -> None:
    use = OthersUse()
    if use.since_last() is None and not processors.STAT.exists():
        pytest.skip("nothing here tells how busy the processors are")
    neighbour = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
    try:
        use.since_last()
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pass
        others = use.since_last()
    finally:
        neighbour.kill()
        neighbour.wait()
    most = len(processors.allowed_processors())
    # Where this test has the processor that the neighbour needs too, each has half of it.
    assert others is not None and 0.3 < others <= most + 0.1


def test_work_of_this_process_is_not_taken_for_that_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([(0.0, 100.0, 5.0), (2.0, 103.0, 7.0), (2.0, 103.0, 7.0), (4.0, 104.0, 9.0)])
    monkeypatch.setattr(OthersUse, "_read", lambda self: next(now))
    use = OthersUse()
    assert use.since_last() == 0.5  # 3 seconds of processors, 2 of them its own, in 2 of the clock
    assert use.since_last() == 0.5  # no time has passed
    assert use.since_last() == 0.0
