"""The benchmarks run, at sizes too small to say anything about speed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from albert_lib.files import project_folder


@pytest.mark.parametrize(
    ("words", "cases"),
    [
        (["benchmarks/fill_mask.py", "--preset", "albert-base-v1", "--turns", "1"], 4),
        (["benchmarks/tokenization.py", "--lines", "200"], 6),
        (["-m", "benchmarks.throughput", "--case", "tiny", "--rounds", "1"], 1),
    ],
    ids=["fill_mask", "tokenization", "throughput"],
)
def test_a_benchmark_prints_a_ratio_for_every_case(words: list[str], cases: int) -> None:
    shown = subprocess.run(
        [sys.executable, *words],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode in (0, 1), shown.stderr  # 1: the other was faster, on a busy machine
    assert "Traceback" not in shown.stderr
    ratios = re.findall(r"(\d+\.\d+) times as fast", shown.stdout)
    assert len(ratios) == cases and all(float(ratio) > 0 for ratio in ratios)


def test_pretraining_killed_a_few_times_ends_as_if_left_alone() -> None:
    words = ["-m", "benchmarks.kills", "--kills", "4", "--steps", "12"]
    shown = subprocess.run(
        [sys.executable, *words], cwd=project_folder(), capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.count(": killed after ") == 4
    assert "every run ended as the one left alone, bit for bit" in shown.stdout
