"""What the tests of grading share: the command, what was handed in, and what came out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from albert_lib.classroom.results import SubmissionResult, as_result
from albert_lib.files import project_folder, read_json
from benchmarks.generated_class import Learner, notebook_of

CHAPTER = 8  # one quick exercise
STEM = notebook_of(CHAPTER).stem
MEGABYTE = "x" * 2**20
# Files that cannot be graded, and what is said of each.
BAD_FILES = {
    "not-json": ("no json {", "is not valid JSON"),
    "another-json": ('{"cells": 3}', "is JSON and no notebook"),
    "no-answer-cell": ('{"cells": []}', "has no answer cell"),
    "another-chapter": (notebook_of(2).read_text(encoding="utf-8"), "of another chapter"),
    "fifty-megabytes": ('{"cells": [{"cell_type": "code", "source": "' + 50 * MEGABYTE + '"}]}',
                        "letters, more than is read"),
    "deep": ("[" * 100_000, "no notebook"),
    "nothing-in-it": (None, "holds no notebook"),
}  # fmt: skip


@dataclass(frozen=True)
class GradedClass:
    """What a class has handed in and deserves, and the folder of what came out."""

    folder: Path
    learners: dict[str, Learner]

    @property
    def output(self) -> Path:
        return self.folder / "graded"

    def result(self, learner: str, assignment: str = STEM) -> SubmissionResult:
        return as_result(read_json(self.output / "results" / assignment / f"{learner}.json"))

    def feedback(self, learner: str) -> str:
        place = self.output / "feedback" / learner / STEM / f"{STEM}.html"
        return place.read_text(encoding="utf-8")


def grade(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the command on a folder; of whom nothing may be left when it has ended."""
    return subprocess.Popen(
        [sys.executable, "-m", "albert_lib", "grade", str(folder), *words],
        cwd=project_folder(),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """What a command has printed; fails where it failed."""
    printed = process.communicate(timeout=900)[0]
    assert process.returncode == 0, printed
    return printed


def hand_in_bad_files(folder: Path) -> None:
    for name, (text, _) in BAD_FILES.items():
        place = folder / "submitted" / name / STEM
        place.mkdir(parents=True)
        if text is not None:
            (place / f"{STEM}.ipynb").write_text(text, encoding="utf-8")


def hand_in_sources(folder: Path, sources: Sequence[tuple[str, str, str]]) -> None:
    """Hand in .py files: learner, assignment, text."""
    for learner, assignment, text in sources:
        place = folder / "submitted" / learner / assignment
        place.mkdir(parents=True)
        (place / f"{assignment}.py").write_text(text, encoding="utf-8")
