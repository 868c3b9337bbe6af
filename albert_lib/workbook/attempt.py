"""One function tried on the inputs of an exercise: its answers, side effects and time."""

from __future__ import annotations

import contextlib
import copy
import io
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from albert_lib.workbook.comparison import same
from albert_lib.workbook.describe import shorten
from albert_lib.workbook.exercise import Arguments, Exercise, Trial, call_with
from albert_lib.workbook.time_limit import TooSlow, time_limit

ALONE = 3.0  # seconds for a single input, where the library takes milliseconds
TIMES = 100  # or so many times what the library takes for it


@dataclass
class Attempt:
    """The trials of one function, what they left behind, and the seconds that are left."""

    exercise: Exercise
    function: Callable[..., Any]
    seed: int
    seconds: float  # for all calls of the function together
    trials: list[Trial] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)  # argument → first such trial
    complaints: dict[str, None] = field(default_factory=dict)  # warnings, in order
    slowness: list[float] = field(default_factory=list)  # seconds over the library's, a trial
    limit: float = 0.0  # that the last call ran under
    used: float = 0.0  # seconds, by all calls

    def add(self, arguments: Arguments) -> None:
        """Run one trial and keep it; an exception of the function is not caught."""
        copied, expected, library_seconds = self._library(arguments)
        given = copy.deepcopy(dict(arguments))
        with _collected(self.complaints):
            answer, seconds = self.timed(given, library_seconds)
        self.slowness.append(seconds / max(library_seconds, 1e-9))
        for name, value in arguments.items():
            if not same(value, given[name]) and is_left_alone(value, copied[name]):
                self.changed.setdefault(name, len(self.trials))
        self.trials.append(Trial(arguments, expected, detached(answer)))

    def tried(self, arguments: Arguments) -> Trial | None:
        """A trial in silence that is not kept, or None where the function raises or is too slow."""
        with silent():
            _, expected, library_seconds = self._library(arguments)
            try:
                answer, _ = self.timed(copy.deepcopy(dict(arguments)), library_seconds)
            except KeyboardInterrupt:
                raise
            except (Exception, TooSlow):
                return None
        return Trial(arguments, expected, detached(answer))

    def _library(self, arguments: Arguments) -> tuple[dict[str, Any], Any, float]:
        """The arguments after the library's call, its answer, and its seconds."""
        copied = copy.deepcopy(dict(arguments))
        started = time.perf_counter()
        expected = call_with(self.exercise.solution, self.exercise.solution, copied)
        return copied, expected, time.perf_counter() - started

    def timed(self, given: Arguments, library_seconds: float = 0.0) -> tuple[Any, float]:
        """The function's own answer to these very arguments, and its seconds.

        Raises TooSlow where one call, or all of them, take too long.
        """
        left = max(self.seconds - self.used, 1e-3)
        self.limit = min(max(ALONE, TIMES * library_seconds), left)
        started = time.perf_counter()
        try:
            with time_limit(self.limit):
                answer = call_with(self.function, self.exercise.solution, given)
        finally:
            seconds = time.perf_counter() - started
            self.used += seconds
        return answer, seconds

    def remarks(self) -> list[str]:
        """Notes: arguments that were changed, warnings that were suppressed."""
        lines = [
            f"Note: your function changes its argument {name!r}, which its caller may still need. "
            f"Work on a copy."
            for name in self.changed
        ]
        return lines + [f"Note: your function also said: {text}" for text in self.complaints][:1]


def is_left_alone(before: Any, after: Any) -> bool:
    """Whether the library itself leaves an argument as it was; a generator is there to be used."""
    return not isinstance(before, np.random.Generator) and same(before, after)


def detached(answer: Any) -> Any:
    """A copy of the answer without its graph, which later calls of the function cannot change."""
    try:
        return _copied(answer)
    except Exception:  # a list in itself, a tensor that cannot be copied
        return answer


def _copied(answer: Any) -> Any:
    if isinstance(answer, torch.Tensor):
        return answer.detach().clone()
    if type(answer) in (list, tuple):
        return type(answer)(map(_copied, answer))
    if type(answer) is dict:
        return {key: _copied(value) for key, value in answer.items()}
    return answer.copy() if isinstance(answer, np.ndarray) else answer


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Suppress warnings and all that is printed."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings and stderr: nbgrader takes a point away for any text on stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _collected(complaints: dict[str, None]) -> Iterator[None]:
    """Collect what is warned and written to stderr inside the block, one line each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            yield
    for warning in caught:
        text = " ".join(str(warning.message).split())
        complaints[shorten(f"{warning.category.__name__}: {text}")] = None
    if errors.getvalue().strip():
        complaints[shorten(errors.getvalue().strip().splitlines()[0])] = None
