"""The source of a notebook's function as a file that runs alone, with everything it uses."""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import inspect
import math
import re
import symtable
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from albert_lib.errors import AlbertLibError

LONGEST_LITERAL = 2000  # letters; a longer list is data, not a constant
PLAIN = (int, float, complex, str, bytes, bool, range, type(None), type(Ellipsis))
CONTAINERS = (tuple, list, set, frozenset)
# What may be made again by the notebook's own assignment: to do so costs and changes nothing.
MADE_AGAIN = (torch.Tensor, np.ndarray, np.generic, functools.partial, re.Pattern, float)
Bindings = ast.Assign | ast.AnnAssign | ast.ClassDef


class NotStandalone(AlbertLibError, ValueError):
    """A function cannot be written down so that it runs alone; the message says why."""


def standalone_source(function: Any, name: str, docstring: str) -> str:
    """A file that defines `function` under `name`, with what it uses of its own namespace.

    Modules and importable objects become import lines, plain values assignments, functions and
    classes of the notebook their source, and so on with what those use. Raises NotStandalone
    where something has no source or cannot be written down.
    """
    inner = inspect.unwrap(function)
    if not isinstance(inner, types.FunctionType):
        raise NotStandalone("only a function can be kept; write it with def")
    if inner.__code__.co_freevars:
        raise NotStandalone(
            f"it uses {inner.__code__.co_freevars[0]} of the function that it was made in; write "
            f"it with def at the left margin of a cell"
        )
    parts = Parts(inner.__globals__)
    own = parts.add_function(inner, "your function")
    if own != name:
        parts.texts[name] = f"{name} = {own}"
    future = inner.__code__.co_flags & __future__.annotations.compiler_flag
    beginning = [f'"""{docstring}"""']
    if future:
        beginning.append("from __future__ import annotations")
    if parts.imports:
        beginning.append("\n".join(sorted(parts.imports)))
    return "\n\n".join(beginning) + "\n\n" + _spaced(list(parts.texts.values()))


def names_used(source: str) -> list[str]:
    r"""The global names that a source uses: in its code, annotations, defaults and decorators.

    Example:
        >>> names_used("def f(a: Tensor, b=LOW):\n    c = a\n    return max(b, g(c))")
        ['LOW', 'Tensor', 'g', 'max']
    """
    found: set[str] = set()

    def visit(table: symtable.SymbolTable, is_top: bool) -> None:
        for symbol in table.get_symbols():
            used = symbol.is_referenced() or (symbol.is_assigned() and not is_top)
            if used and (is_top or symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            visit(child, False)

    visit(symtable.symtable(source, "answer", "exec"), True)
    return sorted(found)


class Parts:
    """The parts of a standalone file, gathered from a namespace: imports, then definitions.

    Example:
        >>> parts = Parts({"np": np, "RATE": 0.15})
        >>> for name in ("np", "RATE"):
        ...     parts.add(name)
        >>> parts.imports, list(parts.texts.values())
        ({'import numpy as np'}, ['RATE = 0.15'])
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        self.imports: set[str] = set()
        self.texts: dict[str, str] = {}  # by name; what a text needs stands before it
        self._seen: set[str] = set()

    def add(self, name: str) -> None:
        """Add what `name` stands for in the namespace, if it is there: else it is built in."""
        if name in self._seen or name not in self.namespace:
            return
        self._seen.add(name)
        value = self.namespace[name]
        if isinstance(value, types.ModuleType):
            self.imports.add(_module_line(name, value))
        elif is_literal(value):
            self._add_literal(name, value)
        elif line := _import_line(name, value, self.namespace):
            self.imports.add(line)
        elif getattr(inspect.unwrap(value), "__globals__", None) is self.namespace:
            own = self.add_function(inspect.unwrap(value), name)
            if own != name:
                self.texts[name] = f"{name} = {own}"
        else:
            self._add_statement(name, value)

    def add_function(self, function: types.FunctionType, called: str) -> str:
        """Add a function's source, behind what it uses; return the name that it defines."""
        try:
            source = textwrap.dedent(inspect.getsource(function))
            statement = ast.parse(source).body[0]
        except (OSError, TypeError, SyntaxError, IndexError):
            raise NotStandalone(
                f"the source of {called} cannot be had; write it with def, in a cell"
            ) from None
        if isinstance(statement, ast.FunctionDef) and statement.name == function.__name__:
            own = statement.name
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
            own = ast.unparse(statement.targets[0])
        else:
            raise NotStandalone(f"{called} is a lambda inside of another line; write it with def")
        self._add_text(own, source)
        return own

    def _add_text(self, name: str, source: str) -> None:
        self._seen.add(name)
        for used in names_used(source):
            self.add(used)
        self.texts[name] = source.strip("\n")

    def _add_literal(self, name: str, value: Any) -> None:
        text = f"{name} = {value!r}"
        if len(text) > LONGEST_LITERAL:
            raise NotStandalone(
                f"it uses {name}, {len(text):,} letters of data; give it as an argument"
            )
        self.texts[name] = text

    def _add_statement(self, name: str, value: Any) -> None:
        """Add the class or assignment that the notebook has written for a name."""
        is_alias = isinstance(value, type) or type(value).__module__ in ("typing", "types")
        statement = self._statement(name) if is_alias or isinstance(value, MADE_AGAIN) else None
        if statement is None:
            kind = type(value).__name__
            raise NotStandalone(
                f"it uses {name}, {'an' if kind[:1] in 'AEIOUaeiou' else 'a'} {kind} that cannot "
                f"be written down; make it inside of the function"
            )
        self._add_text(name, statement)

    def _statement(self, name: str) -> str | None:
        """The source of the newest class or assignment at the margin that binds a name."""
        for text in self._written():
            with contextlib.suppress(SyntaxError, ValueError):
                for node in reversed(ast.parse(text).body):
                    if isinstance(node, Bindings) and _bound(node) == name:
                        first = min([node.lineno, *(d.lineno for d in _decorators(node))])
                        return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
        return None

    def _written(self) -> Iterator[str]:
        """What was written in this namespace: its file, or its cells from the newest back."""
        file = self.namespace.get("__file__")
        if isinstance(file, str) and Path(file).is_file():
            yield Path(file).read_text(encoding="utf-8", errors="replace")
        cells = self.namespace.get("In")
        if isinstance(cells, list):
            yield from (cell for cell in reversed(cells) if isinstance(cell, str))


def is_literal(value: Any) -> bool:
    """Whether a value's repr, on its own, is the value again.

    Example:
        >>> is_literal((1, ["a"])), is_literal(float("nan")), is_literal(np.float64(1))
        (True, False, False)
    """
    if type(value) is float:
        return math.isfinite(value)
    if type(value) in CONTAINERS:
        return all(map(is_literal, value))
    if type(value) is dict:
        return all(is_literal(key) and is_literal(held) for key, held in value.items())
    return type(value) in PLAIN


def _bound(node: Bindings) -> str:
    if isinstance(node, ast.ClassDef):
        return node.name
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    several = isinstance(node, ast.Assign) and len(node.targets) > 1
    return "" if several or not isinstance(target, ast.Name) else target.id


def _decorators(node: Bindings) -> list[ast.expr]:
    return node.decorator_list if isinstance(node, ast.ClassDef) else []


def _module_line(name: str, module: types.ModuleType) -> str:
    """The line that imports a module under a name; NotStandalone for a file beside the notebook."""
    file = getattr(module, "__file__", None)
    root = module.__name__.partition(".")[0]
    if root == "__main__" or (file and root != "albert_lib" and _lies_here(Path(file))):
        raise NotStandalone(
            f"it uses {name}, a file of your own that is not found from elsewhere; copy what it "
            f"takes from there into a cell"
        )
    return f"import {name}" if module.__name__ == name else f"import {module.__name__} as {name}"


def _lies_here(file: Path) -> bool:
    """Whether a module's file is found only because it lies in the folder that is worked in."""
    installed = {"site-packages", "dist-packages", "lib"} & set(file.parts)
    return not installed and file.resolve().is_relative_to(Path.cwd())


def _import_line(name: str, value: Any, namespace: Mapping[str, Any]) -> str | None:
    """The line that imports an object under a name, from the shortest path; None if there is none.

    The object must be the very one that the module has, and the module another than this one.
    """
    own = getattr(value, "__name__", None) or getattr(value, "_name", None)
    if isinstance(value, torch.dtype):
        own = str(value).rpartition(".")[2]
    holders = (value, getattr(value, "__self__", None), type(value))
    modules = [getattr(holder, "__module__", None) for holder in holders]
    for module in modules:
        parts = module.split(".") if isinstance(module, str) else []
        for end in range(1, len(parts) + 1):
            place = ".".join(parts[:end])
            held = sys.modules.get(place)
            if held is None or place == "__main__" or vars(held) is namespace:
                continue
            for attribute in (own, name):
                if isinstance(attribute, str) and getattr(held, attribute, None) is value:
                    _module_line(place, held)  # refuses what is not found from elsewhere
                    renamed = "" if attribute == name else f" as {name}"
                    return f"from {place} import {attribute}{renamed}"
    return None


def _spaced(texts: list[str]) -> str:
    """Definitions one below the other, functions and classes with two empty lines around them."""
    written = ""
    for before, text in zip(["", *texts], texts, strict=False):
        gap = "\n\n\n" if "\n" in before + text else "\n"
        written += (gap if before else "") + text
    return written + "\n"
