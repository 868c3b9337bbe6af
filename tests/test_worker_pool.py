"""A pool of processes: what comes back, and what is left of it when its owner is gone."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import psutil
import pytest

from albert_lib.errors import TextError, WriteError
from albert_lib.files import project_folder, read_text, write_json
from albert_lib.worker_pool import WorkerPool

# It is killed while its processes start, while one is handed a large argument, or in their work.
KILLED = """
import os, signal, sys, time
import psutil
from albert_lib.worker_pool import WorkerPool

pool = WorkerPool(2, bytes, (bytes(1 << 24),) if "large" in sys.argv else ())
futures = [pool.submit(time.sleep, 60) for _ in range(2)]
time.sleep(float(sys.argv[1]))
print(*[child.pid for child in psutil.Process().children()], flush=True)
os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
"""


def test_results_come_in_their_order_and_errors_as_they_are(capfd) -> None:
    with WorkerPool(2, print, ("started",)) as pool:
        assert list(pool.map(pow, [2, 3, 4], [5, 6, 7])) == [32, 729, 16384]
        with pytest.raises(TextError, match=r"nowhere\.txt does not exist"):
            pool.submit(read_text, "nowhere.txt").result()
        with pytest.raises(AttributeError, match="lambda"):  # it cannot be sent
            pool.submit(lambda: 3).result()
        assert pool.submit(len, [1]).result() == 1
    assert set(capfd.readouterr().err.split()) == {"started"}


def test_an_error_that_cannot_be_made_again_is_told(tmp_path: Path) -> None:
    with WorkerPool(1) as pool, pytest.raises(Exception, match="cannot be written") as told:
        pool.submit(write_json, tmp_path / "none" / "mine.json", 3).result()
    assert type(told.value) in (WriteError, RuntimeError)


def test_a_process_that_dies_is_told_and_says_nothing_itself(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with WorkerPool(1) as pool:
        (future,) = [pool.submit(sys.exit, 0)]
        with pytest.raises(BrokenProcessPool, match="ended before its work was done"):
            future.result()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("seconds", [0, 0.03, 1.0])
@pytest.mark.parametrize("argument", ["small", "large"])
def test_processes_end_with_a_killed_owner_without_a_word(seconds: float, argument: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(seconds), argument],
        cwd=project_folder(), capture_output=True, text=True,
    )  # fmt: skip
    assert killed.stderr == ""
    pids = list(map(int, killed.stdout.split()))
    assert len(pids) == 2
    there = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(there, timeout=5)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


def test_after_an_error_jobs_are_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), WorkerPool(1) as pool:
        pool.submit(time.sleep, 60)
        raise KeyboardInterrupt
    assert time.monotonic() - began < 30
