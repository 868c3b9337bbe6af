"""The wrong variants of an exercise: its library function with one change, ready to be called.

A variant is the source of the exercise's `solution` (or of a function of the same file which it
calls and which is no exercise itself), changed in one place by `beginners_mutants` and compiled in
a copy of its module's namespace. What a learner doesn't write is left as it is: decorators,
docstrings, declarations of types, and refusals of bad arguments with their error messages.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from beginners_changes import beginners_mutants
from mutations import Finder, Mutant

from albert_lib.workbook.exercise import Exercise, all_exercises

PROJECT = Path(__file__).resolve().parent.parent.parent
EQUIVALENT = Path(__file__).with_name("equivalent_in_exercises.toml")
# The same both ways round.
SYMMETRIC = ("transpose", "swapaxes", "min", "max", "minimum", "maximum", "logaddexp", "add")


@dataclass(frozen=True)
class Variant:
    """One wrong answer to an exercise: the sources of its functions, one of them changed."""

    exercise: str
    function: str  # the name of the one that is changed
    mutant: Mutant  # its line is the line in the library's file
    sources: tuple[str, ...]  # of every function that is compiled anew; the solution's comes last

    @property
    def change(self) -> tuple[str, str, str]:
        """By which it is excused: (file, line before, line after)."""
        return self.mutant.file, self.mutant.before, self.mutant.after


@dataclass(frozen=True)
class _Piece:
    """A function of the library: where it stands, and its source without decorators."""

    function: FunctionType
    line: int
    source: str


def variants(exercise: Exercise) -> list[Variant]:
    """Every wrong variant of an exercise, in the order of the lines of each of its functions."""
    pieces = _pieces(exercise)
    sources = [piece.source for piece in pieces]
    found: list[Variant] = []
    seen = {_tree(source) for source in sources}
    for number, piece in reversed(list(enumerate(pieces))):
        file = Path(piece.function.__code__.co_filename).relative_to(PROJECT).as_posix()
        idle = _not_written(exercise, piece)
        for mutant in beginners_mutants(file, piece.source):
            changed = mutant.apply(piece.source)
            tree = _tree(changed)
            if tree in seen or any(start <= mutant.start < end for start, end in idle):
                continue
            if mutant.kind == "arguments swapped" and _symmetric(piece.source, mutant):
                continue
            seen.add(tree)
            moved = Mutant(**{**vars(mutant), "line": mutant.line + piece.line - 1})
            changed_sources = (*sources[:number], changed, *sources[number + 1 :])
            found.append(Variant(exercise.id, piece.function.__name__, moved, changed_sources))
    return found


def unchanged(exercise: Exercise) -> Callable[..., Any]:
    """The exercise's function compiled in the same way, without a change: it must be right."""
    return build(exercise, [piece.source for piece in _pieces(exercise)])


def build(exercise: Exercise, sources: Sequence[str]) -> Callable[..., Any]:
    """Compile the functions in a copy of their module's namespace; return the exercise's own."""
    solution = inspect.unwrap(exercise.solution)
    namespace = dict(solution.__globals__)
    for source in sources:
        flags = __future__.annotations.compiler_flag
        code = compile(source, f"<exercise {exercise.id}>", "exec", flags, dont_inherit=True)
        exec(code, namespace)
    return namespace[solution.__name__]


def excused() -> dict[str, list[dict[str, str]]]:
    """The entries of `equivalent_in_exercises.toml`: of whole functions, and of single changes."""
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def waiting_of(exercises: Sequence[Exercise]) -> list[Variant]:
    """All variants of the exercises, without those that are excused."""
    entries = excused()
    functions = {(each["exercise"], each["name"]) for each in entries.get("function", [])}
    changes = {(each["file"], each["before"], each["after"]) for each in entries.get("mutant", [])}
    return [
        variant
        for exercise in exercises
        for variant in variants(exercise)
        if (exercise.id, variant.function) not in functions and variant.change not in changes
    ]


def _pieces(exercise: Exercise) -> list[_Piece]:
    """The functions that a learner writes: those that the solution calls, then the solution."""
    solution = inspect.unwrap(exercise.solution)
    others = {inspect.unwrap(each.solution) for each in all_exercises().values()} - {solution}
    found: dict[FunctionType, _Piece] = {}
    waiting = [solution]
    while waiting:
        function = waiting.pop(0)
        if function in found or function in others:
            continue
        piece = _piece(function)
        if function is not solution and _only_refuses(piece.source):
            continue
        found[function] = piece
        waiting += _called(function)
    return list(reversed(found.values()))


def _piece(function: FunctionType) -> _Piece:
    lines, first = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(lines))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    above = definition.lineno - 1  # lines of decorators
    return _Piece(function, first + above, "".join(text.splitlines(keepends=True)[above:]))


def _called(function: FunctionType) -> Iterator[FunctionType]:
    """The functions of the same file that a function names."""
    namespace = function.__globals__
    for node in ast.walk(ast.parse(_piece(function).source)):
        if isinstance(node, ast.Name) and node.id in namespace:
            value = namespace[node.id]
            value = inspect.unwrap(value) if callable(value) else value
            if isinstance(value, FunctionType) and value.__module__ == function.__module__:
                yield value


def _only_refuses(source: str) -> bool:
    """Whether a function does nothing but raise errors: its return value is never used."""
    nodes = list(ast.walk(ast.parse(source)))
    returns = any(isinstance(node, ast.Return) and node.value is not None for node in nodes)
    return not returns and any(isinstance(node, ast.Raise) for node in nodes)


def _drawn(exercise: Exercise) -> list[set[str]]:
    """The parameters that are set by some of the exercise's inputs."""
    return [set(exercise.draw(np.random.default_rng(seed))) for seed in range(5)]


def _not_written(exercise: Exercise, piece: _Piece) -> list[tuple[int, int]]:
    """Where a learner writes nothing.

    Refusals of bad arguments; defaults of parameters that are always given; and what the library's
    function does for an option that the exercise never gives, and that is not asked for.
    """
    idle: list[ast.AST] = []
    drawn = _drawn(exercise) if piece.function is inspect.unwrap(exercise.solution) else []
    always, ever = (set.intersection(*drawn), set.union(*drawn)) if drawn else (set(), None)
    options: dict[str, Any] = {}
    definition = ast.parse(piece.source).body[0]
    for name, parameter in inspect.signature(piece.function).parameters.items():
        if ever is not None and name not in ever and parameter.default is not parameter.empty:
            options[name] = parameter.default
    for node in ast.walk(definition):
        if isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            pairs = [
                *zip(reversed(positional), reversed(node.defaults), strict=False),
                *zip(node.kwonlyargs, node.kw_defaults, strict=True),
            ]
            unused = always | options.keys()
            idle += [value for each, value in pairs if value is not None and each.arg in unused]
        elif isinstance(node, ast.stmt) and _refuses(node, piece.function):
            idle.append(node)
        elif isinstance(node, (ast.If, ast.IfExp)):
            idle += _never_asked(node, options)
    finder = Finder(piece.source)
    return [finder.span(node) for node in idle if isinstance(node, (ast.expr, ast.stmt))]


def _never_asked(node: ast.If | ast.IfExp, options: Mapping[str, Any]) -> list[ast.AST]:
    """The test of an option that has its default, and the branch that this leaves out."""
    try:
        value = eval(compile(ast.Expression(node.test), "test", "eval"), {}, dict(options))
    except Exception:  # it depends on more than options
        return []
    dead = node.orelse if value else node.body
    return [node.test, *(dead if isinstance(dead, list) else [dead])]


def _refuses(node: ast.stmt, function: FunctionType) -> bool:
    """Whether a statement does nothing but refuse bad arguments."""
    if isinstance(node, ast.If):
        return not node.orelse and all(isinstance(each, ast.Raise) for each in node.body)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = function.__globals__.get(ast.unparse(node.value.func))
        called = inspect.unwrap(called) if callable(called) else None
        if isinstance(called, FunctionType) and called.__module__ == function.__module__:
            return _only_refuses(_piece(called).source)
    return isinstance(node, ast.Assert)


def _symmetric(source: str, mutant: Mutant) -> bool:
    """Whether the arguments that a mutant swaps belong to a call that doesn't mind."""
    called = source[: mutant.start].rstrip().removesuffix("(")
    return called.endswith(SYMMETRIC)


def _tree(source: str) -> str:
    """The same for two sources that do the same: `x = x` is no step."""
    return ast.dump(_WithoutIdleSteps().visit(ast.parse(source)))


class _WithoutIdleSteps(ast.NodeTransformer):
    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        idle = ast.unparse(node.targets[0]) == ast.unparse(node.value)
        return ast.Pass() if idle else node
