"""Docstrings show how a thing is called; `make test` runs what they show."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "albert_lib"
LEAST = 150  # docstrings with an example
SHOWN_WHOLE = ("text", "objectives", "model", "probing", "finetuning")
Definition = ast.ClassDef | ast.FunctionDef


def definitions(body: list[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node


def is_public(node: Definition) -> bool:
    overloaded = any(ast.unparse(each).endswith("overload") for each in node.decorator_list)
    return not node.name.startswith("_") and not overloaded


def has_example(node: Definition) -> bool:
    """Whether its own docstring, or one of its methods', holds a line to run."""
    methods = definitions(node.body) if isinstance(node, ast.ClassDef) else ()
    return any(">>> " in (ast.get_docstring(each) or "") for each in (node, *methods))


def is_an_error(node: Definition) -> bool:
    return isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Warning"))


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_there_are_many_examples() -> None:
    with_example = [
        node
        for path in files(PACKAGE)
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        and ">>> " in (ast.get_docstring(node) or "")
    ]
    assert len(with_example) >= LEAST


@pytest.mark.parametrize("folder", SHOWN_WHOLE)
def test_every_public_name_has_an_example(folder: str) -> None:
    without = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
        for path in files(PACKAGE / folder)
        for node in definitions(parsed(path).body)
        if is_public(node) and not is_an_error(node) and not has_example(node)
    ]
    assert not without, f"{len(without)} without an example:\n" + "\n".join(without)
