"""Whatever is imported is declared: nothing works only because another package brings it."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parent.parent
PROGRAMS = ("albert_lib", "tests", "benchmarks", ".ci")
# What albert_lib imports inside a function, and a sentence says what to install without it.
OPTIONAL = {"datasets", "tensorflow-cpu", "nbgrader", "onnx"}
LOOKED_FOR = {"transformers"}  # by a notebook, which shows something else without it
ASKING = ("import_module", "importorskip", "find_spec")
# Imported by another name than the package's; only those that need not be installed.
PACKAGE_OF = {"tensorflow": "tensorflow-cpu", "keras_hub": "keras-hub", "datasets": "datasets"}


def sources() -> Iterator[tuple[str, str]]:
    """Every program of the project and every notebook's code, with the name of its file."""
    for folder in PROGRAMS:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            yield path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                code = "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
                yield path.relative_to(PROJECT).as_posix(), code


def imported(source: str) -> Iterator[str]:
    """The first part of each imported name, also of those that are asked for as a string."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(ASKING):
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            yield str(name).partition(".")[0]


def users() -> dict[str, set[str]]:
    """The files that import each package of other people, by its name in pyproject.toml."""
    own = {path.stem for folder in PROGRAMS for path in (PROJECT / folder).rglob("*.py")}
    installed = importlib.metadata.packages_distributions()
    found: dict[str, set[str]] = defaultdict(set)
    for file, source in sources():
        for name in imported(source):
            if name and name not in sys.stdlib_module_names and name not in {*own, *PROGRAMS}:
                package = PACKAGE_OF.get(name) or installed.get(name, [name])[0]
                found[canonicalize_name(package)].add(file)
    return found


def declared() -> tuple[set[str], set[str]]:
    """The packages that an installation brings, and those that extras and groups add."""
    table = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    always = {
        canonicalize_name(Requirement(line).name) for line in table["project"]["dependencies"]
    }
    more = [
        *table["project"]["optional-dependencies"].values(),
        *table["dependency-groups"].values(),
    ]
    return always, {canonicalize_name(Requirement(line).name) for lines in more for line in lines}


def test_what_the_library_and_the_notebooks_import_comes_with_them() -> None:
    always, _ = declared()
    missing = {
        package: sorted(places)
        for package, files in users().items()
        if (places := {file for file in files if file.startswith(("albert_lib/", "notebooks/"))})
        and package not in always | OPTIONAL | LOOKED_FOR
    }
    assert not missing, f"imported, but not among the dependencies of pyproject.toml: {missing}"


def test_what_tests_and_benchmarks_import_is_declared() -> None:
    always, more = declared()
    missing = {name: sorted(at) for name, at in users().items() if name not in always | more}
    assert not missing, f"imported, but nowhere in pyproject.toml: {missing}"


@pytest.mark.parametrize("package", sorted(OPTIONAL))
def test_what_is_optional_is_imported_where_it_is_used(package: str) -> None:
    _, more = declared()
    assert package in more
    known_as = {name for name, its in PACKAGE_OF.items() if its == package} | {package}
    for file, source in sources():
        if file.startswith("albert_lib/"):
            for node in ast.parse(source).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    assert not known_as & {*imported(ast.unparse(node))}, f"at the top of {file}"
