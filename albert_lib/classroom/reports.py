"""Everything that is written about a class once it is graded, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from albert_lib.classroom.gradebook import Mark, write_grades
from albert_lib.classroom.late import LateRule
from albert_lib.classroom.pages import feedback_page
from albert_lib.classroom.summary import ClassSummary, class_figure, summary_page
from albert_lib.files import new_file


def write_reports(output: Path, given: Sequence[Mark], rule: LateRule) -> list[Path]:
    """Write grades.csv, a feedback page a submission, and a summary an assignment.

    Feedback lies where nbgrader would put it: feedback/NAME/ASSIGNMENT/ASSIGNMENT.html. Returns
    what a teacher looks at: the table and the summaries.
    """
    grades = output / "grades.csv"
    write_grades(grades, given, rule)
    for mark in given:
        learner, assignment = mark.result.learner, mark.result.assignment
        _write(
            output / "feedback" / learner / assignment / f"{assignment}.html", feedback_page(mark)
        )
    written = [grades]
    for assignment in dict.fromkeys(mark.result.assignment for mark in given):
        own = [mark for mark in given if mark.result.assignment == assignment]
        summary = ClassSummary(assignment, own)
        picture, alt = class_figure(summary)
        with new_file(output / f"summary-{assignment}.png") as unfinished:
            unfinished.write_bytes(picture)
        page = output / f"summary-{assignment}.html"
        _write(page, summary_page(summary, picture, alt))
        written.append(page)
    return written


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with new_file(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
