"""What grading found, a file a submission: written at once, so that a kill leaves none half."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import albert_lib
from albert_lib.errors import AlbertLibError
from albert_lib.files import project_folder, read_json, write_json


class ResultError(AlbertLibError, ValueError):
    """A stored result cannot be read."""


@dataclass(frozen=True)
class AnswerResult:
    """What became of one answer, its points of so many, and the reason for what is lost.

    `status` is one of the check's, or "missing", "unreadable" or "stopped".
    """

    exercise: str
    title: str
    status: str
    points: float
    of: float
    reason: str
    seed: int
    misconception: str | None = None
    partial: bool = False
    digest: str | None = None  # shared by answers that read alike
    lines: int = 0


@dataclass(frozen=True)
class SubmissionResult:
    """What became of a submission; `problem` where the file itself could not be graded."""

    learner: str
    assignment: str
    key: str  # changes with the file, its time, the library, the seed and the points
    handed_in: str | None
    answers: tuple[AnswerResult, ...] = field(default=())
    problem: str | None = None

    @property
    def points(self) -> float:
        """The points of all answers, before any are taken for being late."""
        return sum(answer.points for answer in self.answers)

    @property
    def of(self) -> float:
        """The points that there are."""
        return sum(answer.of for answer in self.answers)


def seed_of(learner: str, chapter: str, salt: str = "") -> int:
    """The seed of a learner's inputs in a chapter: another for everybody, the same every time.

    Example:
        >>> seed_of("ada", "2") == seed_of("ada", "2"), seed_of("ada", "2") == seed_of("bob", "2")
        (True, False)
    """
    text = "\0".join((learner, chapter, salt))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@functools.cache
def library_mark() -> str:
    """The version of albert_lib with a digest of its code: with another one all is graded anew."""
    mark = hashlib.sha256()
    for path in sorted((project_folder() / "albert_lib").rglob("*.py")):
        mark.update(path.read_bytes())
    return f"{albert_lib.__version__}+{mark.hexdigest()[:12]}"


def result_file(output: Path, learner: str, assignment: str) -> Path:
    """Where the result of a submission is kept."""
    return output / "results" / assignment / f"{learner}.json"


def save_result(output: Path, result: SubmissionResult) -> None:
    """Keep a result; the file is there whole or not at all."""
    file = result_file(output, result.learner, result.assignment)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, asdict(result))


def load_result(output: Path, learner: str, assignment: str, key: str) -> SubmissionResult | None:
    """The result that is kept for exactly this key, or None."""
    file = result_file(output, learner, assignment)
    if not file.is_file():
        return None
    try:
        result = as_result(read_json(file, ResultError))
    except (ResultError, TypeError, KeyError):  # damaged: it is graded again
        return None
    return result if result.key == key else None


def as_result(stored: dict[str, Any]) -> SubmissionResult:
    """A result from what was written of it."""
    answers = tuple(AnswerResult(**answer) for answer in stored["answers"])
    return SubmissionResult(**{**stored, "answers": answers})
