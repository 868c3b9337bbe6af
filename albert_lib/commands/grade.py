"""grade: check what a class has handed in, and write marks, feedback and a summary."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from albert_lib.classroom.gradebook import is_course, marks, update_gradebook
from albert_lib.classroom.grading import grade_class
from albert_lib.classroom.late import LateRule
from albert_lib.classroom.limits import Limits
from albert_lib.classroom.reports import write_reports
from albert_lib.classroom.results import SubmissionResult
from albert_lib.classroom.submissions import assignments_of, course_folder, find_submissions
from albert_lib.errors import counted
from albert_lib.files import ready_to_write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "submissions",
        type=Path,
        metavar="SUBMISSIONS",
        help="an nbgrader course, its submitted/ (NAME/ASSIGNMENT/*.ipynb), or a folder of "
        "notebooks or .py files, one a learner",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="else graded/ beside it")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="submissions at a time")
    parser.add_argument(
        "--assignment", nargs="+", default=[], metavar="NAME", help="these alone, else all"
    )
    parser.add_argument(
        "--chapter", type=int, metavar="N", help="of the exercises, where names do not tell"
    )
    parser.add_argument(
        "--memory", type=int, default=Limits.memory, metavar="MB", help="that an answer may take"
    )
    parser.add_argument(
        "--late", type=Path, metavar="FILE.toml", help="when what is due, and what lateness costs"
    )
    parser.add_argument(
        "--salt", default="", metavar="WORD", help="of yours, so that nobody can foresee the inputs"
    )


def run(options: argparse.Namespace) -> int:
    """Grade, and say what was written; 0 whatever the marks are."""
    submissions = find_submissions(options.submissions, options.assignment)
    rule = LateRule.from_file(options.late) if options.late else LateRule()
    course = course_folder(options.submissions)
    assignments = assignments_of(submissions, course, options.chapter)
    output = ready_to_write(options.output or course / "graded")
    progress = Progress()
    results = grade_class(
        submissions,
        assignments,
        output,
        jobs=max(1, options.jobs),
        limits=Limits(memory=options.memory),
        salt=options.salt,
        say=progress,
    )
    progress.end(len(results))
    given = marks(results, rule)
    for path in write_reports(output, given, rule):
        print(path)
    print(f"{output / 'feedback'}: a page for everybody")
    if is_course(course):
        count = update_gradebook(course, assignments, given)
        print(f"{counted(count, 'submission')} in the gradebook of {course}")
    return 0


class Progress:
    """A line that says how far grading is: the same one in a terminal, else one in ten results."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, done: int, all: int, result: SubmissionResult) -> None:
        """Say that another submission is done."""
        seconds = time.monotonic() - self.began
        line = (
            f"{done} of {all} graded, {seconds:.0f} s: {result.learner}, {result.assignment}, "
            f"{result.points:g} of {result.of:g}"
        )
        if sys.stdout.isatty():
            print(f"\r{line:<78.78}", end="", flush=True)
        elif done == all or done % max(1, all // 10) == 0:
            print(line, flush=True)

    def end(self, count: int) -> None:
        """Say how long all took."""
        if sys.stdout.isatty():
            print()
        print(f"{count} submissions in {time.monotonic() - self.began:.0f} s.")
