"""What a learner has written: the cells of a notebook, and the statements that an answer needs."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from albert_lib.errors import AlbertLibError, counted
from albert_lib.workbook.exercise import all_exercises
from albert_lib.workbook.standalone import names_used

MOST_FILE_BYTES = 200 * 2**20
MOST_CODE = 1_000_000  # letters; a whole notebook of the workbook has 40,000
GRADE_ID = re.compile(r"(exercise|check)-(\d+)-(\d+)")
CHECK_CALL = re.compile(r"^\s*check\(\s*[\"'](\d+\.\d+)[\"'](?:\s*,\s*(\w+))?", re.MULTILINE)
DEFINITION = re.compile(r"^def (\w+)\(", re.MULTILINE)
MAGIC_FIRST_LINE = re.compile(r"\s*%%(time|capture|timeit)\b.*")  # whose cell runs as it is


class SubmissionError(AlbertLibError, ValueError):
    """A file that was handed in cannot be graded; the message says why, and what to do."""


@dataclass(frozen=True)
class Cell:
    """A code cell: its number in the notebook, its code, and whose answer or check it holds."""

    number: int
    source: str
    answers: str | None = None  # the exercise
    checks: str | None = None

    @property
    def label(self) -> str:
        """The name that the cell has in a traceback."""
        return f"<cell {self.number}>"


@dataclass(frozen=True)
class Statement:
    """One statement at the margin of a cell."""

    cell: Cell
    node: ast.stmt


def read_cells(file: Path) -> list[Cell]:
    """The code cells of a notebook, or a .py file as a single cell.

    Raises SubmissionError for what is no notebook, has no code, or is too large.
    """
    try:
        size = file.stat().st_size
        if size > MOST_FILE_BYTES:
            raise SubmissionError(
                f"{file.name} holds {size // 2**20:,} MB, more than is read; clear its outputs "
                f"and hand it in again."
            )
        text = file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise SubmissionError(f"{file.name} cannot be read ({problem.strerror}).") from None
    except UnicodeDecodeError:
        raise SubmissionError(f"{file.name} is no text in UTF-8; hand it in again.") from None
    cells = [Cell(1, text)] if file.suffix == ".py" else _cells_of(file, text)
    if (length := sum(len(cell.source) for cell in cells)) > MOST_CODE:
        raise SubmissionError(
            f"The code of {file.name} has {length:,} letters, more than is read; leave data out of "
            f"its cells."
        )
    return cells


def _cells_of(file: Path, text: str) -> list[Cell]:
    try:
        notebook = json.loads(text)
        found = [_cell(number, each) for number, each in enumerate(notebook["cells"], start=1)]
    except json.JSONDecodeError as problem:
        raise SubmissionError(
            f"{file.name} is not valid JSON (line {problem.lineno}), so it is no notebook; open it "
            f"in JupyterLab, save it and hand it in again."
        ) from None
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise SubmissionError(
            f"{file.name} is JSON and no notebook; hand in the notebook itself."
        ) from None
    return [cell for cell in found if cell is not None]


def _cell(number: int, cell: dict[str, Any]) -> Cell | None:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    if cell["cell_type"] != "code":
        return None
    role = cell.get("metadata", {}).get("nbgrader", {})
    named = GRADE_ID.fullmatch(str(role.get("grade_id", "")))
    id = f"{int(named[2])}.{int(named[3])}" if named else None
    called = CHECK_CALL.search(source)
    checks = id if named and named[1] == "check" else called[1] if called else None
    answers = id if named and named[1] == "exercise" else None
    return Cell(
        number,
        source,
        _by_function(answers, DEFINITION.findall(source)),
        _by_function(checks, [called[2]] if called else []),
    )


def _by_function(id: str | None, names: Sequence[str]) -> str | None:
    """The exercise that a cell is numbered for, or, if its function is another's, that one.

    In a notebook that an older version released, exercises have other numbers.
    """
    if id is None:
        return None
    known = {each.name: each.id for each in all_exercises().values()}
    found = [known[name] for name in names if name in known]
    return id if id in found or not found else found[0]


def graded_cells(file: Path) -> dict[str, tuple[str, float]]:
    """By exercise, in reading order, nbgrader's name for its check, and the points it gives.

    `file` is a course's own notebook, never what was handed in.
    """
    notebook = json.loads(file.read_text(encoding="utf-8"))
    found: dict[str, tuple[str, float]] = {}
    for number, each in enumerate(notebook["cells"], start=1):
        cell, role = _cell(number, each), each.get("metadata", {}).get("nbgrader", {})
        if cell is not None and cell.checks is not None and role.get("grade"):
            found[cell.checks] = str(role["grade_id"]), float(role["points"])
    return found


class Code:
    """The statements of a learner's cells, in order, and what keeps some from being read."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.statements: list[Statement] = []
        self.unread: dict[int, str] = {}  # number of a cell → why it cannot be run
        self._used: dict[int, frozenset[str]] = {}
        self._bound: dict[int, frozenset[str]] = {}
        self._called: dict[int, frozenset[str]] = {}  # table.append(…): the table
        for cell in cells:
            self._read(cell)
        self._made = {
            name
            for position, names in self._bound.items()
            if not isinstance(self.statements[position].node, (ast.Import, ast.ImportFrom))
            for name in names
        }

    def _read(self, cell: Cell) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the learner's escapes and comparisons
                body = ast.parse(_plain_python(cell.source)).body
                for node in body:
                    position = len(self.statements)
                    self._bound[position] = frozenset(_bound_or_changed(node))
                    self._called[position] = frozenset(_with_methods_called(node))
                    self._used[position] = frozenset(names_used(ast.unparse(node)))
                    self.statements.append(Statement(cell, node))
        except SyntaxError as problem:
            self.unread[cell.number] = f"line {problem.lineno}: {problem.msg}"
        except (ValueError, MemoryError, RecursionError):  # of null bytes, of a thousand brackets
            self.unread[cell.number] = "it is no Python"

    def needed_for(self, exercise: str, name: str) -> list[Statement]:
        """The statements that make `name` what it is when the check of the exercise runs.

        All that bind or change the name in the cells before the check, and so on for the names
        that these use; none where nothing does.
        """
        checks = [cell.number for cell in self.cells if cell.checks == exercise]
        last = checks[0] if checks else len(self.cells) + self.cells[-1].number
        before = [
            position
            for position, statement in enumerate(self.statements)
            if statement.cell.number <= last
        ]
        wanted, waiting, taken = {name}, True, set[int]()
        while waiting:
            found = [
                position
                for position in before
                if position not in taken and self._makes(position, wanted)
            ]
            waiting = bool(found)
            taken.update(found)
            wanted.update(used for position in found for used in self._used[position])
        if not any(name in self._bound[position] for position in taken):
            return []
        return [self.statements[position] for position in sorted(taken)]

    def _makes(self, position: int, wanted: set[str]) -> bool:
        """Whether a statement binds or changes one of the names, or may: `import *`."""
        bound = self._bound[position]
        return bool(bound & wanted or self._called[position] & self._made & wanted or "*" in bound)

    def why_unread(self, exercise: str) -> str | None:
        """Why the answer cell of an exercise cannot be run, or None if it can."""
        for cell in self.cells:
            if cell.number in self.unread and cell.answers == exercise:
                return f"cell {cell.number}, {self.unread[cell.number]}"
        first = next(iter(self.unread.items()), None)
        return f"cell {first[0]}, {first[1]}" if first and len(self.cells) == 1 else None


def digest_of(statements: Sequence[Statement], name: str) -> str | None:
    """A short mark that two definitions of a function share if they read alike, or None.

    Comments, docstrings and layout make no difference; names do.

    Example:
        >>> one, other = (Code([Cell(1, text)]) for text in ("def f(a): return a", "f = max"))
        >>> digest_of(one.statements, "f") == digest_of(other.statements, "f")
        False
    """
    own = [each.node for each in statements if getattr(each.node, "name", None) == name]
    if not own or not isinstance(own[-1], ast.FunctionDef):
        return None
    body = [node for node in own[-1].body if not _is_docstring(node)]
    if len(body) == 1 and isinstance(body[0], ast.Raise):  # the stub
        return None
    text = ast.dump(own[-1].args, annotate_fields=False) + "".join(map(ast.dump, body))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def lines_of(statements: Sequence[Statement], name: str) -> int:
    """How many lines the function's own definition has, without blank ones and comments."""
    own = [each.node for each in statements if getattr(each.node, "name", None) == name]
    return len(ast.unparse(own[-1]).splitlines()) if own else 0


def says_how_many(cells: Sequence[Cell]) -> str:
    """The number of code cells, for a sentence."""
    return counted(len(cells), "code cell")


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _plain_python(source: str) -> str:
    first, line_end, rest = source.partition("\n")
    if MAGIC_FIRST_LINE.fullmatch(first):
        source = line_end + rest
    if re.search(r"^\s*[%!?]|\?\s*$|=\s*[%!]", source, re.MULTILINE):
        source = TransformerManager().transform_cell(source)
    return source


def _bound_or_changed(node: ast.stmt) -> set[str]:
    """The names that a statement binds, deletes or changes an attribute, a part or a list of."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.alias):
            found.add((each.asname or each.name).partition(".")[0])
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(each.name)
        elif isinstance(each, (ast.Name, ast.Attribute, ast.Subscript)) and not isinstance(
            each.ctx, ast.Load
        ):
            found.add(_root(each))
    return found - {""}


def _with_methods_called(node: ast.stmt) -> set[str]:
    """The names of which a statement calls a method without keeping what it returns."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return set()
    return {
        _root(each.value.func)
        for each in ast.walk(node)
        if isinstance(each, ast.Expr)
        and isinstance(each.value, ast.Call)
        and isinstance(each.value.func, ast.Attribute)
    }


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
