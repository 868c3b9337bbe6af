"""Every notebook keeps the rules, read from its file, and the rules see what breaks them."""

from __future__ import annotations

import copy
import inspect
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_rules import (
    CHECK,
    PATHS,
    RULES,
    Problems,
    cells_are_short,
    every_cell_was_run,
    every_picture_has_alternative_text,
    exercises_are_whole,
    has_a_widget,
    keeps_its_budget_small,
    kept_in_canonical_form,
    links_lead_somewhere,
    nothing_volatile_is_compared,
    opens_and_closes_as_a_chapter,
    questions_are_of_its_bank,
)

from albert_lib.workbook.canonical import KERNEL
from albert_lib.workbook.exercise import all_exercises, find_exercise
from albert_lib.workbook.questions import questions_of
from albert_lib.workbook.run import COURSE, COURSE_BUDGET, budget_of
from albert_lib.workbook.widgets import WIDGET_MARK

HEADING = re.compile(r"^#+ Exercise (\S+)", re.MULTILINE)
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


@each_rule
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook_keeps_rule(path: Path, rule: Callable[[NotebookNode, Path], Problems]) -> None:
    assert list(rule(nbformat.read(path, as_version=4), path)) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_nbgrader_accepts_the_metadata(path: Path) -> None:
    nbgraderformat = pytest.importorskip("nbgrader.nbgraderformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    nbgraderformat.MetadataValidator().validate_nb(notebook)


def test_grade_ids_are_unique_across_the_workbook() -> None:
    ids = Counter(
        cell.metadata["nbgrader"]["grade_id"]
        for path in PATHS
        for cell in nbformat.read(path, as_version=4).cells
        if "nbgrader" in cell.metadata
    )
    assert [grade_id for grade_id, count in ids.items() if count > 1] == []


def test_exercises_are_numbered_from_1_without_a_gap_as_they_stand_in_the_notebooks() -> None:
    everything = []
    for path in PATHS:
        cells = nbformat.read(path, as_version=4).cells
        headed = [found[1] for cell in cells for found in HEADING.finditer(cell.source)]
        graded = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
        checked = [found["id"] for cell in graded for found in CHECK.finditer(cell.source)]
        chapter = re.sub(r"\D.*", "", path.name).lstrip("0")
        expected = [f"{chapter}.{number}" for number in range(1, len(headed) + 1)]
        assert headed == checked == expected, path.name
        everything += headed
    assert everything == list(all_exercises())


def test_course_is_complete_and_its_budgets_add_up() -> None:
    course = [path for path in PATHS if COURSE.match(path.name)]
    assert [path.name[:2] for path in course] == [f"{number:02}" for number in range(1, 7)]
    assert sum(budget_of(nbformat.read(path, as_version=4)) for path in course) <= COURSE_BUDGET


# The rules themselves: a notebook that keeps them all, and one spoiling for each.


@pytest.fixture
def good(tmp_path: Path) -> tuple[NotebookNode, Path]:
    exercise = find_exercise("4.3")
    (tmp_path / "03_before.ipynb").touch()

    def cell(source: str, outputs: list[NotebookNode] | None = None, **nbgrader: object) -> None:
        metadata = {"nbgrader": {**nbgrader, "schema_version": 3, "task": False}}
        new = new_code_cell(source, execution_count=1, outputs=outputs or [])
        new.metadata = nbformat.from_dict(metadata if nbgrader else {})
        cells.append(new)

    def printed(text: str) -> list[NotebookNode]:
        return [new_output("stream", name="stdout", text=text)]

    picture = new_output(
        "display_data",
        data={"image/png": "AA==", "text/html": f'<div {WIDGET_MARK}><img alt="A line."></div>'},
        metadata={"image/png": {"alt": "A line."}},
    )
    cells = [new_markdown_cell("# 04\n\n**What you will be able to do**: add. 20 minutes.")]
    cell("explorer()", [picture])
    cells.append(new_markdown_cell(f"### {exercise.heading}\n\nWrite it."))
    cell(
        "def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:\n"
        '    """The loss."""\n    raise NotImplementedError',
        grade=False,
        grade_id="exercise-4-3",
        locked=False,
        solution=True,
    )
    cell(
        'from albert_lib.workbook import check\n\ncheck("4.3", mlm_loss)',
        printed("Exercise 4.3 is not attempted yet: …\n"),
        grade=True,
        grade_id="check-4-3",
        locked=True,
        points=2,
        solution=False,
    )
    cell('reveal("4.3")')
    cell("print(losses.mlm_loss, seconds)", printed("a few seconds (here: 3 seconds)\n"))
    asked = [f'quiz("{question.id}")' for question in questions_of("4")]
    cell("\n".join([*asked, 'guesses("4")']))
    cells.append(new_markdown_cell("## Summary\n\n## Self-check\n\n[back](03_before.ipynb)"))
    notebook = new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    notebook.metadata["language_info"] = {"name": "python"}
    return nbformat.from_dict(notebook), tmp_path / "04_test.ipynb"


@each_rule
def test_good_notebook_keeps_rule(
    rule: Callable[[NotebookNode, Path], Problems], good: tuple[NotebookNode, Path]
) -> None:
    assert list(rule(*good)) == []


def replace_in(position: int, old: str, new: str) -> Callable[[NotebookNode], None]:
    def spoil(notebook: NotebookNode) -> None:
        assert old in notebook.cells[position].source
        notebook.cells[position].source = notebook.cells[position].source.replace(old, new)

    return spoil


def print_in_last(text: str, name: str = "stdout") -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[6].outputs.append(
        new_output("stream", name=name, text=text)
    )


SPOILED: list[tuple[Callable[[NotebookNode, Path], Problems], Callable[[NotebookNode], object]]] = [
    (every_cell_was_run, lambda notebook: notebook.cells[1].update(execution_count=None)),
    (every_cell_was_run, print_in_last("a warning", "stderr")),
    (every_cell_was_run, lambda n: n.cells[6].outputs.append(new_output("error", ename="E"))),
    (kept_in_canonical_form, lambda notebook: notebook.metadata.update(widgets={})),
    (kept_in_canonical_form, lambda notebook: notebook.metadata.kernelspec.update(name="mine")),
    (nothing_volatile_is_compared, print_in_last("saved in /home/me/build")),
    (nothing_volatile_is_compared, print_in_last("<object at 0x7f3a12bc>")),
    (nothing_volatile_is_compared, print_in_last("it took 3.2 seconds")),
    (every_picture_has_alternative_text, lambda n: n.cells[1].outputs[0].update(metadata={})),
    (every_picture_has_alternative_text, replace_in(0, "# 04", "# 04 ![](a.png)")),
    (opens_and_closes_as_a_chapter, replace_in(0, "be able to", "like to")),
    (opens_and_closes_as_a_chapter, replace_in(0, "20 minutes", "a while")),
    (opens_and_closes_as_a_chapter, replace_in(-1, "## Summary", "## In short")),
    (links_lead_somewhere, replace_in(-1, "03_before", "03_after")),
    (cells_are_short, replace_in(1, "explorer()", "explorer()\n" * 26)),
    (has_a_widget, lambda notebook: notebook.cells[1].update(outputs=[])),
    (keeps_its_budget_small, lambda n: n.metadata.update(albert={"budget_seconds": 181})),
    (questions_are_of_its_bank, replace_in(7, 'quiz("4.1")\n', "")),
    (questions_are_of_its_bank, replace_in(7, 'quiz("4.1")', 'quiz("How many?", {}, "4.1")')),
    (questions_are_of_its_bank, replace_in(7, 'guesses("4")', "")),
    (questions_are_of_its_bank, replace_in(7, 'guesses("4")', 'guesses("5")')),
    (exercises_are_whole, lambda notebook: notebook.cells.pop(4)),
    (exercises_are_whole, lambda notebook: notebook.cells.pop(5)),
    (exercises_are_whole, lambda n: n.cells[4].metadata.nbgrader.update(points=3)),
    (exercises_are_whole, replace_in(2, "Exercise 4.3", "Exercise 4.2")),
    (exercises_are_whole, replace_in(3, "raise NotImplementedError", "return 0")),
    (exercises_are_whole, replace_in(3, "labels:", "targets:")),
    (exercises_are_whole, replace_in(6, "losses.mlm_loss", "mlm_loss")),
]


@pytest.mark.parametrize(("rule", "spoil"), SPOILED)
def test_rule_sees_what_breaks_it(
    rule: Callable[[NotebookNode, Path], Problems],
    spoil: Callable[[NotebookNode], object],
    good: tuple[NotebookNode, Path],
) -> None:
    notebook, path = copy.deepcopy(good)
    spoil(notebook)
    assert list(rule(notebook, path)) != []


def test_every_rule_is_spoiled_once() -> None:
    assert {rule for rule, _ in SPOILED} == set(RULES)
    assert all(inspect.isgeneratorfunction(rule) for rule in RULES)
