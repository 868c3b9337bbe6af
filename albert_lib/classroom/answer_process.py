"""The process in which an answer runs: it knows no check, and what it says is only a value.

It is a fork of the process that checks, so that PyTorch need not be loaded again. It gives up what
it could reach there (files, rights), runs the learner's statements, and then answers one question
after the other: the function's answer to these arguments, and the gradient of the last answer.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import inspect
import linecache
import os
import signal
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import torch

from albert_lib.classroom.cells import Statement
from albert_lib.classroom.limits import Limits, Stranger, confine
from albert_lib.classroom.system_calls import refuse_what_reaches_others
from albert_lib.classroom.values import UnreadableAnswer, pack, tensors_in
from albert_lib.files import HOME_VARIABLE
from albert_lib.workbook.describe import shorten
from albert_lib.workbook.seeds import seed_everything


def run_answer(
    questions: Connection,
    answers: Connection,
    statements: Sequence[Statement],
    name: str,
    limits: Limits,
    user: Stranger | None,
) -> None:
    """Be the answer's process, to its end; never returns.

    `questions` brings what the check asks, as Python's processes hand objects to each other; only
    the check, which is trusted, writes into it. `answers` takes messages of `values`, which the
    check reads without running anything.
    """
    try:
        _settle(questions, answers, limits, user)
        sys.stdout = sys.stderr = os.fdopen(1, "w", closefd=False)  # which leads nowhere
        warnings.simplefilter("ignore")
        namespace, problem = _run(statements)
        function = namespace.get(name)
        answers.send_bytes(pack(_described(function, name in namespace, problem)))
        if callable(function):
            _answer(questions, answers, function)
    finally:
        os._exit(0)


def _settle(
    questions: Connection, answers: Connection, limits: Limits, user: Stranger | None
) -> None:
    """Leave the checking process: a session, a folder and limits of its own, nothing open."""
    os.setsid()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    kept = sorted({questions.fileno(), answers.fileno()})
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    low = 3
    for number in kept:
        os.closerange(low, number)
        low = number + 1
    os.closerange(low, 65_536)
    folder = tempfile.mkdtemp(prefix="answer-")
    if user is not None:
        os.chown(folder, user.number, user.number)
    os.chdir(folder)
    # Nobody's kept answers count, the teacher's least of all, and nothing is left behind.
    os.environ.update({HOME_VARIABLE: folder, "HOME": folder, "NBGRADER_EXECUTION": "autograde"})
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    answers.send_bytes(folder.encode())
    confine(limits, user)
    refuse_what_reaches_others()


def _run(statements: Sequence[Statement]) -> tuple[dict[str, Any], str | None]:
    """Run statements as a notebook's kernel does; the namespace, and the first error.

    After an error the rest of the same cell is left out, and the next cell goes on.
    """
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module  # where dataclasses look for the names of their fields
    vars(module)["display"] = lambda *_, **__: None  # IPython's
    flags, problem, failed = 0, None, None
    for statement in statements:
        cell = statement.cell
        if cell.number == failed:
            continue
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[cell.label] = (len(cell.source), None, lines, cell.label)
        body = ast.Module([statement.node], [])
        if getattr(statement.node, "module", None) == "__future__":
            flags |= __future__.annotations.compiler_flag
        try:
            exec(compile(body, cell.label, "exec", flags, dont_inherit=True), vars(module))
        except BaseException as error:
            failed = cell.number
            problem = problem or f"{_named(error)} {_place(error)}".strip()
    return vars(module), problem


def _described(function: Any, found: bool, problem: str | None) -> dict[str, Any]:
    """What the check has to know of a function before it calls it."""
    told: dict[str, Any] = {"found": found, "callable": callable(function), "problem": problem}
    if not callable(function):
        return told | {"value": function}
    with contextlib.suppress(Exception):  # some functions written in C have no signature
        told["parameters"] = [
            (each.name, int(each.kind), each.default is not each.empty)
            for each in inspect.signature(function).parameters.values()
        ]
    return told


def _answer(questions: Connection, answers: Connection, function: Callable[..., Any]) -> None:
    """Answer questions until there are no more."""
    last: tuple[Any, bytes] | None = None  # the answer itself, and as it was sent
    leaves: list[torch.Tensor] = []
    while True:
        try:
            kind, *asked = questions.recv()
        except (EOFError, OSError):
            return
        if kind == "gradient":
            answers.send_bytes(pack(_gradients(last[0] if last else None, leaves, *asked)))
            continue
        seed, positional, named = asked
        given = [*positional, *named.values()]
        before = [_packed(value) for value in given]
        leaves = [each for each in tensors_in(given) if each.requires_grad]
        seed_everything(seed)
        began = time.perf_counter()
        try:
            answer = function(*positional, **named)
        except BaseException as error:
            answers.send_bytes(pack(_raised(error)))
            continue
        reply: dict[str, Any] = {"answer": answer, "seconds": time.perf_counter() - began}
        after = [(number, value, _packed(value)) for number, value in enumerate(given)]
        reply["changed"] = {n: value for n, value, now in after if now != before[n]}
        if last is not None and _packed(last[0]) != last[1]:
            reply["changed before"] = last[0]
        last = answer, _packed(answer)
        answers.send_bytes(_message(reply))


def _message(reply: dict[str, Any]) -> bytes:
    try:
        return pack(reply)
    except UnreadableAnswer as problem:
        return pack(_raised(problem))


def _packed(value: Any) -> bytes:
    try:
        return pack(value)
    except Exception:  # of a value that cannot be sent, and is not compared
        return b""


def _gradients(answer: Any, leaves: list[torch.Tensor], weights: list[Any]) -> dict[str, Any]:
    outputs = [each for each in tensors_in(answer) if each.requires_grad]
    try:
        found = torch.autograd.grad(outputs, leaves, weights, allow_unused=True)
    except BaseException as error:
        return _raised(error)
    return {"gradients": list(found)}


def _raised(error: BaseException) -> dict[str, Any]:
    bare = type(error) is NotImplementedError and not error.args
    return {"raised": _named(error), "bare stub": bare, "place": _place(error)}


def _named(error: BaseException) -> str:
    try:
        said = shorten(" ".join(str(error).split()), 300)
    except BaseException:  # an error whose text cannot be had
        said = ""
    if isinstance(error, MemoryError):
        said = "it asked for more memory than an answer may take"
    return f"{type(error).__name__}: {said}" if said else f"{type(error).__name__}."


def _place(error: BaseException) -> str:
    """The deepest line of the learner's own that an error passed through, or nothing."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith("<cell ")]
    if not own:
        return ""
    cell = own[-1].filename.strip("<>")
    return f"in line {own[-1].lineno} of {cell}: {own[-1].line}"
