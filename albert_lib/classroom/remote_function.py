"""A learner's function as the check sees it: it is called here and answers from another process."""

from __future__ import annotations

import contextlib
import inspect
import os
import pickle
import random
import shutil
import signal
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import torch

from albert_lib.classroom.answer_process import run_answer
from albert_lib.classroom.cells import Statement
from albert_lib.classroom.limits import Limits, Stranger, end_everything
from albert_lib.classroom.values import MOST_BYTES, overwrite, tensors_in, unpack
from albert_lib.workbook.elsewhere import Call, FunctionElsewhere, StoppedElsewhere

DEFINITIONS = 20.0  # seconds, for the statements that the function needs
WINDOW = 32_768  # bytes of questions under way at once: half of what a pipe holds, so none blocks
KINDS = list(inspect._ParameterKind)


class RemoteFunction(FunctionElsewhere):
    """A function of a learner's that runs in a process of its own, started when it is needed.

    Called, it hands on what the other process says: an answer made anew out of plain data, changes
    to the arguments, a gradient. An error there is raised here as StoppedElsewhere. After an
    answer that took too long, or none, the next call begins in a new process.
    """

    def __init__(
        self, statements: Sequence[Statement], name: str, limits: Limits, user: Stranger | None
    ) -> None:
        self._begin = (statements, name, limits, user)
        self._process = 0
        self._folder = ""
        self._questions: Connection | None = None
        self._answers: Connection | None = None
        self._foreseen: deque[Call] = deque()
        self._next = b""  # the foreseen question that did not fit yet
        self._under_way: deque[int] = deque()  # bytes of the questions that were asked ahead
        self._last: Any = None
        self._calls = 0
        told = self._start()
        self.found = told.get("found") is True
        self.problem = str(told["problem"]) if told.get("problem") else None
        self.is_function = told.get("callable") is True
        self.value = told.get("value")  # where it is no function
        self.__signature__ = _signature(told.get("parameters"))
        self.__name__ = name

    def __enter__(self) -> RemoteFunction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        self.end()

    def foresee(self, calls: Sequence[Call]) -> None:
        """Ask ahead what will be called next, so that neither process waits for the other."""
        self._foreseen.extend(calls)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """The function's answer; changes to the arguments are made here too."""
        if not self._process:
            self._start()
        given = [*positional, *named.values()]
        if self._foreseen or self._next or self._under_way:
            self._ask_ahead()
        else:
            self._send(_question((positional, named)))
        reply = self._reply()
        for number, value in dict(reply.get("changed") or {}).items():
            overwrite(given[number], value)
        if "changed before" in reply:
            overwrite(self._last, reply["changed before"])
        self._calls += 1
        answer = reply.get("answer")
        leaves = [each for each in tensors_in(given) if each.requires_grad]
        if leaves and torch.is_grad_enabled():
            outputs = [each for each in tensors_in(answer) if each.requires_grad]
            if outputs:
                outputs_here = _Remote.apply(self, self._calls, outputs, *leaves)
                answer = _exchanged(answer, iter(outputs_here))
        self._last = answer
        return answer

    def gradients(
        self, call: int, weights: Sequence[torch.Tensor], leaves: Sequence[torch.Tensor]
    ) -> list[torch.Tensor | None]:
        """The gradients of the answer to the last call, weighted, for its leaves."""
        if call != self._calls or not self._process:
            raise StoppedElsewhere("your function was called again before its gradient was asked.")
        self._send(pickle.dumps(("gradient", list(weights))))
        found = self._reply().get("gradients")
        if not isinstance(found, list) or len(found) != len(leaves):
            raise StoppedElsewhere("your function's gradient could not be had.")
        return [
            gradient.to(leaf.dtype)
            if isinstance(gradient, torch.Tensor) and gradient.shape == leaf.shape
            else None
            for gradient, leaf in zip(found, leaves, strict=True)
        ]

    def end(self) -> None:
        """End the process and all that it has started, and remove its folder."""
        if self._process:
            for connection in (self._questions, self._answers):
                if connection is not None:
                    connection.close()
            end_everything(self._process, self._begin[3])
            self._process = 0
            self._foreseen.clear()
            self._next = b""
            self._under_way.clear()
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> dict[str, Any]:
        """Start the process; what it tells of the function."""
        theirs, self._questions = Pipe(duplex=False)
        self._answers, out = Pipe(duplex=False)
        self._folder = ""
        self._process = os.fork()
        if self._process == 0:
            run_answer(theirs, out, *self._begin)
        theirs.close()
        out.close()
        self._folder = self._received(DEFINITIONS).decode("utf-8", "replace")
        return self._read(DEFINITIONS)

    def _ask_ahead(self) -> None:
        """Ask of what is foreseen as much as the pipe holds."""
        while self._foreseen or self._next:
            self._next = self._next or _question(self._foreseen.popleft())
            if self._under_way and sum(self._under_way) + len(self._next) > WINDOW:
                break
            self._under_way.append(len(self._next))
            self._send(self._next)
            self._next = b""

    def _send(self, question: bytes) -> None:
        assert self._questions is not None
        with contextlib.suppress(OSError):  # the process has ended: reading says so
            self._questions.send_bytes(question)

    def _reply(self) -> dict[str, Any]:
        """Wait as long as the check allows; raises StoppedElsewhere for an error."""
        try:
            reply = self._read(None)
        except BaseException:  # the check's own time limit among them
            self.end()
            raise
        if self._under_way:
            self._under_way.popleft()
        if "raised" not in reply:
            return reply
        if self._under_way:  # nobody will ask for what comes next
            self.end()
        if reply.get("bare stub") is True:
            raise NotImplementedError
        place = str(reply.get("place") or "") or None
        raise StoppedElsewhere(f"your function raised {reply['raised']}", place)

    def _read(self, seconds: float | None) -> dict[str, Any]:
        reply = unpack(self._received(seconds))
        if not isinstance(reply, dict):
            raise StoppedElsewhere("your function's process sent something else than an answer.")
        return reply

    def _received(self, seconds: float | None) -> bytes:
        assert self._answers is not None
        try:
            if seconds is not None and not self._answers.poll(seconds):
                self.end()
                raise StoppedElsewhere(
                    f"what your function needs did not come to an end within {seconds:g} seconds."
                )
            return self._answers.recv_bytes(MOST_BYTES)
        except (EOFError, OSError):
            how = _ended(self._process)
            self.end()
            raise StoppedElsewhere(how) from None


def _question(call: Call) -> bytes:
    """A call for the other process, with a seed for all that it could draw from.

    The seed comes from the generator that the check has seeded, so it is the same every time.
    """
    return pickle.dumps(("call", random.getrandbits(32), list(call[0]), call[1]))


class _Remote(torch.autograd.Function):
    """Tensors that came from a learner's function, whose gradients have to be asked for there."""

    @staticmethod
    def forward(ctx: Any, function: RemoteFunction, call: int, outputs: Any, *leaves: Any) -> Any:
        ctx.function, ctx.call = function, call
        ctx.save_for_backward(*leaves)
        return tuple(each.detach().clone() for each in outputs)

    @staticmethod
    def backward(ctx: Any, *weights: Any) -> Any:
        leaves = ctx.saved_tensors
        return (None, None, None, *ctx.function.gradients(ctx.call, weights, leaves))


def _exchanged(value: Any, outputs: Any) -> Any:
    """An answer with its tensors that ask for a gradient exchanged, in order."""
    if isinstance(value, torch.Tensor):
        return next(outputs) if value.requires_grad else value
    if type(value) in (list, tuple):
        return type(value)([_exchanged(part, outputs) for part in value])
    if type(value) is dict:
        return {key: _exchanged(part, outputs) for key, part in value.items()}
    return value


def _signature(parameters: Any) -> inspect.Signature:
    """The signature that the other process told of; of one that takes anything if it told none."""
    anything = [("arguments", 2, False), ("named", 4, False)]
    try:
        return inspect.Signature(
            [
                inspect.Parameter(name, KINDS[kind], default=None if optional else inspect._empty)
                for name, kind, optional in (anything if parameters is None else parameters)
            ]
        )
    except Exception:  # something else than a signature was told
        return _signature(None)


def _ended(process: int) -> str:
    """How a process has come to its end, for a sentence."""
    status = 0
    for _ in range(100):  # one that has only closed its connection does not end
        with contextlib.suppress(ChildProcessError):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                break
        time.sleep(0.01)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in list(signal.Signals) else str(number)
        return f"your function's process was ended by {name} before it answered."
    return "your function ended its process (os._exit or the like) instead of answering."
