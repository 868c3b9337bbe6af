"""A course that was released when exercises had other numbers is graded as it was meant."""

from __future__ import annotations

import json
import re
from pathlib import Path

from graded import GradedClass, finished, grade

from albert_lib.classroom.cells import graded_cells
from albert_lib.classroom.submissions import assignments_of, course_folder, find_submissions
from benchmarks.generated_class import notebook_of

OLDER = {"3": "4", "4": "6", "5": "7", "6": "8"}  # of chapter 1: by the numbers of now
NUMBERS = re.compile(r'(?<=\bcheck\(\\"1\.)[3-6]|(?<="exercise-1-)[3-6]|(?<="check-1-)[3-6]')
NOTEBOOK = notebook_of(1)


def older_notebook() -> str:
    return NUMBERS.sub(lambda found: OLDER[found[0]], NOTEBOOK.read_text(encoding="utf-8"))


def answered(text: str, answers: dict[str, str]) -> str:
    """The notebook with some stubs replaced, by the names of their functions."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        for name, answer in answers.items():
            if f"def {name}(" in "".join(cell["source"]) and cell["metadata"].get("nbgrader"):
                cell["source"] = answer
    return json.dumps(notebook)


def course(folder: Path, handed_in: str) -> Path:
    for place, text in ((f"source/{NOTEBOOK.stem}", older_notebook()),
                        (f"submitted/ada/{NOTEBOOK.stem}", handed_in)):  # fmt: skip
        (folder / place).mkdir(parents=True)
        (folder / place / NOTEBOOK.name).write_text(text, encoding="utf-8")
    return folder


def test_exercises_are_told_by_their_functions(tmp_path: Path) -> None:
    text = older_notebook()
    assert 'check(\\"1.8\\", truncate_pair)' in text and '"grade_id": "exercise-1-7"' in text
    found = find_submissions(course(tmp_path, text))
    asked = assignments_of(found, course_folder(tmp_path))[NOTEBOOK.stem]
    assert asked.points == {id: points for id, (_, points) in graded_cells(NOTEBOOK).items()}
    assert asked.notebook is not None
    names = {id: name for id, (name, _) in graded_cells(asked.notebook).items()}
    assert (names["1.3"], names["1.4"], names["1.6"]) == ("check-1-4", "check-1-6", "check-1-8")


def test_an_answer_counts_for_its_own_exercise(tmp_path: Path) -> None:
    answers = {
        "with_special_tokens": "def with_special_tokens(first, second, cls_id, sep_id):\n"
        "    ids = [cls_id, *first, sep_id]\n"
        "    return ids + ([] if second is None else [*second, sep_id]), len(ids)",
        "truncate_pair": "def truncate_pair(first, second, room):\n    return first second",
    }
    folder = course(tmp_path, answered(older_notebook(), answers))
    finished(grade(folder))
    result = GradedClass(folder, {}).result("ada", NOTEBOOK.stem)
    assert {each.exercise: (each.status, each.points) for each in result.answers} == {
        "1.1": ("not attempted", 0), "1.2": ("not attempted", 0), "1.3": ("not attempted", 0),
        "1.4": ("right", 1), "1.5": ("not attempted", 0), "1.6": ("unreadable", 0),
    }  # fmt: skip
