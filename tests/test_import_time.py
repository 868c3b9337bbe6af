"""`import albert_lib` must not cost much more than `import torch`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

ROUNDS = 5
ALLOWED = 1.3  # times the seconds of `import torch`
BASELINE = "import torch"
STATEMENTS = {
    "the package": "import albert_lib",
    "every public name": "from albert_lib import *",  # the names are loaded on first use
}
pytestmark = pytest.mark.alone  # each import is to find the machine as the others did


def seconds_to_run(statement: str) -> float:
    """Time `statement` inside a fresh interpreter, start-up of the interpreter left out."""
    program = f"import time; begin = time.perf_counter(); {statement}; "
    program += "print(time.perf_counter() - begin)"
    command = [sys.executable, "-c", program]
    # As on a person's machine, where the first import leaves its bytecode for the next; torch's is
    # written when it is installed.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(run.stdout)


@pytest.fixture(scope="module")
def medians() -> dict[str, float]:
    # Taking turns lets a busy spell of the machine fall on all alike; the first turn, which
    # reads the files from disk, is not counted.
    statements = [BASELINE, *STATEMENTS.values()]
    rounds = [[seconds_to_run(each) for each in statements] for _ in range(ROUNDS + 1)][1:]
    return dict(zip(statements, map(statistics.median, zip(*rounds, strict=True)), strict=True))


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_import_costs_little_more_than_torch(statement: str, medians: dict[str, float]) -> None:
    ratio = medians[statement] / medians[BASELINE]
    assert ratio <= ALLOWED, f"`{statement}` takes {ratio:.2f} times as long as `{BASELINE}`"
