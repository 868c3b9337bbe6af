"""`check`: compare a learner's function with the library's, and say what is wrong with it."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import os
import statistics
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.comparison import a_kind, holds_nan, kind_problem, largest_difference, same
from albert_lib.workbook.describe import describe, shorten
from albert_lib.workbook.exercise import (
    Arguments,
    Exercise,
    Trial,
    apart,
    call_with,
    find_exercise,
)
from albert_lib.workbook.measured import here
from albert_lib.workbook.time_limit import TooSlow, time_limit

Status = Literal["right", "wrong", "raised", "not attempted"]
SECONDS = 20.0  # for all inputs of an exercise; the library takes a fraction of one
GRADING = ("autograde", "validate")  # what nbgrader puts into NBGRADER_EXECUTION


class NotYetRight(AlbertLibError):
    """Raised while nbgrader is grading, on any answer but the right one."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: one line, because the traceback would only show this file."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Verdict:
    """The result of `examine`: status, text for the learner, and the recognised misconception."""

    status: Status
    text: str
    misconception: str | None = None


def check(id: str, function: Any) -> float | None:
    """Print what is right or wrong about `function` as an answer to exercise `id`.

    Returns None, so that a notebook runs on with a wrong answer too. While nbgrader is grading,
    returns the exercise's points for a right answer and raises NotYetRight for any other.
    """
    exercise = find_exercise(id)
    verdict = examine(exercise, function)
    print(verdict.text)
    if os.environ.get("NBGRADER_EXECUTION") not in GRADING:
        return None
    if verdict.status != "right":
        raise NotYetRight(f"exercise {id} is {verdict.status}; the text above says why.")
    return float(exercise.points)


def examine(exercise: Exercise, function: Any) -> Verdict:
    """Try `function` on the drawn inputs of `exercise`; nothing is printed.

    Whatever the function returns or raises, and if it never ends, this returns a verdict.
    """
    inputs = exercise.inputs()
    problem = _call_problem(exercise, function, inputs[0])
    if problem is not None:
        return _refusal(exercise, problem)
    attempt = _Attempt()
    arguments = inputs[0]
    with _quiet():
        try:
            with time_limit(SECONDS):
                for arguments in inputs:
                    attempt.add(exercise, function, arguments)
        except KeyboardInterrupt:  # the person's own
            raise
        except BaseException as error:
            return _stopped(exercise, function, arguments, error)
        try:
            wrong = _first_fault(exercise, attempt.trials)
            if wrong is None:
                return Verdict("right", attempt.praise(exercise))
            return _diagnosis(exercise, attempt, wrong)
        except Exception as error:  # of an answer that cannot be looked at: its own ==, say
            return _incomparable(exercise, attempt.trials, error)


@dataclass
class _Attempt:
    """The trials of one function on the drawn inputs, and its side effects."""

    trials: list[Trial] = field(default_factory=list)
    changed: dict[str, None] = field(default_factory=dict)  # names of arguments, in order
    complaints: dict[str, None] = field(default_factory=dict)  # warnings, in order
    slowness: list[float] = field(default_factory=list)  # seconds over the library's, a trial

    def add(self, exercise: Exercise, function: Callable[..., Any], arguments: Arguments) -> None:
        """Run one trial; an exception of `function` is not caught."""
        copied = copy.deepcopy(dict(arguments))
        started = time.perf_counter()
        expected = call_with(exercise.solution, exercise.solution, copied)
        library_seconds = time.perf_counter() - started
        given = copy.deepcopy(dict(arguments))
        with _collected(self.complaints):
            started = time.perf_counter()
            answer = call_with(function, exercise.solution, given)
            self.slowness.append((time.perf_counter() - started) / max(library_seconds, 1e-9))
        for name, value in arguments.items():
            if not isinstance(value, np.random.Generator) and not same(value, given[name]):
                self.changed[name] = None
        self.trials.append(Trial(arguments, expected, answer))

    def praise(self, exercise: Exercise) -> str:
        """The text for a right answer."""
        count = len(self.trials)
        speed = here(f"{statistics.median(self.slowness):.1f} times the library's time")
        if exercise.judge is not None:
            text = f"Your {exercise.name} keeps every rule on {count} drawn inputs {speed}."
        else:
            text = f"Your {exercise.name} agrees with albert_lib's on {count} drawn inputs {speed}."
        if exercise.tolerance:
            gap = max(largest_difference(trial.expected, trial.answer) for trial in self.trials)
            text += f" Largest difference {here(f'{gap:.1e}')}."
        return "\n".join([f"Exercise {exercise.id}: right.", text, *self.remarks()])

    def remarks(self) -> list[str]:
        """Notes: arguments that were changed, warnings that were suppressed."""
        lines = [
            f"Note: your function changes its argument {name!r}, which its caller may still need. "
            f"Work on a copy."
            for name in self.changed
        ]
        return lines + [f"Note: your function also said: {text}" for text in self.complaints][:1]


@dataclass(frozen=True)
class _Wrong:
    """The first trial that shows an answer to be wrong."""

    trial: Trial | None
    sentence: str
    shaped_right: bool = True
    show_answers: bool = True


def _first_fault(exercise: Exercise, trials: list[Trial]) -> _Wrong | None:
    """The simplest wrong trial, or None; trials are sorted by size."""
    for trial in trials:
        problem = kind_problem(trial.expected, trial.answer)
        if problem is not None:
            return _Wrong(trial, f"{problem[0].upper()}{problem[1:]}.", shaped_right=False)
    if exercise.judge is not None:
        fault = exercise.judge(trials)
        return _Wrong(fault.trial, fault.sentence, show_answers=False) if fault else None
    wrong = apart(trials, exercise.tolerance)
    if not wrong:
        return None
    sentence = f"You differ from albert_lib on {len(wrong)} of {len(trials)} inputs."
    if holds_nan(wrong[0].answer) and not holds_nan(wrong[0].expected):
        sentence += " Your answer holds nan: look for 0/0, the logarithm of 0, or inf - inf."
    return _Wrong(wrong[0], sentence)


def _diagnosis(exercise: Exercise, attempt: _Attempt, wrong: _Wrong) -> Verdict:
    """Name the misconception, or else show the first input with a wrong answer."""
    remarks = attempt.remarks()
    if all(trial.answer is None for trial in attempt.trials):
        return _refusal(exercise, "Your function returned None: is a `return` missing?", remarks)
    known = exercise.recognise(attempt.trials, wrong.shaped_right)
    if known is not None:
        return _refusal(exercise, known.sentence(attempt.trials), remarks, known.name)
    lines = [wrong.sentence]
    if wrong.trial is not None:
        lines += ["The simplest such input:", *_described(wrong.trial.arguments)]
        if wrong.show_answers:
            lines.append(f"  albert_lib answers {describe(wrong.trial.expected)}")
        lines.append(f"  you answered {describe(wrong.trial.answer)}")
    return _refusal(exercise, "\n".join(lines), remarks)


def _refusal(
    exercise: Exercise, text: str, remarks: list[str] | None = None, known: str | None = None
) -> Verdict:
    lines = [f"Exercise {exercise.id}: not right yet.", text, *(remarks or []), _help(exercise)]
    return Verdict("wrong", "\n".join(lines), known)


def _help(exercise: Exercise) -> str:
    return f'Stuck? hint("{exercise.id}")'


def _described(arguments: Arguments) -> list[str]:
    return [f"  {name} = {describe(value)}" for name, value in arguments.items()]


def _incomparable(exercise: Exercise, trials: list[Trial], error: Exception) -> Verdict:
    """The verdict on answers that raise when they are compared or shown."""
    expected, answer = a_kind(trials[0].expected), trials[0].answer
    try:
        given = a_kind(answer)
    except Exception:  # a tensor without a shape
        given = f"of the type {type(answer).__name__}"
    text = (
        f"Your answer, {given}, cannot be compared with albert_lib's "
        f"({type(error).__name__}); {expected} is expected."
    )
    return _refusal(exercise, text)


def _stopped(
    exercise: Exercise, function: Callable[..., Any], arguments: Arguments, error: BaseException
) -> Verdict:
    """The verdict on a function that raised: an empty stub, or an error in its own code.

    Only a bare NotImplementedError is the stub's: input() raises a subclass of it, and PyTorch
    raises it with a message for a missing kernel.
    """
    if type(error) is NotImplementedError and not error.args:
        text = f"Exercise {exercise.id} is not attempted yet: write {exercise.name} above, "
        return Verdict("not attempted", text + "then run this cell again.")
    lines = [f"Exercise {exercise.id}: {_what_happened(error)}"]
    place = _place(function, error)
    if place is not None:
        lines.append(f"  in line {place.lineno}: {place.line}")
    lines += ["It was given", *_described(arguments), _help(exercise)]
    return Verdict("raised", "\n".join(lines))


def _what_happened(error: BaseException) -> str:
    """What stopped a function, for a sentence."""
    if isinstance(error, TooSlow):
        return (
            f"your function was stopped after {SECONDS:g} seconds. Does a loop of it never end, or "
            f"does its work grow with every token of the input?"
        )
    try:
        message = shorten(" ".join(str(error).split()), 300)
    except Exception:  # an error whose text cannot be had
        message = ""
    return f"your function raised {type(error).__name__}" + (f": {message}" if message else ".")


def _place(function: Callable[..., Any], error: BaseException) -> traceback.FrameSummary | None:
    """The deepest line of the traceback in the file or cell of `function`."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    return own[-1] if own else None


def _call_problem(exercise: Exercise, function: Any, arguments: Arguments) -> str | None:
    """Why `function` cannot be called as the exercise calls it, or None."""
    if not callable(function):
        return (
            f"check needs the function itself and was given {a_kind(function)}: "
            f'write check("{exercise.id}", {exercise.name}).'
        )
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C have none
        return None
    try:
        call_with(signature.bind, exercise.solution, arguments)
    except TypeError:
        takes = ", ".join(signature.parameters)
        return f"It is called with ({', '.join(arguments)}); your function takes ({takes})."
    return None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
