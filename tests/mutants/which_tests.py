"""Which tests run which lines of the library, and how long each of them takes.

One run of a folder's tests under coverage says it; a mutant then needs only the tests of its line.
The answer is stored, and asked for again when the library or these tests have changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import Coverage

PROJECT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("text", "objectives", "model", "training", "town", "probing")
REPORT = "ALBERT_LIB_MUTANTS_REPORT"  # names the file that the run under coverage writes


@dataclass(frozen=True)
class Selection:
    """The tests that passed without a fault, and the lines that each of them runs."""

    seconds: dict[str, float]  # a test's name → how long it takes
    lines: dict[str, dict[int, list[str]]]  # file → line → tests

    def tests_of(self, file: str, line: int) -> list[str]:
        """The tests for a fault in this line, the most telling first.

        Those of the file's own test file, then the quick ones. A line that only runs when its
        module is loaded (a constant, a default) is tried by every test that runs the file.
        """
        known = self.lines.get(file, {})
        found = set(known.get(line, ()))
        if not found:
            found = {test for tests in known.values() for test in tests}
        found |= {test for test in self.seconds if is_mirror(test, file)}
        return sorted(found, key=lambda test: (not is_mirror(test, file), self.seconds[test], test))


def is_mirror(test: str, file: str) -> bool:
    """Whether `tests/model/test_heads.py::…` holds the tests of `albert_lib/model/heads.py`."""
    library = Path(file)
    folder = library.parent.relative_to("albert_lib")
    return test.startswith(f"{(Path('tests') / folder).as_posix()}/test_{library.stem}.py::")


def words_for_pytest() -> list[str]:
    """How pytest is called, with a fault and without."""
    plain = ["-q", "--no-header", "-p", "no:cacheprovider", "--doctest-modules"]
    loaded_before = "ignore:Module already imported"  # by the process that a trial is forked from
    return [*plain, "--hypothesis-seed=0", "-W", loaded_before]


def fingerprint(folder: str = "") -> str:
    """Changes whenever the library, its settings or the tests of `folder` (or any) do."""
    digest = hashlib.sha256()
    paths = [*(PROJECT / "albert_lib").rglob("*.py"), *(PROJECT / "tests").glob("*.py")]
    paths += (PROJECT / "tests" / folder).rglob("*.py")
    for path in sorted({*paths, PROJECT / "pyproject.toml"}):
        digest.update(path.relative_to(PROJECT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def select(store: Path, folders: Sequence[str]) -> Selection:
    """The selection for the folders as they are: read from `store`, or measured and put there."""
    seconds: dict[str, float] = {}
    lines: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for folder in folders:
        found = _measured(store / f"tests-{folder}.json", folder)
        seconds |= found.seconds
        for file, tests in found.lines.items():
            for line, names in tests.items():
                lines[file][line] += names
    return Selection(seconds, lines)


def _measured(file: Path, folder: str) -> Selection:
    """Which lines the tests of one folder run, and the examples in its docstrings."""
    if file.is_file():
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored.get("fingerprint") == fingerprint(folder):
            return _selection(stored)
    print(f"Running the tests of {folder} once, to see which lines each of them runs.", flush=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        **{REPORT: str(file), "OMP_NUM_THREADS": "1"},
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(Path(__file__).parent)]),
    }
    words = [sys.executable, "-m", "pytest", "-p", "which_tests", *words_for_pytest()]
    words += [f"tests/{folder}", f"albert_lib/{folder}"]
    ended = subprocess.run(words, cwd=PROJECT, env=environment, check=False)
    if ended.returncode not in (0, 1):
        raise SystemExit(f"The tests of {folder} did not run; correct that first.")
    stored = json.loads(file.read_text(encoding="utf-8")) | {"fingerprint": fingerprint(folder)}
    file.write_text(json.dumps(stored), encoding="utf-8")
    return _selection(stored)


def _selection(stored: dict) -> Selection:
    names = stored["tests"]
    return Selection(
        dict(zip(names, stored["seconds"], strict=True)),
        {
            file: {int(line): [names[each] for each in tests] for line, tests in lines.items()}
            for file, lines in stored["lines"].items()
        },
    )


# The plugin of that run. Loaded before the library is imported: what loading runs is no test's.


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get(REPORT):
        config.pluginmanager.register(_LineReport(), "which-tests-report")


class _LineReport:
    """Records the lines of every test that passes, and writes them when all are done."""

    def __init__(self) -> None:
        self.coverage = Coverage(
            data_file=None, source=[str(PROJECT / "albert_lib")], config_file=False
        )
        self.coverage.start()
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        started = time.perf_counter()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(time.perf_counter() - started, 4)
            with contextlib.suppress(Exception):
                self.coverage.switch_context("between tests")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        names = sorted(set(self.seconds) - self.failed)
        number_of = {name: number for number, name in enumerate(names)}
        lines: dict[str, dict[int, list[int]]] = defaultdict(dict)
        for file in data.measured_files():
            relative = Path(file).relative_to(PROJECT).as_posix()
            for line, contexts in data.contexts_by_lineno(file).items():
                tests = sorted(number_of[name] for name in contexts if name in number_of)
                if tests:
                    lines[relative][line] = tests
        report = {
            "tests": names,
            "seconds": [self.seconds[name] for name in names],
            "lines": lines,
        }
        Path(os.environ[REPORT]).write_text(json.dumps(report), encoding="utf-8")
