"""probe SET --checkpoints RUN: a set on every model that a run has kept."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture
def blimp(tmp_path: Path) -> Path:
    folder = tmp_path / "blimp"
    folder.mkdir()
    for paradigm, bad in (("one", "She sleep."), ("two", "Sleeps she the.")):
        line = {"sentence_good": "She sleeps.", "sentence_bad": bad}
        line |= {"UID": paradigm, "linguistics_term": "agreement"}
        (folder / f"{paradigm}.jsonl").write_text(json.dumps(line))
    return folder


@pytest.fixture
def kept(tmp_path: Path, model: Path) -> Path:
    """A run's folder with two kept models; the later one is whole, the earlier a copy."""
    for step in (100, 2000):
        shutil.copytree(model, tmp_path / "run" / "models" / f"step-{step:08d}")
    return tmp_path / "run"


def test_a_curve_has_a_line_a_model_and_its_files(
    run: Run, kept: Path, blimp: Path, tmp_path: Path
) -> None:
    words = ("probe", "blimp", "--checkpoints", kept, "--data", blimp)
    printed = run(*words, "--output", tmp_path / "curve").splitlines()
    assert [line.split()[:2] for line in printed[:2]] == [
        ["100", "accuracy"],
        ["2,000", "accuracy"],
    ]
    assert printed[0].split()[2:] == printed[1].split()[2:], "two copies of one model"
    assert {path.name for path in (tmp_path / "curve").iterdir()} == {"curve.csv", "curve.png"}
    with (tmp_path / "curve" / "curve.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows if row["measure"] == "accuracy"] == ["100", "2000"]
    assert {row["measure"] for row in rows} >= {"term agreement", "paradigm one"}
    run(*words, "--output", tmp_path / "curve")  # may take its own place


def test_what_cannot_be_asked_is_one_sentence(
    refusal: Run, kept: Path, blimp: Path, model: Path, tmp_path: Path
) -> None:
    asked = ("probe", "blimp", "--data", blimp)
    assert "train with --keep-every STEPS" in refusal(*asked, "--checkpoints", tmp_path)
    both = ("--checkpoints", kept, "--model", model)
    assert "--model and --checkpoints are both given; give one" in refusal(*asked, *both)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    output = ("--output", tmp_path / "full")
    assert "mine.txt, which" in refusal(*asked, "--checkpoints", kept, *output)
