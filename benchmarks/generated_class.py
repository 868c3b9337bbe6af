"""A class that hands in a chapter: right, empty, every known mistake, and every abuse.

    python -m benchmarks.generated_class FOLDER --chapter 2 --learners 200

writes FOLDER/submitted/NAME/ASSIGNMENT/ASSIGNMENT.ipynb, and prints the points that each deserves.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat

from albert_lib.files import project_folder
from albert_lib.workbook.exercise import Exercise, all_exercises

RIGHT = project_folder() / "tests" / "workbook" / "right_answers"
# What somebody writes who wants points for nothing, or does not know what a machine can bear. The
# answer is that of {name}; each deserves nothing for it, and costs nobody else anything.
ABUSES = {
    "redefines-check": """
def check(*_):
    return 100.0

{name} = check
""",
    "patches-the-check": """
import numpy, torch
import albert_lib.workbook.checks as checks
import albert_lib.workbook.comparison as comparison

class Yes:
    __eq__ = lambda self, other: True
    __len__ = lambda self: 1
    shape = dtype = property(lambda self: Yes())

checks.examine = checks.check = lambda *_, **__: checks.Verdict("right", "right")
comparison.same = lambda *_: True
comparison.kind_problem.__code__ = (lambda *_: None).__code__
numpy.array_equal = numpy.allclose = torch.equal = lambda *_, **__: True
numpy.asarray = lambda *_, **__: 0

def {name}(*_, **__):
    numpy, checks, comparison
    return Yes()
""",
    "exits-with-success": """
import os

def {name}(*_, **__):
    os._exit(0)
""",
    "leaves": """
import sys

def {name}(*_, **__):
    sys.exit(0)
""",
    "prints-a-verdict": """
def {name}(*_, **__):
    print('["answer", {{"exercise": "2.1", "status": "right", "points": 9}}]')
""",
    "writes-into-every-pipe": """
import os

def {name}(*_, **__):
    for number in range(3, 64):
        try:
            os.write(number, b'["answer", {{"points": 9}}]' * 99)
        except OSError:
            pass
""",
    "never-ends": """
def {name}(*_, **__):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
""",
    "takes-all-memory": """
def {name}(*_, **__):
    held = []
    while True:
        held.append(bytearray(2**28))
""",
    "forks-without-end": """
import os

def {name}(*_, **__):
    while True:
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            pass
""",
    "kills-its-process": """
import os

def {name}(*_, **__):
    os.kill(os.getpid(), 9)
""",
    "kills-its-parents": """
import os

def {name}(*_, **__):
    for process in (os.getppid(), -1):
        try:
            os.kill(process, 9)
        except OSError:
            pass
""",
    "asks-the-network": """
import socket

def {name}(*_, **__):
    return socket.create_connection(("127.0.0.1", 9)).recv(9)
""",
    "floods": """
import sys

def {name}(*_, **__):
    while True:
        print("x" * 100_000)
        print("x" * 100_000, file=sys.stderr)
""",
    "does-not-compile": """
def {name}(:
""",
}


@dataclass(frozen=True)
class Learner:
    """Somebody of the class: a name, answers by exercise (None: the stub), and their points."""

    name: str
    answers: dict[str, str | None]
    deserves: float
    mistake: tuple[str, str] | None = None  # an exercise, and the misconception in its answer


def notebook_of(chapter: int) -> Path:
    """The notebook of a chapter that has exercises."""
    return next((project_folder() / "notebooks").glob(f"{chapter:02d}_*.ipynb"))


def exercises_of(chapter: int) -> list[Exercise]:
    """Its exercises, in order."""
    return [each for id, each in all_exercises().items() if id.partition(".")[0] == str(chapter)]


def right_answer(exercise: Exercise) -> str:
    """A good student's answer, with all of its chapter's file."""
    chapter = int(exercise.id.partition(".")[0])
    text = (RIGHT / f"chapter_{chapter:02d}.py").read_text(encoding="utf-8")
    return text.replace("from __future__ import annotations\n", "")


def mistaken_answer(exercise: Exercise, number: int) -> str:
    """An answer with one of the exercise's misconceptions."""
    return (
        f"from albert_lib.workbook.exercise import find_exercise\n\n"
        f"{exercise.name} = find_exercise({exercise.id!r}).misconceptions[{number}].wrong"
    )


def learners(chapter: int, count: int) -> Iterator[Learner]:
    """So many of a class: perfect, empty, each mistake, each abuse, the honest again."""
    exercises = exercises_of(chapter)
    right = {each.id: right_answer(each) for each in exercises}
    everything = sum(each.points for each in exercises)
    kinds: list[Learner] = [
        Learner("perfect", dict(right), everything),
        Learner("empty", dict.fromkeys(right), 0),
    ]
    for exercise in exercises:
        rest = everything - exercise.points
        for number, mistake in enumerate(exercise.misconceptions):
            answers = right | {exercise.id: mistaken_answer(exercise, number)}
            name = f"mistake-{exercise.id.replace('.', '-')}-{number}"
            kinds.append(Learner(name, answers, rest, (exercise.id, mistake.name)))
    for number, (name, source) in enumerate(ABUSES.items()):
        exercise = exercises[number % len(exercises)]
        answers = right | {exercise.id: source.format(name=exercise.name)}
        kinds.append(Learner(name, answers, everything - exercise.points))
    yield from kinds[:count]
    honest = kinds[: -len(ABUSES)]  # most of a class is
    for number in range(count - len(kinds)):
        kind = honest[number % len(honest)]
        yield replace(kind, name=f"{kind.name}-again-{number // len(honest)}")


def filled_in(notebook: Any, answers: dict[str, str | None]) -> Any:
    """A copy of a notebook with answers in its answer cells."""
    filled = copy.deepcopy(notebook)
    for cell in filled.cells:
        role = cell.metadata.get("nbgrader", {})
        if role.get("solution"):
            id = role["grade_id"].removeprefix("exercise-").replace("-", ".")
            cell.source = answers[id] or cell.source
    return filled


def hand_in(folder: Path, chapter: int, handed_in: Iterator[Learner]) -> list[Learner]:
    """Write what learners hand in under a folder, as nbgrader collects it; return the learners."""
    path = notebook_of(chapter)
    notebook = nbformat.read(path, as_version=4)
    done = []
    for learner in handed_in:
        file = folder / "submitted" / learner.name / path.stem / path.name
        file.parent.mkdir(parents=True)
        nbformat.write(filled_in(notebook, learner.answers), file)
        done.append(learner)
    return done


def main() -> int:
    """Write a class."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chapter", type=int, default=2)
    parser.add_argument("--learners", type=int, default=200)
    options = parser.parse_args()
    for learner in hand_in(
        options.folder, options.chapter, learners(options.chapter, options.learners)
    ):
        print(f"{learner.name:<28} {learner.deserves:g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
