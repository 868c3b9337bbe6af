from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from albert_lib.files import project_folder
from albert_lib.objectives import SegmentPairs


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's peak")
def test_ten_times_the_text_takes_no_more_memory():
    shown = subprocess.run(
        [sys.executable, "-m", "benchmarks.data_memory", "--pieces", "2000000"],
        cwd=project_folder(),
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_pages_that_were_read_are_let_go(make_store):
    store = make_store([[[7] * 1000] * 1000])

    def resident_kilobytes() -> int:
        with open("/proc/self/smaps") as maps:
            lines = maps.read().split(str(store.folder / "ids.bin"))[1].splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))

    assert int(np.asarray(store.ids).sum()) == 7_000_000
    assert resident_kilobytes() > 1000
    store.release_pages()
    assert resident_kilobytes() == 0
    assert store.ids[-1] == 7


def test_looking_at_the_blocks_of_a_store_leaves_no_page_behind(make_store, monkeypatch):
    store = make_store([[[7, 8, 9]] * 10] * 4)
    released = []
    monkeypatch.setattr(type(store), "release_pages", lambda self: released.append(self))
    pairs = SegmentPairs(store, 16)
    released.clear()
    pairs.count(0, 0)
    pairs.text(0)
    assert len(released) == 3  # the offsets twice, the pieces once
