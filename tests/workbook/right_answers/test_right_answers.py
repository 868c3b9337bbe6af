"""Answers as a good student writes them, a file a chapter: every check finds them right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from albert_lib.__main__ import main
from albert_lib.workbook.exercise import all_exercises

FILES = sorted(Path(__file__).parent.glob("chapter_[0-9][0-9].py"))
each_chapter = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def exercises_of(file: Path) -> list[str]:
    """The ids of the chapter that a file answers."""
    chapter = str(int(file.stem.removeprefix("chapter_")))
    return [id for id in all_exercises() if id.partition(".")[0] == chapter]


@each_chapter
@pytest.mark.parametrize("seed", [1, 22, 333])
def test_every_exercise_of_the_chapter_is_answered_right(
    file: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = exercises_of(file)
    status = main(["check", str(file), "--only", *ids, "--seed", str(seed)])
    printed = capsys.readouterr().out
    found = json.loads(printed.splitlines()[-1])
    assert (found["right"], found["seed"], status) == (ids, seed, 0), printed


@each_chapter
def test_answers_are_the_students_own(file: Path) -> None:
    """They use PyTorch and NumPy, and nothing of the functions that they stand for."""
    text = file.read_text(encoding="utf-8")
    for id in exercises_of(file):
        name = all_exercises()[id].name
        assert f"def {name}(" in text
        imported = [line for line in text.splitlines() if "import" in line and "albert_lib" in line]
        assert not any(name in line for line in imported)


def test_every_chapter_is_answered() -> None:
    chapters = {int(id.partition(".")[0]) for id in all_exercises()}
    assert {int(file.stem[-2:]) for file in FILES} == chapters
