"""A class: a notebook handed out, handed in by several students, graded by nbgrader."""

from __future__ import annotations

import copy
import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from graded import finished, grade
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from albert_lib.classroom.release import (
    ClassroomError,
    course_api,
    main,
    make_course,
    release,
    with_reveal,
)
from albert_lib.files import project_folder
from albert_lib.workbook import hints
from albert_lib.workbook.canonical import KERNEL
from albert_lib.workbook.exercise import all_exercises, find_exercise

pytest.importorskip("nbgrader", reason="nbgrader is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")  # nbgrader's own

MASKING = project_folder() / "notebooks" / "02_masking.ipynb"
DILUTED = """import torch.nn.functional as F


def mlm_loss(logits, labels):
    loss = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    return (loss * (labels != -100)).mean()
"""
LIBRARY_LOSS = "from albert_lib.model.losses import mlm_loss"
NOISY = f"""import sys
import warnings

{LIBRARY_LOSS} as loss


def mlm_loss(logits, labels):
    warnings.warn("careful", stacklevel=1)
    print("on stderr", file=sys.stderr)
    return loss(logits, labels)
"""


@pytest.fixture(autouse=True)
def quick_and_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Kernels use the package in this folder, and nobody's own Jupyter settings."""
    paths = [str(project_folder()), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


@dataclass(frozen=True)
class Graded:
    """What one student got back."""

    score: float
    best: float
    feedback: str
    notebook: NotebookNode

    @property
    def failed_cells(self) -> list[str]:
        return [
            cell.source
            for cell in self.notebook.cells
            if any(output.output_type == "error" for output in cell.get("outputs", []))
        ]


@dataclass(frozen=True)
class Course:
    """An nbgrader course with one assignment that was handed out."""

    folder: Path
    assignment: str

    def hand_in(self, student: str, solution: str | None, **check_cell: Any) -> None:
        """A student's copy of what was handed out, with the stub replaced."""
        name = f"{self.assignment}.ipynb"
        notebook = nbformat.read(self.folder / "release" / self.assignment / name, as_version=4)
        for cell in notebook.cells:
            role = cell.metadata.get("nbgrader", {})
            if role.get("solution") and solution is not None:
                cell.source = solution
            if role.get("grade"):
                cell.source = check_cell.get("source", cell.source)
                cell.metadata["tags"] = check_cell.get("tags", [])
        target = self.folder / "submitted" / student / self.assignment / name
        target.parent.mkdir(parents=True)
        nbformat.write(notebook, target)

    def graded(self, student: str) -> Graded:
        api = course_api(self.folder)
        outcome = api.autograde(self.assignment, student, create=True)
        assert outcome["success"], outcome
        outcome = api.generate_feedback(self.assignment, student)
        assert outcome["success"], outcome
        submission = api.get_submission(self.assignment, student)
        place = Path(student) / self.assignment / self.assignment
        page = (self.folder / "feedback" / place).with_suffix(".html")
        notebook = (self.folder / "autograded" / place).with_suffix(".ipynb")
        return Graded(
            score=submission["score"],
            best=submission["max_score"],
            feedback=page.read_text(encoding="utf-8"),
            notebook=nbformat.read(notebook, as_version=4),
        )


def small_notebook(path: Path) -> Path:
    """A notebook with one exercise and a cell after it."""
    stub = 'def mlm_loss(logits, labels):\n    """The loss."""\n    raise NotImplementedError'
    role = {"schema_version": 3, "task": False}
    solution = role | {"grade": False, "grade_id": "exercise", "locked": False, "solution": True}
    check = role | {"grade": True, "grade_id": "check", "locked": True, "solution": False}
    source = 'from albert_lib.workbook import check\n\ncheck("4.3", mlm_loss)'
    cells = [
        new_code_cell(stub, metadata={"nbgrader": solution}),
        new_code_cell(source, metadata={"nbgrader": check | {"points": 2}}),
        new_code_cell("print('the notebook runs on')"),
    ]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
    return path


def hand_out(folder: Path, notebook: Path) -> Course:
    (assignment,) = make_course(folder, [notebook])
    release(folder, assignment)
    return Course(folder, assignment)


def test_small_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALBERT_LIB_CHECK_SEED", "1")  # with it, notebook 00 prints the same
    course = hand_out(tmp_path / "course", small_notebook(tmp_path / "04_small.ipynb"))
    cheat = 'def check(id, function):\n    return 2.0\n\n\ncheck("4.3", None)'
    course.hand_in("perfect", LIBRARY_LOSS)
    course.hand_in("empty", None)
    course.hand_in("wrong", DILUTED)
    course.hand_in("noisy", NOISY)
    course.hand_in("skipping", None, tags=["skip-execution"])
    course.hand_in("rewriting", None, source=cheat)

    graded = {
        name: course.graded(name)
        for name in ("perfect", "empty", "wrong", "noisy", "skipping", "rewriting")
    }
    assert {name: one.score for name, one in graded.items()} == {
        "perfect": 2,
        "empty": 0,
        "wrong": 0,
        "noisy": 2,
        "skipping": 0,
        "rewriting": 0,
    }
    assert {one.best for one in graded.values()} == {2}
    assert "unmasked positions dilute the loss by 2.0×" in graded["wrong"].feedback
    assert "is not attempted yet" in graded["empty"].feedback
    assert "agrees with albert_lib" in graded["perfect"].feedback
    assert all("the notebook runs on" in one.feedback for one in graded.values())

    theirs = exported(course)
    assert "6 submissions in the gradebook" in finished(grade(course.folder))
    with (course.folder / "graded" / "grades.csv").open(encoding="utf-8", newline="") as stream:
        ours = list(csv.DictReader(stream))
    assert sorted(ours, key=str) == sorted(theirs, key=str)  # the same points, in the same table
    assert sorted(exported(course), key=str) == sorted(theirs, key=str)


def exported(course: Course) -> list[dict[str, str]]:
    """The table of grades as nbgrader writes it."""
    from nbgrader.plugins import CsvExportPlugin

    table = course.folder / "exported.csv"
    with course_api(course.folder).gradebook as book:
        CsvExportPlugin(to=str(table)).export(book)
    with table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_notebook_of_the_workbook_goes_through_a_class(tmp_path: Path) -> None:
    course = hand_out(tmp_path / "course", MASKING)
    exercises = [one for one in all_exercises().values() if one.id.startswith("2.")]
    names = ", ".join(one.name for one in exercises)
    library = f"from albert_lib.objectives import {names}"
    chapter = "albert_lib.workbook.exercises.chapter_02"
    course.hand_in("perfect", library)
    course.hand_in("empty", None)
    course.hand_in("wrong", f"{library}\nfrom {chapter} import from_the_left as choose_spans")

    perfect, empty, wrong = map(course.graded, ("perfect", "empty", "wrong"))
    all_points, points = sum(one.points for one in exercises), find_exercise("2.2").points
    assert (perfect.score, empty.score, wrong.score) == (all_points, 0, all_points - points)
    assert perfect.best == all_points
    assert "you walk from the left and run out of budget" in wrong.feedback
    assert "is not attempted yet" in empty.feedback
    assert perfect.failed_cells == []
    assert len(empty.failed_cells) == len(exercises)  # the checks: nothing else is blocked
    assert ['check("2.2"' in source for source in wrong.failed_cells] == [True]


def test_handed_out_stub_is_the_one_of_the_notebook(tmp_path: Path) -> None:
    course = hand_out(tmp_path / "course", small_notebook(tmp_path / "04_small.ipynb"))
    released = course.folder / "release" / "04_small" / "04_small.ipynb"
    source = nbformat.read(released, as_version=4).cells[0].source
    assert source.endswith('"""The loss."""\n    raise NotImplementedError')


@pytest.mark.parametrize("reveal", ["never", "always", "2027-01-08"])
def test_solutions_are_left_out_or_open_on_a_day(reveal: str) -> None:
    notebook = nbformat.read(MASKING, as_version=4)
    before = copy.deepcopy(notebook)
    released = with_reveal(notebook, reveal)
    calls = [line for cell in released.cells for line in cell.source.splitlines()]
    calls = [line for line in calls if line.startswith("reveal(")]
    ids = [id for id in all_exercises() if id.startswith("2.")]
    assert calls == {
        "never": [],
        "always": [f'reveal("{id}")' for id in ids],
        "2027-01-08": [f'reveal("{id}", opens="2027-01-08")' for id in ids],
    }.get(reveal)
    shown = "the tested code that later cells use" in nbformat.writes(released)
    assert shown == (reveal == "always")
    assert notebook == before


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ClassroomError, match="'tomorrow' is no date"):
        with_reveal(nbformat.read(MASKING, as_version=4), "tomorrow")


def test_a_solution_opens_on_its_day(capsys: pytest.CaptureFixture[str]) -> None:
    hints.reveal("2.1", opens="2999-01-01")
    told = capsys.readouterr().out
    assert "Markdown" in told and "albert_lib/objectives" not in told
    hints.reveal("2.1", opens="2020-01-01")
    assert "find_words is in albert_lib" in capsys.readouterr().out


def test_notebook_that_nbgrader_refuses_is_named(tmp_path: Path) -> None:
    path = small_notebook(tmp_path / "04_twice.ipynb")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["nbgrader"]["grade_id"] = "exercise"
    nbformat.write(notebook, path)
    with pytest.raises(ClassroomError, match=r"release 04_twice \(Duplicate grade id: exercise\)"):
        hand_out(tmp_path / "course", path)


def test_a_release_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--folder", str(tmp_path / "file" / "course")]) == 1
    printed = capsys.readouterr()
    assert "course cannot be written (Not a directory)" in printed.err and not printed.out
