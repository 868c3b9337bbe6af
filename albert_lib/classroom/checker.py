"""The process that checks one submission: it reads the file as text and runs none of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from albert_lib.classroom.cells import (
    Code,
    SubmissionError,
    digest_of,
    lines_of,
    read_cells,
    says_how_many,
)
from albert_lib.classroom.limits import Limits, Stranger, keep_from_being_read
from albert_lib.classroom.remote_function import RemoteFunction
from albert_lib.classroom.results import AnswerResult
from albert_lib.classroom.submissions import Assignment, Submission
from albert_lib.errors import listed
from albert_lib.workbook.checks import Verdict, examine
from albert_lib.workbook.elsewhere import StoppedElsewhere
from albert_lib.workbook.exercise import Exercise

HERE = re.compile(r"\(here: ([^()]*)\)")  # what nbval does not compare is plain text on a page
SLOWNESS = re.compile(r", [\d.,]+ times the library's time")  # the way between processes is in it


def check_submission(
    submission: Submission,
    assignment: Assignment,
    seed: int,
    limits: Limits,
    user: Stranger | None,
    results: Connection,
    done: Sequence[str],
) -> None:
    """Check every answer that is not `done`; be the process that does, to its end.

    Sends `["begins", exercise]` and `["answer", …]` for each, or `["problem", sentence]`.
    """
    try:
        os.setpgid(0, 0)
        keep_from_being_read()
        code = readable_code(submission, assignment)
        for exercise in assignment.exercises:
            if exercise.id not in done:
                _send(results, "begins", exercise.id)
                of = assignment.points[exercise.id]
                found = check_answer(code, exercise, of, seed, limits, user)
                _send(results, "answer", asdict(found))
        _send(results, "end", None)
    except SubmissionError as problem:
        _send(results, "problem", str(problem))
    except BaseException as problem:  # a mistake of ours stops nobody else's grading
        _send(results, "problem", f"The grader itself failed: {type(problem).__name__}: {problem}")
    finally:
        os._exit(0)


def readable_code(submission: Submission, assignment: Assignment) -> Code:
    """The code of a submission; SubmissionError where there is no answer in it at all."""
    cells = read_cells(submission.file)
    code = Code(cells) if cells else None
    names = [exercise.name for exercise in assignment.exercises]
    ids = list(assignment.points)
    if code is None or not (
        any(cell.answers in ids or cell.checks in ids for cell in cells)
        or any(code.needed_for(id, name) for id, name in zip(ids, names, strict=True))
        or code.unread
    ):
        raise SubmissionError(
            f"{submission.file.name} has no answer cell: {says_how_many(cells)}, and none of them "
            f"defines {listed(names)}. Was it the notebook of another chapter?"
        )
    return code


def check_answer(
    code: Code, exercise: Exercise, of: float, seed: int, limits: Limits, user: Stranger | None
) -> AnswerResult:
    """Run one answer in a process of its own, and check what it says here."""
    statements = code.needed_for(exercise.id, exercise.name)

    def result(status: str, reason: str, verdict: Verdict | None = None) -> AnswerResult:
        return AnswerResult(
            exercise.id,
            exercise.title,
            status,
            of if status == "right" else 0.0,
            of,
            reason,
            seed,
            verdict.misconception if verdict else None,
            bool(verdict and verdict.partial),
            digest_of(statements, exercise.name),
            lines_of(statements, exercise.name),
        )

    if problem := code.why_unread(exercise.id):
        return result("unreadable", f"The answer is no Python that can be run ({problem}).")
    if not statements:
        return result(
            "missing",
            f"There is no function {exercise.name} in any cell up to the check of exercise "
            f"{exercise.id}.",
        )
    try:
        with RemoteFunction(statements, exercise.name, limits, user) as function:
            if not function.found:
                said = function.problem or "the statement that defines it was not reached"
                return result("raised", f"There is no function {exercise.name}: {said}")
            asked = function if function.is_function else function.value
            verdict = examine(exercise, asked, seed)
    except StoppedElsewhere as problem:
        return result("stopped", f"{str(problem)[:1].upper()}{str(problem)[1:]}")
    return result(verdict.status, as_plain_text(verdict.text), verdict)


def as_plain_text(said: str) -> str:
    """What a check prints, without the marks that only a notebook needs.

    Example:
        >>> as_plain_text("It agrees (here: seed=7, 1.5 times the library's time).")
        'It agrees (seed=7).'
    """
    return HERE.sub(r"(\1)", SLOWNESS.sub("", said))


def _send(results: Connection, kind: str, held: Any) -> None:
    results.send_bytes(json.dumps([kind, held]).encode())
