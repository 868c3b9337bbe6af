"""Giving wrong variants to the checks of their exercises, several processes side by side.

A variant may loop for ever or take all memory. In a loop of Python the check's own limit stops it,
which is a few seconds here; a process that doesn't answer is killed, and another takes its place.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import multiprocessing
import multiprocessing.connection
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exercise_mutants import Variant, build, unchanged

from albert_lib.workbook import checks, faults, shrinking
from albert_lib.workbook.exercise import Exercise, find_exercise

SEED = 14  # of the inputs: the same in every run
LEAST_SECONDS, TIMES_THE_LIBRARYS = 2.0, 5.0  # what a variant is given
PATIENCE = 30.0  # seconds after which a process that doesn't answer is killed
MEMORY = 3 << 30  # bytes that a process may take beside what it has at first

ACCEPTED, NAMED, PARTLY = "accepted", "named", "partly named"
MEASURED = "measured"  # no known mistake, but how the answers hang together with the right ones
UNNAMED, NOTHING, RAISED = "unnamed", "nothing returned", "raised"


@dataclass(frozen=True)
class Outcome:
    """What a check says of a variant: one of the words above, and the misconception it names."""

    word: str
    misconception: str | None = None


def try_variant(exercise: Exercise, function: Callable[..., Any], seconds: float) -> Outcome:
    """What the exercise's check says of a function, which it stops after so many seconds."""
    before = checks.SECONDS, shrinking.DRAWS
    checks.SECONDS, shrinking.DRAWS = seconds, 0  # which input is shown makes no difference here
    try:
        verdict = checks.examine(exercise, function, seed=SEED)
    finally:
        checks.SECONDS, shrinking.DRAWS = before
    if verdict.status == "right":
        return Outcome(ACCEPTED)
    if verdict.status != "wrong":
        return Outcome(RAISED)
    if verdict.misconception is not None:
        if verdict.misconception not in known_names(exercise):
            return Outcome(MEASURED, verdict.misconception)
        return Outcome(PARTLY if verdict.partial else NAMED, verdict.misconception)
    return Outcome(NOTHING if "returned None" in verdict.text else UNNAMED)


GENERAL = (
    faults.CHANGES_INPUT,
    faults.NO_GRADIENT,
    faults.ANOTHER_GRADIENT,
    faults.ANOTHER_EACH_TIME,
)


@functools.cache
def known_names(exercise: Exercise) -> frozenset[str]:
    """What a known mistake is called: a misconception, two together, or a fault of any function."""
    alone = [each.name for each in exercise.misconceptions]
    pairs = [" and ".join(pair) for pair in itertools.permutations(alone, 2)]
    return frozenset([*alone, *pairs, *GENERAL])


@functools.cache
def allowed_seconds(id: str) -> float:
    """What a variant of an exercise may take, by the time of the function without a change.

    Raises AssertionError when that is not right.
    """
    exercise = find_exercise(id)
    started = time.perf_counter()
    outcome = try_variant(exercise, unchanged(exercise), checks.SECONDS)
    assert outcome.word == ACCEPTED, f"{id}: the library's function, without a change, {outcome}"
    return max(LEAST_SECONDS, TIMES_THE_LIBRARYS * (time.perf_counter() - started))


def outcomes(waiting: Sequence[Variant], processes: int) -> Iterator[tuple[int, Outcome]]:
    """Yield the number of each variant with its outcome, in the order in which they end."""
    left = list(reversed(list(enumerate(waiting))))
    workers = [_Worker() for _ in range(min(processes, len(left)))]
    try:
        while left or any(worker.number is not None for worker in workers):
            for worker in workers:
                if worker.number is None and left:
                    worker.begin(*left.pop())
            busy = [worker for worker in workers if worker.number is not None]
            multiprocessing.connection.wait([worker.pipe for worker in busy], timeout=1.0)
            for worker in busy:
                outcome = worker.answer()
                if outcome is not None:
                    assert worker.number is not None
                    yield worker.number, outcome
                    worker.number = None
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process that tries one variant after the other."""

    def __init__(self) -> None:
        self.number: int | None = None  # of the variant that it tries
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other_end = context.Pipe()
        self.process = context.Process(target=_serve, args=(other_end,), daemon=True)
        self.process.start()
        other_end.close()

    def begin(self, number: int, variant: Variant) -> None:
        self.number, self.deadline = number, time.monotonic() + PATIENCE
        self.pipe.send(variant)

    def answer(self) -> Outcome | None:
        """The outcome, if the trial is over; a process that hangs or died is replaced."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            if self.pipe.poll():
                outcome = self.pipe.recv()
                if isinstance(outcome, str):
                    raise SystemExit(outcome)
                return outcome
            if self.process.is_alive() and time.monotonic() < self.deadline:
                return None
        self.end()
        self._start()
        return Outcome(RAISED)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: multiprocessing.connection.Connection) -> None:
    """Answer the variants that come through the pipe; text is an error that ends the whole run."""
    import torch

    torch.set_num_threads(1)
    _limit_memory()
    while True:
        try:
            variant = pipe.recv()
        except EOFError:
            return
        try:
            exercise = find_exercise(variant.exercise)
            seconds = allowed_seconds(exercise.id)
            pipe.send(try_variant(exercise, build(exercise, variant.sources), seconds))
        except Exception as error:
            pipe.send(f"{variant.exercise}, {variant.mutant.after!r}: {error!r}")


def _limit_memory() -> None:
    """Let an answer that asks for too much memory get a MemoryError, where POSIX can do that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
