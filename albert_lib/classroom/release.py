"""Build the nbgrader course of the workbook.

`python -m albert_lib.classroom.release` makes build/classroom, an nbgrader course whose
assignments are the unchanged notebooks, and their release versions. nbgrader itself does the
grading: put a student's files in submitted/STUDENT/ASSIGNMENT/, then run
`nbgrader autograde ASSIGNMENT` and `nbgrader generate_feedback ASSIGNMENT` in that folder.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from albert_lib.errors import AlbertLibError, counted
from albert_lib.files import build_folder, project_folder

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

CAUSE = re.compile(r"^ *[\w.]+(?:Error|Exception): (.+)$", re.MULTILINE)  # in nbgrader's log


class ClassroomError(AlbertLibError, RuntimeError):
    """nbgrader is missing, or refused a notebook."""


def make_course(folder: Path, notebooks: Sequence[Path]) -> list[str]:
    """Create an nbgrader course in `folder`, an assignment per notebook; return their names.

    Submissions and grades in `folder` are left unchanged.
    """
    (folder / "exchange").mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(CONFIGURATION, encoding="utf-8")
    for notebook in notebooks:
        source = folder / "source" / notebook.stem
        source.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook, source / notebook.name)
    return [notebook.stem for notebook in notebooks]


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
    options = parser.parse_args(arguments)
    notebooks = sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb"))
    try:
        if not notebooks:
            raise ClassroomError(
                f"{project_folder()} has no notebooks; build the course in a clone of the project."
            )
        for assignment in make_course(options.folder.resolve(), notebooks):
            released = release(options.folder.resolve(), assignment)
            print(f"{assignment:<32}{released.relative_to(options.folder.resolve())}", flush=True)
    except ClassroomError as problem:
        print(problem, file=sys.stderr)
        return 1
    made = counted(len(notebooks), "assignment")
    print(f"{made} in {options.folder}; hand out what is in release/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
