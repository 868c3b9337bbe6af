"""The marks of a class where nbgrader looks for them: its gradebook, and its table of grades."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from albert_lib.classroom.cells import graded_cells
from albert_lib.classroom.late import LateRule
from albert_lib.classroom.release import ClassroomError, course_api
from albert_lib.classroom.results import SubmissionResult
from albert_lib.classroom.submissions import Assignment
from albert_lib.errors import listed
from albert_lib.files import new_file

COLUMNS = (  # of nbgrader's own export
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


@dataclass(frozen=True)
class Mark:
    """What a learner gets for an assignment: the points won, those lost for lateness, the rest."""

    result: SubmissionResult
    lost_late: float

    @property
    def score(self) -> float:
        """The points that are left."""
        return max(0.0, self.result.points - self.lost_late)


def marks(results: Sequence[SubmissionResult], rule: LateRule) -> list[Mark]:
    """The results with what lateness costs."""
    found = []
    for result in results:
        at = datetime.datetime.fromisoformat(result.handed_in) if result.handed_in else None
        found.append(Mark(result, rule.points_lost(result.assignment, at, result.points)))
    return found


def write_grades(file: Path, given: Sequence[Mark], rule: LateRule) -> None:
    """Write grades.csv with the columns of `nbgrader export`; times are in UTC, as there."""
    with new_file(file) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n", restval="")
        table.writeheader()
        for mark in given:
            result, due = mark.result, rule.due.get(mark.result.assignment)
            at = datetime.datetime.fromisoformat(result.handed_in) if result.handed_in else None
            table.writerow(
                {
                    "assignment": result.assignment,
                    "duedate": _utc(due),
                    "timestamp": _utc(at),
                    "student_id": result.learner,
                    "raw_score": result.points,
                    "late_submission_penalty": mark.lost_late,
                    "score": mark.score,
                    "max_score": result.of,
                }
            )


def update_gradebook(
    course: Path, assignments: Mapping[str, Assignment], given: Sequence[Mark]
) -> int:
    """Put marks into the gradebook of an nbgrader course; return how many.

    Learners are added to it as far as they are missing. Raises ClassroomError where nbgrader is
    missing, or knows nothing of the assignments, because they were not released from this course.
    """
    unknown: list[str] = []
    count = 0
    with course_api(course).gradebook as book:
        for mark in given:
            assignment = assignments[mark.result.assignment]
            if assignment.notebook is not None and _enter(book, mark, assignment.notebook):
                count += 1
            else:
                unknown.append(assignment.name)
    if unknown:
        raise ClassroomError(
            f"{course} has no release of {listed(dict.fromkeys(unknown))} in its gradebook; "
            f"release it there with `nbgrader generate_assignment`, or use grades.csv alone."
        )
    return count


def _enter(book: Any, mark: Mark, notebook: Path) -> bool:
    """Put one mark into an open gradebook; whether the assignment is in there."""
    from nbgrader.api import MissingEntry

    result, cells = mark.result, graded_cells(notebook)
    try:
        book.find_notebook(notebook.stem, result.assignment)
    except MissingEntry:
        return False
    book.update_or_create_student(result.learner)
    when = {"timestamp": result.handed_in} if result.handed_in else {}
    submission = book.update_or_create_submission(result.assignment, result.learner, **when)
    for answer in result.answers:
        name = cells[answer.exercise][0]
        grade = book.find_grade(name, notebook.stem, result.assignment, result.learner)
        grade.auto_score, grade.needs_manual_grade = answer.points, False
    for each in submission.notebooks:
        each.late_submission_penalty = mark.lost_late
    book.db.commit()
    return True


def is_course(folder: Path) -> bool:
    """Whether a folder is an nbgrader course."""
    return (folder / "nbgrader_config.py").is_file()


def _utc(at: datetime.datetime | None) -> str:
    return at.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(" ") if at else ""
