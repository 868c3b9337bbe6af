"""What every notebook of the workbook keeps: each rule yields what breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from albert_lib.files import project_folder
from albert_lib.workbook.canonical import canonical
from albert_lib.workbook.exercise import Exercise, find_exercise
from albert_lib.workbook.questions import questions_of
from albert_lib.workbook.run import COURSE, DEFAULT_BUDGET, budget_of
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
    is_side_road = path.name[2] != "_"  # it leads back to its chapter
    for neighbour in (number,) if is_side_road else (number - 1, number + 1):
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


def questions_are_of_its_bank(notebook: NotebookNode, path: Path) -> Problems:
    """Every question is asked by its id alone, in the bank's order, and guesses are shown."""
    chapter = path.name.partition("_")[0].lstrip("0") or "0"
    asked = []
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            name = getattr(getattr(node, "func", None), "id", None)
            if name == "quiz":
                asked.append(ast.literal_eval(node.args[0]) if len(node.args) == 1 else None)
            if name == "guesses" and ast.literal_eval(node.args[0]) != chapter:
                yield "the guesses are of another chapter"
    bank = [question.id for question in questions_of(chapter)]
    if asked != bank:
        yield f"asked are {asked}, and the bank has {bank}"
    if bank and not any("guesses(" in cell.source for cell in code_cells(notebook)):
        yield f"the chapter does not end with guesses({chapter!r})"


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
    questions_are_of_its_bank,
    exercises_are_whole,
]
