"""Running the tests of one mutant after the other, several side by side, each in a copy.

A trial is a fork of a process that has loaded what the tests need of other people's packages
(never the library itself), which saves the seconds that a fresh Python would take for that.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutations import Mutant
from which_tests import PROJECT, Selection, words_for_pytest

PRELOADED = (  # what takes seconds; plugins are left to pytest
    *("torch", "numpy", "scipy.stats", "scipy.special", "beartype", "sentencepiece"),
    *("safetensors.torch", "huggingface_hub", "matplotlib.pyplot", "nbformat"),
    "transformers.models.albert.modeling_albert",
)
NOT_COPIED = (".git", ".venv", "build", "__pycache__", ".hypothesis", "node_modules", ".*_cache")
AT_FIRST = 25  # tests; those that are left are only asked when these notice nothing
MOST_SECONDS = 90.0  # of tests for one mutant, as long as they took without it
PATIENCE, START = 5.0, 40.0  # a trial may take so many times as long, and so many seconds to start
KILLING = (1, 2, 3, 4)  # pytest: a test failed, was interrupted, broke, or could not be loaded


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed or survived, by which test, after how many seconds."""

    status: str
    by: str
    seconds: float


@dataclass
class _Trial:
    """A mutant whose tests are running in the process `pid`."""

    mutant: Mutant
    copy: Path
    stages: list[list[str]]  # tests that are still to be asked
    pid: int
    began: float
    deadline: float


def run_trials(
    waiting: Sequence[Mutant], selection: Selection, processes: int, folder: Path
) -> Iterator[tuple[Mutant, Outcome]]:
    """Yield each mutant with its outcome, in the order in which they end."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert not any(name.startswith("albert_lib") for name in sys.modules)
    free = [_copy_of_the_project(folder / str(number)) for number in range(processes)]
    control = _control(selection)
    if control:
        _try_without_a_fault(control, free[0], selection)
    left, running = list(reversed(waiting)), []
    try:
        while left or running:
            while left and free:
                running.append(_begin(left.pop(), free.pop(), selection))
            time.sleep(0.05)
            for trial in list(running):
                outcome = _look_after(trial, selection)
                if outcome is not None:
                    running.remove(trial)
                    free.append(trial.copy)
                    yield trial.mutant, outcome
    finally:
        for trial in running:
            _end(trial.pid)


def _copy_of_the_project(folder: Path) -> Path:
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    return folder


def _control(selection: Selection) -> list[str]:
    """A quick test of every file: all must pass where nothing is wrong."""
    quick: dict[str, str] = {}
    for test in sorted(selection.seconds, key=lambda name: -selection.seconds[name]):
        quick[test.partition("::")[0]] = test
    return list(quick.values())


def _try_without_a_fault(tests: list[str], copy: Path, selection: Selection) -> None:
    pid = _fork(copy, tests)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        said = (copy / "output.txt").read_text(encoding="utf-8")[-3000:]
        raise SystemExit(f"{said}\nWithout a fault the tests must pass; pytest says {status}.")


def _begin(mutant: Mutant, copy: Path, selection: Selection) -> _Trial:
    source = (PROJECT / mutant.file).read_text(encoding="utf-8")
    _plant(copy / mutant.file, mutant.apply(source))
    tests, spent = [], 0.0
    for test in selection.tests_of(mutant.file, mutant.line):
        spent += selection.seconds[test]
        if tests and spent > MOST_SECONDS:
            break
        tests.append(test)
    stages = [stage for stage in (tests[:AT_FIRST], tests[AT_FIRST:]) if stage]
    trial = _Trial(mutant, copy, stages, 0, time.monotonic(), 0.0)
    if stages:
        _next_stage(trial, selection)
    return trial


def _plant(path: Path, text: str) -> None:
    """Write a source file that Python cannot take for the compiled one it has stored."""
    path.write_text(text, encoding="utf-8")
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()


def _next_stage(trial: _Trial, selection: Selection) -> None:
    tests = trial.stages.pop(0)
    allowed = START + PATIENCE * sum(selection.seconds[test] for test in tests)
    trial.deadline = time.monotonic() + allowed
    trial.pid = _fork(trial.copy, tests)


def _look_after(trial: _Trial, selection: Selection) -> Outcome | None:
    """The outcome if the trial is over; its next tests are started if these noticed nothing."""
    status = None
    if trial.pid:
        pid, ended = os.waitpid(trial.pid, os.WNOHANG)
        if pid:
            status = os.waitstatus_to_exitcode(ended)
        elif time.monotonic() < trial.deadline:
            return None
        _end(trial.pid)  # what a test has started goes with it
        if status == 0 and trial.stages:
            _next_stage(trial, selection)
            return None
    _plant(trial.copy / trial.mutant.file, (PROJECT / trial.mutant.file).read_text("utf-8"))
    seconds = time.monotonic() - trial.began
    if not trial.pid:
        return Outcome("survived", "no test runs this line", seconds)
    if status == 0:
        return Outcome("survived", "", seconds)
    if status is None:
        return Outcome("killed", "out of time", seconds)
    if status not in KILLING and status > 0:
        said = (trial.copy / "output.txt").read_text(encoding="utf-8")[-3000:]
        raise SystemExit(f"{said}\nThe tests of {trial.mutant} did not run; pytest: {status}.")
    return Outcome("killed", (trial.copy / "killer.txt").read_text("utf-8") or "crash", seconds)


def _end(pid: int) -> None:
    """End a trial and whatever it has started: it leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _fork(copy: Path, tests: list[str]) -> int:
    """Start the tests in `copy` and return the process that runs them."""
    (copy / "killer.txt").write_text("", encoding="utf-8")
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 3
    try:
        os.setsid()
        os.chdir(copy)
        output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        data = PROJECT.parent / "shared" / "data"
        os.environ.setdefault("ALBERT_SHARED_DATA", str(data))
        os.environ.update(PYTHONPATH=str(copy), OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
        sys.path[:] = [str(copy), *(each for each in sys.path if each not in ("", str(PROJECT)))]
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        status = int(pytest.main(["-x", *words_for_pytest(), *files], plugins=[_Chosen(tests)]))
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


class _Chosen:
    """Runs the chosen tests in their order, and writes down the one that fails."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: number for number, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(chosen, key=lambda item: self.order[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            Path("killer.txt").write_text(report.nodeid, encoding="utf-8")
