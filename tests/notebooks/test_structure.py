"""What every notebook of the workbook keeps, read from its file; no cell is run here."""

from __future__ import annotations

import ast
import copy
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from albert_lib.files import project_folder
from albert_lib.workbook.canonical import KERNEL, canonical
from albert_lib.workbook.exercise import Exercise, find_exercise
from albert_lib.workbook.run import COURSE, COURSE_BUDGET, DEFAULT_BUDGET, budget_of
from albert_lib.workbook.widgets import WIDGET_MARK

FOLDER = project_folder() / "notebooks"
PATHS = sorted(FOLDER.glob("[0-9]*.ipynb"))
LONGEST_CELL = 25  # lines
HERE = re.compile(r"\(here: [^)]*\)")
VOLATILE = {
    "a path of one machine": re.compile(r"/(root|home|work|tmp|Users|usr|opt)/|\b[A-Z]:\\\\?\w"),
    "an address in memory": re.compile(r"\b0x[0-9a-f]{6,}"),
    "a measured time": re.compile(r"\b\d+(\.\d+)? ?(ms|µs|seconds)\b"),
}
CHECK = re.compile(r'check\("(?P<id>[\d.]+)", (?P<name>\w+)\)')
Problems = Iterator[str]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def texts(output: NotebookNode) -> Problems:
    """Everything in an output that nbval compares."""
    yield output.get("text", "")
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", value)


def every_cell_was_run(notebook: NotebookNode, path: Path) -> Problems:
    for cell in code_cells(notebook):
        if cell.execution_count is None:
            yield f"never run: {cell.source[:40]!r}"
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get(
                "tags", []
            ):
                yield f"stored error {output.ename}"
            if output.get("name") == "stderr":
                yield f"stored stderr {output.text[:60]!r}"


def kept_in_canonical_form(notebook: NotebookNode, path: Path) -> Problems:
    if canonical(notebook) != notebook:
        yield "not canonical; run `make refresh`"


def nothing_volatile_is_compared(notebook: NotebookNode, path: Path) -> Problems:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for text in texts(output):
                for line in HERE.sub("", text).splitlines():
                    for name, pattern in VOLATILE.items():
                        if pattern.search(line) and "the promised" not in line:
                            yield f"{name}: {line[:80]!r}"


def every_picture_has_alternative_text(notebook: NotebookNode, path: Path) -> Problems:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data or "image/svg+xml" in data:
                in_file = output.metadata.get("image/png", {}).get("alt", "").strip()
                if not in_file or not re.search(r'<img alt="[^"]+"', data.get("text/html", "")):
                    yield f"no alternative text below {cell.source[:40]!r}"
    for text in markdown(notebook):
        if re.search(r"!\[\s*\]\(|<img(?![^>]*alt=\"[^\"])", text):
            yield f"no alternative text in {text[:40]!r}"


def opens_and_closes_as_a_chapter(notebook: NotebookNode, path: Path) -> Problems:
    first_code = notebook.cells.index(code_cells(notebook)[0])
    opening = "\n".join(cell.source for cell in notebook.cells[:first_code])
    headings = re.findall(r"^#+ .*$", "\n".join(markdown(notebook)), flags=re.MULTILINE)
    if not opening.startswith("# "):
        yield "the first cell is no title"
    if "you will be able to" not in opening.lower():
        yield "the opening does not say what you will be able to do"
    if not re.search(r"\d+\s+min", opening):
        yield "the opening does not say how many minutes it takes"
    for heading in ("## Summary", "## Self-check"):
        if not any(line.startswith(heading) for line in headings):
            yield f"no heading {heading!r}"


def links_lead_somewhere(notebook: NotebookNode, path: Path) -> Problems:
    targets = [
        target
        for text in markdown(notebook)
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if not re.match(r"https?:|#|attachment:", target)
    ]
    for target in targets:
        if not (path.parent / target.partition("#")[0]).exists():
            yield f"the link {target} leads nowhere"
    closing = markdown(notebook)[-1]
    number = int(path.name[:2])
    for neighbour in (number - 1, number + 1):
        for other in path.parent.glob(f"{neighbour:02d}_*.ipynb"):
            if f"]({other.name}" not in closing:
                yield f"the last cell does not link to {other.name}"


def cells_are_short(notebook: NotebookNode, path: Path) -> Problems:
    for cell in code_cells(notebook):
        lines = cell.source.count("\n") + 1
        if lines > LONGEST_CELL:
            yield f"{lines} lines in {cell.source[:40]!r}"


def has_a_widget(notebook: NotebookNode, path: Path) -> Problems:
    shown = [text for cell in code_cells(notebook) for o in cell.outputs for text in texts(o)]
    if not any(WIDGET_MARK in text for text in shown):
        yield "no widget"


def keeps_its_budget_small(notebook: NotebookNode, path: Path) -> Problems:
    if budget_of(notebook) > DEFAULT_BUDGET:
        yield f"a budget of {budget_of(notebook)} s"


def exercises_are_whole(notebook: NotebookNode, path: Path) -> Problems:
    """Heading, stub, check and reveal, in this order; later cells use the library's piece."""
    cells = notebook.cells
    checks = [i for i, cell in enumerate(cells) if cell.metadata.get("nbgrader", {}).get("grade")]
    if not checks and COURSE.match(path.name):
        yield "no exercise"
    for position in checks:
        found = CHECK.search(cells[position].source)
        if found is None:
            yield f"a graded cell without a check: {cells[position].source[:40]!r}"
            continue
        exercise = find_exercise(found["id"])
        yield from check_cell_problems(cells[position], exercise)
        yield from stub_problems(cells[position - 1], exercise)
        if not any(f"### {exercise.heading}" in text for text in markdown(notebook)):
            yield f"no heading '### {exercise.heading}'"
        later = [cell for cell in cells[position + 1 :] if cell.cell_type == "code"]
        if not any(f'reveal("{exercise.id}")' in cell.source for cell in later):
            yield f"no reveal of {exercise.id}"
        yield from learner_function_used(later, exercise)


def check_cell_problems(cell: NotebookNode, exercise: Exercise) -> Problems:
    name = exercise.id.replace(".", "-")
    source = f'from albert_lib.workbook import check\n\ncheck("{exercise.id}", {exercise.name})'
    if cell.source.strip() != source:
        yield f"the check of {exercise.id} is not as in every other notebook"
    expected = {"grade": True, "grade_id": f"check-{name}", "locked": True, "schema_version": 3}
    expected |= {"points": exercise.points, "solution": False, "task": False}
    if cell.metadata.get("nbgrader") != expected:
        yield f"the check of {exercise.id} has other nbgrader metadata than {expected}"
    if "is not attempted yet" not in "".join(output.get("text", "") for output in cell.outputs):
        yield f"the stored answer to {exercise.id} is not the empty stub"


def stub_problems(cell: NotebookNode, exercise: Exercise) -> Problems:
    name = exercise.id.replace(".", "-")
    expected = {"grade": False, "grade_id": f"exercise-{name}", "locked": False}
    expected |= {"schema_version": 3, "solution": True, "task": False}
    if cell.metadata.get("nbgrader") != expected:
        yield f"the cell above the check of {exercise.id} is no stub with metadata {expected}"
        return
    functions = [n for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)]
    stub = next((function for function in functions if function.name == exercise.name), None)
    if stub is None:
        yield f"the stub of {exercise.id} does not define {exercise.name}"
        return
    if ast.unparse(stub.body[-1]) != "raise NotImplementedError":
        yield f"the stub of {exercise.id} does not end in a bare raise NotImplementedError"
    if ast.get_docstring(stub) is None or stub.returns is None:
        yield f"the stub of {exercise.id} lacks its docstring or its types"
    arguments = [*stub.args.args, *stub.args.kwonlyargs]
    if [argument.arg for argument in arguments] != list(exercise.inputs()[0]):
        yield f"the stub of {exercise.id} takes other arguments than {list(exercise.inputs()[0])}"


def learner_function_used(later: list[NotebookNode], exercise: Exercise) -> Problems:
    """An unsolved exercise must block nothing: its name may be used once it is the library's."""
    for cell in later:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom | ast.Assign) and exercise.name in ast.unparse(node):
                return
            if isinstance(node, ast.Name) and node.id == exercise.name:
                yield f"{cell.source[:40]!r} uses the learner's {exercise.name}"
                return


RULES: list[Callable[[NotebookNode, Path], Problems]] = [
    every_cell_was_run,
    kept_in_canonical_form,
    nothing_volatile_is_compared,
    every_picture_has_alternative_text,
    opens_and_closes_as_a_chapter,
    links_lead_somewhere,
    cells_are_short,
    has_a_widget,
    keeps_its_budget_small,
    exercises_are_whole,
]
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


def test_course_is_complete_and_its_budgets_add_up() -> None:
    course = [path for path in PATHS if COURSE.match(path.name)]
    assert [int(path.name[:2]) for path in PATHS][:7] == list(range(7))
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
