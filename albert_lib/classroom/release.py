"""Build the nbgrader course of the workbook.

`python -m albert_lib.classroom.release` makes build/classroom, an nbgrader course whose
assignments are the notebooks, and their release versions. The library's own solutions, which
`reveal` shows, are left out or opened on a day. What comes back, in submitted/STUDENT/ASSIGNMENT/,
is graded by `python -m albert_lib grade`, or by nbgrader itself.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

from albert_lib.errors import AlbertLibError, WriteError, counted
from albert_lib.files import build_folder, project_folder, ready_to_write, told_if_unwritable

if TYPE_CHECKING:
    from nbgrader.apps import NbGraderAPI

CONFIGURATION = '''"""nbgrader's settings for this course."""

from pathlib import Path

c = get_config()

c.CourseDirectory.course_id = "albert"
c.CourseDirectory.root = str(Path(__file__).parent)
c.Exchange.root = str(Path(__file__).parent / "exchange")

# The stubs are the solution cells: they hold no solution that must be cleared.
c.ClearSolutions.enabled = False

# Seconds per cell. An endless loop is stopped here and scores 0 for its cell; the longest cell
# of the notebooks is pretraining in chapter 5.
c.Execute.timeout = 240

# A check cell that a student tags "skip-execution" would count as right.
c.Execute.skip_cells_with_tag = ""
'''

NEVER, ALWAYS = "never", "always"
REVEAL = re.compile(r"^reveal\(\"(\d+\.\d+)\"\)$", re.MULTILINE)
CAUSE = re.compile(r"^ *[\w.]+(?:Error|Exception): (.+)$", re.MULTILINE)  # in nbgrader's log


class ClassroomError(AlbertLibError, RuntimeError):
    """nbgrader is missing, or refused a notebook."""


def make_course(folder: Path, notebooks: Sequence[Path], reveal: str = NEVER) -> list[str]:
    """Create an nbgrader course in `folder`, an assignment per notebook; return their names.

    `reveal` says from when on the library's own solutions are shown: NEVER, ALWAYS, or a date.
    Submissions and grades in `folder` are left unchanged. Raises ClassroomError for another word.
    """
    (folder / "exchange").mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(CONFIGURATION, encoding="utf-8")
    for notebook in notebooks:
        source = folder / "source" / notebook.stem
        source.mkdir(parents=True, exist_ok=True)
        changed = with_reveal(nbformat.read(notebook, as_version=4), reveal)
        nbformat.write(changed, source / notebook.name)
    return [notebook.stem for notebook in notebooks]


def with_reveal(notebook: NotebookNode, reveal: str) -> NotebookNode:
    """A copy of a notebook that shows the library's solutions NEVER, ALWAYS or from a date on.

    Their stored outputs, which hold the solutions, are left out with them. Raises ClassroomError
    for anything but those words and a date such as 2027-01-08.
    """
    if reveal == ALWAYS:
        return copy.deepcopy(notebook)
    if reveal != NEVER:
        try:
            datetime.date.fromisoformat(reveal)
        except ValueError:
            raise ClassroomError(
                f"{reveal!r} is no date; write it as 2027-01-08, or {NEVER!r} or {ALWAYS!r}."
            ) from None
    kept = []
    for cell in copy.deepcopy(notebook).cells:
        if cell.cell_type == "code" and REVEAL.search(cell.source):
            later = rf'reveal("\1", opens="{reveal}")' if reveal != NEVER else ""
            cell.source = REVEAL.sub(later, cell.source).strip()
            cell.outputs, cell.execution_count = [], None
            if not cell.source:
                continue
        kept.append(cell)
    return NotebookNode({**notebook, "cells": kept})


def release(folder: Path, assignment: str) -> Path:
    """Make the release version of one assignment; return its folder.

    Raises ClassroomError when nbgrader is missing or refuses the notebook.
    """
    result = course_api(folder).generate_assignment(assignment, force=True, create=True)
    if not result["success"]:
        found = CAUSE.search(result["log"] or result["error"] or "")
        reason = found[1] if found else "see the notebook's nbgrader metadata"
        raise ClassroomError(
            f"nbgrader could not release {assignment} ({reason}); "
            f"correct the notebook in notebooks/ and build the course again."
        )
    return folder / "release" / assignment


def course_api(folder: Path) -> NbGraderAPI:
    """The course in `folder` as nbgrader sees it, with the settings written there."""
    try:
        from nbgrader.apps import NbGraderAPI
    except ImportError:
        raise ClassroomError(
            "nbgrader is not installed; install the project with its test tools: "
            "pip install -e '.[test]'."
        ) from None
    from traitlets.config.loader import PyFileConfigLoader

    # nbgrader calls alembic by name, which is found only where the environment is activated
    own_programs = str(Path(sys.executable).parent)
    if own_programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = own_programs + os.pathsep + os.environ["PATH"]
    settings = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    return NbGraderAPI(config=settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the course; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m albert_lib.classroom.release",
        description="Build the nbgrader course of the workbook.",
    )
    parser.add_argument("--folder", type=Path, default=build_folder() / "classroom")
    parser.add_argument(
        "--reveal",
        default=NEVER,
        metavar="WHEN",
        help="when notebooks show the library's solutions: never, always, or from a date on, "
        "such as 2027-01-08",
    )
    options = parser.parse_args(arguments)
    notebooks = sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb"))
    try:
        if not notebooks:
            raise ClassroomError(
                f"{project_folder()} has no notebooks; build the course in a clone of the project."
            )
        folder = ready_to_write(options.folder).resolve()
        with told_if_unwritable(folder):
            for assignment in make_course(folder, notebooks, options.reveal):
                released = release(folder, assignment)
                print(f"{assignment:<32}{released.relative_to(folder)}", flush=True)
    except (ClassroomError, WriteError) as problem:
        print(problem, file=sys.stderr)
        return 1
    made = counted(len(notebooks), "assignment")
    print(f"{made} in {options.folder}; hand out what is in release/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
