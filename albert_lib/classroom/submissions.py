"""What a class has handed in: who, which assignment, which file, and when."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from albert_lib.classroom.cells import SubmissionError, graded_cells, read_cells
from albert_lib.errors import AlbertLibError, InputError, listed
from albert_lib.files import project_folder
from albert_lib.workbook.exercise import Exercise, all_exercises

SUFFIXES = (".ipynb", ".py")
TIMESTAMP = "timestamp.txt"  # that nbgrader writes when it collects


@dataclass(frozen=True)
class Submission:
    """One learner's file for one assignment; `problem` where there is none to grade."""

    learner: str
    assignment: str
    file: Path
    handed_in: datetime.datetime | None = None
    problem: str | None = None

    @property
    def name(self) -> str:
        """Whose, and for what."""
        return f"{self.learner}/{self.assignment}"

    def digest(self) -> str:
        """The file's SHA-256, "" where it cannot be read."""
        try:
            with self.file.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return ""


@dataclass(frozen=True)
class Assignment:
    """An assignment's exercises in reading order, with their points.

    `notebook` is the course's own, if it is there.
    """

    name: str
    points: dict[str, float]
    notebook: Path | None = None

    @property
    def chapter(self) -> str:
        """What seeds are drawn from, beside the learner: the chapter of the exercises."""
        return next(iter(self.points), "").partition(".")[0]

    @property
    def exercises(self) -> list[Exercise]:
        """The exercises themselves."""
        known = all_exercises()
        return [known[id] for id in self.points]


def find_submissions(folder: Path, only: Sequence[str] = ()) -> list[Submission]:
    """What lies in a folder, by assignment and learner.

    The folder holds NAME/ASSIGNMENT/ as nbgrader collects it (or a folder `submitted` that does),
    or the files themselves: NAME.ipynb, NAME.py, or NAME_ASSIGNMENT.ipynb. `only` names the
    assignments that count. Raises InputError where there is nothing to grade.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name the one with what was handed in.")
    if (folder / "submitted").is_dir():
        folder = folder / "submitted"
    nested = sorted(path for path in folder.glob("*/*") if path.is_dir() and _counts(path))
    found = list(map(_nested, nested))
    if not nested:
        found = [_flat(path) for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]
    if only:
        found = [each for each in found if each.assignment in only]
    if not found:
        wanted = f" for {listed(only)}" if only else ""
        raise InputError(
            f"{folder} holds nothing to grade{wanted}; it should hold NAME/ASSIGNMENT/ with a "
            f"notebook each, as nbgrader collects them, or notebooks and .py files."
        )
    return sorted(found, key=lambda each: (each.assignment, each.learner))


def assignments_of(
    submissions: Sequence[Submission], course: Path, chapter: int | None = None
) -> dict[str, Assignment]:
    """The assignments that were handed in, by name.

    Exercises and points are those of the course's own notebook, source/ASSIGNMENT/*.ipynb in its
    folder; without one, the library's for the chapter that the assignment is named after, such as
    "02_masking"; and else for the exercises that the class has answered. `chapter` overrules names.
    """
    found = {}
    for name in dict.fromkeys(each.assignment for each in submissions):
        notebooks = sorted((course / "source" / name).glob("*.ipynb"))
        if notebooks and chapter is None:
            found[name] = Assignment(name, _points_in(notebooks[0]), notebooks[0])
            continue
        numbered = re.match(r"0*(\d+)", name)
        number = chapter if chapter is not None else int(numbered[1]) if numbered else None
        ids = [id for id in all_exercises() if number is not None and _chapter(id) == number]
        if not ids:
            ids = _answered(each.file for each in submissions if each.assignment == name)
        if not ids:
            raise InputError(
                f"Which exercises {name!r} asks for cannot be told; say the chapter, as in "
                f"--chapter 2, or name the assignment after it, as in 02_masking."
            )
        found[name] = Assignment(name, {id: float(all_exercises()[id].points) for id in ids})
    return found


def course_folder(folder: Path) -> Path:
    """The nbgrader course that a folder of submissions belongs to, or the folder itself."""
    return folder.resolve().parent if folder.resolve().name == "submitted" else folder


def _counts(folder: Path) -> bool:
    return not folder.name.startswith(".") and not folder.parent.name.startswith(".")


def _nested(folder: Path) -> Submission:
    learner, assignment = folder.parent.name, folder.name
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    own = [path for path in files if path.stem == assignment]
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    problem = None
    if not files:
        problem = f"{learner}/{assignment} holds no notebook and no .py file; it was not graded."
    file = (own or notebooks or files or [folder])[0]
    if not file.resolve().is_relative_to(folder.parent.parent.resolve()):
        problem = f"{file.name} is a link to a file elsewhere, which is not read."
    return Submission(learner, assignment, file, _timestamp(folder / TIMESTAMP), problem)


def _flat(file: Path) -> Submission:
    for notebook in sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb")):
        learner = file.stem.removesuffix(notebook.stem).rstrip("_- ")
        if file.stem.endswith(notebook.stem) and learner:
            return Submission(learner, notebook.stem, file)
    try:
        chapters = [_chapter(id) for id in _answered([file])]
    except AlbertLibError:
        chapters = []
    number = max(set(chapters), key=chapters.count, default=None)
    return Submission(file.stem, _assignment_name(number), file)


def _assignment_name(chapter: int | None) -> str:
    if chapter is None:
        return "unknown"
    names = sorted((project_folder() / "notebooks").glob(f"{chapter:02d}_*.ipynb"))
    return names[0].stem if names else f"{chapter:02d}"


def _answered(files: Iterator[Path] | Sequence[Path]) -> list[str]:
    """The exercises that files check, or define functions for; files that cannot be read none."""
    ids: set[str] = set()
    for file in files:
        try:
            cells = read_cells(file)
        except SubmissionError:
            continue
        checked = {cell.checks for cell in cells if cell.checks} or {
            exercise.id
            for exercise in all_exercises().values()
            if any(re.search(rf"^def {exercise.name}\(", cell.source, re.M) for cell in cells)
        }
        ids |= checked
    return [id for id in all_exercises() if id in ids]


def _chapter(id: str) -> int:
    return int(id.partition(".")[0])


def _points_in(notebook: Path) -> dict[str, float]:
    known = all_exercises()
    return {id: points for id, (_, points) in graded_cells(notebook).items() if id in known}


def _timestamp(file: Path) -> datetime.datetime | None:
    """The time in nbgrader's file, with UTC where it names no zone; None without one."""
    try:
        text = file.read_text(encoding="utf-8").strip().replace(" UTC", "+00:00")
        found = datetime.datetime.fromisoformat(text)
    except (OSError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
