"""The house keeps its order: who imports whom, how long a file may be, and one name for a thing."""

from __future__ import annotations

import ast
import builtins
import dis
import importlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "albert_lib"

# A folder imports from the levels below its own, and from itself; never sideways, never up.
LEVELS: tuple[tuple[str, ...], ...] = (
    (
        "checksums",
        "config",
        "config_json",
        "config_values",
        "errors",
        "files",
        "git_lfs",
        "hub",
        "memory",
        "not_text",
        "openmp",
        "paper",
        "instruction_sets",
        "processors",
        "paths",
        "records",
        "report_folder",
        "shipped",
        "accelerators",
        "utf8",
        "worker_pool",
    ),  # the files at the top
    ("text", "model"),
    ("corpus", "engines"),
    ("objectives",),
    ("training",),
    ("diagnosis", "finetuning", "probing", "town"),
    ("experiments",),
    ("workbook",),
    ("classroom",),
    ("commands",),
    ("__init__", "__main__"),
)
# Where a folder may reach less than what lies below it: nothing but these.
ONLY: dict[str, set[str]] = {
    "model": {
        "checksums",
        "config",
        "config_json",
        "errors",
        "files",
        "git_lfs",
        "hub",
        "instruction_sets",
        "memory",
    },
    "engines": {"config", "errors", "files", "hub", "model"},
    "probing": {
        "config",
        "config_values",
        "engines",
        "errors",
        "files",
        "hub",
        "instruction_sets",
        "memory",
        "model",
        "paths",
        "records",
        "report_folder",
        "text",
        "utf8",
    },
}
IMPORTERS_OF_WORKBOOK = {"workbook", "classroom", "commands"}

LONGEST_FILE = 350
LONGEST_FUNCTION = 50
LONG_FUNCTION = 40  # lines; fewer than TEN functions are longer
TEN = 10

# Names that every file of one kind has, because they are called in the same way, and the only
# place where they may repeat.
SHARED_NAMES = {
    "main": "",  # a file that runs on its own
    "add_arguments": "commands",
    "run": "commands",
    "read": "probing.sets",  # a set's published file
    "score": "probing.sets",  # a model's answers to it
    "Item": "probing.sets",  # one question of it
    "Scored": "probing.sets",  # with its answers
    "Result": "probing.sets",  # what its paper reports
}
# What a notebook draws and which wrong answers an exercise knows is looked up in the chapter.
BY_CHAPTER = ("albert_lib.workbook.drawings.", "albert_lib.workbook.exercises.")

# Folders of tests that stand for no folder of albert_lib, and what they hold against what.
OTHER_TESTS = {
    "browser": "JupyterLab",
    "classroom": "nbgrader",
    "damaged": "files that are damaged",
    "fidelity": "the table of `make fidelity`",
    "hub": "albert_lib/hub.py",
    "interop": "TensorFlow and KerasHub",
    "mutants": "the tests themselves",
    "notebooks": "the rules of the workbook",
    "old_files": "files of version 0.1.0",
}


@cache
def files() -> dict[str, Path]:
    """Every file of the library by its dotted name, a package by the name of its folder."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def folder(module: str) -> str:
    """The part of the house a module belongs to: its folder, or itself if it lies at the top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(module: str) -> Iterator[str]:
    """The library's modules that `module` imports: at its top, in functions, for types alone."""
    path = files()[module]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [literal_beginning(node.args[0])]
        else:
            continue
        for name in names:
            while name and name not in files():
                name = name.rpartition(".")[0]
            if name and name != module:
                yield name


def literal_beginning(node: ast.expr) -> str:
    """What is certain of a module's name that is put together while the program runs."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    value = node.value if isinstance(node, ast.Constant) else ""
    return str(value).rstrip(".")


def edges() -> Iterator[tuple[str, str]]:
    for module in files():
        for imported in imports(module):
            yield module, imported


def test_every_folder_has_its_place_in_the_order() -> None:
    placed = {name for level in LEVELS for name in level}
    strangers = {folder(module) for module in files()} - placed
    assert not strangers, f"give {sorted(strangers)} a level in LEVELS, or another folder"


def test_imports_go_downwards() -> None:
    level_of = {name: number for number, level in enumerate(LEVELS) for name in level}
    level_of["__init__"] = -1  # `from albert_lib import …` inside of it is checked as a cycle
    upwards = [
        f"{module} imports {imported}"
        for module, imported in edges()
        if folder(module) not in ("__init__", "__main__", folder(imported))
        and level_of.get(folder(imported), 0) >= level_of.get(folder(module), 0)
        and not level_of.get(folder(module), 0) == level_of.get(folder(imported), 0) == 0
    ]
    assert not upwards


@pytest.mark.parametrize("name", sorted(ONLY))
def test_some_folders_reach_for_less(name: str) -> None:
    beyond = [
        f"{module} imports {imported}"
        for module, imported in edges()
        if folder(module) == name and folder(imported) not in ONLY[name] | {name}
    ]
    assert not beyond


def test_nothing_imports_the_workbook_but_what_shows_or_grades_it() -> None:
    importers = {folder(module) for module, imported in edges() if folder(imported) == "workbook"}
    assert importers <= IMPORTERS_OF_WORKBOOK


def test_no_files_import_each_other() -> None:
    reached: dict[str, set[str]] = defaultdict(set)
    for module, imported in edges():
        if module != "albert_lib":  # its imports are for types: names are loaded on first use
            reached[module].add(imported)
    rings = set()
    for start in files():
        waiting, seen = list(reached[start]), set()
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting += reached[module]
        if start in seen:
            rings.add(start)
    assert not rings, f"these import themselves by way of others: {sorted(rings)}"


def test_a_file_holds_one_idea() -> None:
    long = {
        path.relative_to(PROJECT).as_posix(): lines
        for path in files().values()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert not long, f"over {LONGEST_FILE} lines: {long}"


def function_lengths() -> dict[str, int]:
    lengths = {}
    for module, path in files().items():
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                lengths[f"{module}:{node.lineno} {node.name}"] = node.end_lineno - node.lineno + 1
    return lengths


def test_a_function_fits_on_a_screen() -> None:
    lengths = function_lengths()
    longest = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert not longest, f"over {LONGEST_FUNCTION} lines: {longest}"
    long = {name: length for name, length in lengths.items() if length > LONG_FUNCTION}
    assert len(long) < TEN, f"{len(long)} over {LONG_FUNCTION} lines: {long}"


def public_names(module: str) -> Iterator[str]:
    """Classes and functions at the top of a file, and constants with a name that travels.

    A constant whose name no file imports from another is the business of its own file.
    """
    for node in tree(files()[module]).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
            names = [name for name in targets if name in imported_names()]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id] if node.target.id in imported_names() else []
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


@cache
def imported_names() -> set[str]:
    """Every name that a file of the library imports from another."""
    return {
        alias.name
        for path in files().values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("albert_lib")
        for alias in node.names
    }


def test_two_things_never_bear_one_name() -> None:
    bearers: dict[str, set[str]] = defaultdict(set)
    for module in files():
        if not module.startswith(BY_CHAPTER):
            for name in public_names(module):
                place = SHARED_NAMES.get(name)
                shared = place is not None and module.startswith(f"albert_lib.{place}".rstrip("."))
                bearers[name].add(f"albert_lib.{place}" if shared else module)
    twice = {name: sorted(modules) for name, modules in bearers.items() if len(modules) > 1}
    assert not twice, "".join(f"\n{name}: {', '.join(where)}" for name, where in twice.items())


def test_tests_mirror_the_library() -> None:
    tests = PROJECT / "tests"
    rooms = {path.parent.relative_to(PACKAGE) for path in files().values()} - {Path()}
    missing = [
        room.as_posix()
        for room in rooms
        if not any((tests / room).glob("test_*.py"))
        and not (tests / room.parent / f"test_{room.name}.py").is_file()
    ]
    assert not missing, f"no tests for {missing}"
    strangers = [
        path.name
        for path in tests.iterdir()
        if path.is_dir()
        and path.name not in OTHER_TESTS
        and path.name != "__pycache__"
        and Path(path.name) not in rooms
    ]
    assert not strangers, f"tests of no folder: {strangers}"


def loaded_names(code: CodeType) -> Iterator[str]:
    """The global names that a piece of code and those inside it look up while they run."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from loaded_names(constant)


@pytest.mark.parametrize("module", sorted(files()))
def test_every_name_is_defined(module: str) -> None:
    """Neither linter nor type checker looks: shapes in annotations are no names to them either."""
    if module.endswith("__main__"):
        pytest.skip("importing it runs it")
    loaded = importlib.import_module(module)
    code = compile(files()[module].read_text(encoding="utf-8"), module, "exec", dont_inherit=True)
    known = {*vars(loaded), *vars(builtins), "__annotations__", "__qualname__", "__name__"}
    in_classes = {
        target
        for node in ast.walk(tree(files()[module]))
        if isinstance(node, ast.ClassDef)
        for each in ast.walk(node)
        for target in [getattr(each, "name", None), getattr(each, "id", None)]
        if target and not isinstance(getattr(each, "ctx", None), ast.Load)
    }
    lacking = set(loaded_names(code)) - known - in_classes
    assert not lacking, f"{module} uses {sorted(lacking)}, which nothing defines"
