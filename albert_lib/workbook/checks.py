"""`check`: compare a learner's function with the library's, and say what is wrong with it."""

from __future__ import annotations

import inspect
import os
import statistics
import types
from dataclasses import dataclass
from typing import Any, Literal

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.answer_files import keep_answer
from albert_lib.workbook.attempt import Attempt, quiet
from albert_lib.workbook.comparison import a_kind, largest_difference
from albert_lib.workbook.elsewhere import Call, FunctionElsewhere
from albert_lib.workbook.exercise import (
    Arguments,
    Exercise,
    ExerciseError,
    call_with,
    exercise_named,
    find_exercise,
)
from albert_lib.workbook.failing_inputs import remember_failing_input
from albert_lib.workbook.faults import first_fault, hidden_fault
from albert_lib.workbook.measured import here
from albert_lib.workbook.refusals import (
    Refusal,
    closing,
    general_refusal,
    incomparable,
    refusal_of,
    stopped_lines,
)
from albert_lib.workbook.seeds import chosen_seed, random_state_kept, seed_everything
from albert_lib.workbook.time_limit import time_limit

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
    """The result of `examine`.

    `misconception` names what was recognised: a known mistake, "A and B", or a general fault such
    as "no gradient". With `partial` it explains most of what is wrong, and not all. `input` holds
    the arguments that show the fault, and `seed` draws the same inputs again.
    """

    status: Status
    text: str
    misconception: str | None = None
    partial: bool = False
    input: Arguments | None = None
    seed: int = 0


def check(id: str, function: Any, seed: int | None = None) -> float | None:
    """Print what is right or wrong about `function` as an answer to exercise `id`.

    The inputs are new at every call; `seed`, which a refusal names, brings the same ones again.
    Without it, that of the environment variable ALBERT_LIB_CHECK_SEED counts, if it is set.
    Returns None, so that a notebook runs on with a wrong answer too. While nbgrader is grading,
    returns the exercise's points for a right answer and raises NotYetRight for any other.
    """
    exercise = _find(id, function)
    verdict = examine(exercise, function, seed)
    print(verdict.text)
    if verdict.status != "right" and (other := _another(exercise, function)):
        print(
            f"{other.name} is the function of exercise {other.id}, and {id} asks for "
            f"{exercise.name}. In a notebook of an older version exercises have other numbers."
        )
    if verdict.status in ("wrong", "raised"):
        remember_failing_input(id, verdict.input)
        if verdict.input is not None:
            print(f'To try that input yourself: failing_input("{id}")')
    if verdict.status == "right" and (said := keep_answer(exercise, function)):
        print(said)
    if os.environ.get("NBGRADER_EXECUTION") not in GRADING:
        return None
    if verdict.status != "right":
        raise NotYetRight(f"exercise {id} is {verdict.status}; the text above says why.")
    return float(exercise.points)


def _find(id: str, function: Any) -> Exercise:
    """The exercise with this id; ExerciseError, with what the function is for, if there is none."""
    try:
        return find_exercise(id)
    except ExerciseError:
        if (other := _another(None, function)) is None:
            raise
        raise ExerciseError(
            f"There is no exercise {id!r}; {other.name} is the function of exercise {other.id}."
        ) from None


def _another(exercise: Exercise | None, function: Any) -> Exercise | None:
    """The exercise whose function's name `function` bears, if that is not this one's."""
    if not isinstance(function, types.FunctionType):
        return None
    if exercise is not None and function.__name__ == exercise.name:
        return None
    return exercise_named(function.__name__)


def examine(exercise: Exercise, function: Any, seed: int | None = None) -> Verdict:
    """Try `function` on inputs of `exercise`; nothing is printed.

    Whatever the function returns or raises, and if it never ends, this returns a verdict. The
    global generators of torch, NumPy and Python are left as they were. Raises SeedError for a
    seed that is no whole number.
    """
    seed = chosen_seed(seed)
    with random_state_kept(), quiet():
        inputs = exercise.inputs(seed)
        problem = _call_problem(exercise, function, inputs[0])
        if problem is not None:
            return _refused(exercise, Refusal([problem]), [], seed)
        return _examined(Attempt(exercise, function, seed, SECONDS), inputs)


def _examined(attempt: Attempt, inputs: list[Arguments]) -> Verdict:
    """The verdict on a function that can be called."""
    exercise, seed = attempt.exercise, attempt.seed
    arguments = inputs[0]
    seed_everything(seed)
    if isinstance(attempt.function, FunctionElsewhere):
        attempt.function.foresee([_as_called(exercise, each) for each in inputs])
    try:
        for arguments in inputs:
            attempt.add(arguments)
    except KeyboardInterrupt:  # the person's own
        raise
    except BaseException as error:
        return _stopped(attempt, arguments, error)
    try:
        with time_limit(SECONDS):
            refusal = _refusal(attempt)
            if refusal is None:
                return Verdict("right", praise(attempt), seed=seed)
            return _refused(exercise, refusal, attempt.remarks(), seed)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of an answer that cannot be looked at: its own ==, say
        return _refused(exercise, incomparable(attempt.trials, error), [], seed)


def _as_called(exercise: Exercise, arguments: Arguments) -> Call:
    """How a function is called with these arguments."""
    return call_with(lambda *passed, **named: (passed, named), exercise.solution, arguments)


def _refusal(attempt: Attempt) -> Refusal | None:
    """What is wrong with the answers, or with how they were made, or None."""
    wrong = first_fault(attempt.exercise, attempt.trials)
    if wrong is not None:
        return refusal_of(attempt, wrong)
    hidden = hidden_fault(attempt)
    return general_refusal(attempt.exercise, hidden, attempt.trials) if hidden else None


def praise(attempt: Attempt) -> str:
    """The text for a right answer."""
    exercise, count = attempt.exercise, len(attempt.trials)
    times = f"{statistics.median(attempt.slowness):.1f} times the library's time"
    where = here(f"seed={attempt.seed}, {times}")
    if exercise.judge is not None:
        text = f"Your {exercise.name} keeps every rule on {count} inputs {where}."
    else:
        text = f"Your {exercise.name} agrees with albert_lib's on {count} inputs {where}."
    if exercise.tolerance:
        gap = max(largest_difference(trial.expected, trial.answer) for trial in attempt.trials)
        text += f" Largest difference {here(f'{gap:.1e}')}."
    return "\n".join([f"Exercise {exercise.id}: right.", text, *attempt.remarks()])


def _refused(exercise: Exercise, refusal: Refusal, remarks: list[str], seed: int) -> Verdict:
    first = f"Exercise {exercise.id}: not right yet."
    lines = [first, *refusal.lines, *remarks, closing(exercise, seed)]
    return Verdict(
        "wrong",
        "\n".join(lines),
        refusal.misconception,
        refusal.partial,
        refusal.input,
        seed,
    )


def _stopped(attempt: Attempt, arguments: Arguments, error: BaseException) -> Verdict:
    """The verdict on a function that raised: an empty stub, or an error in its own code.

    Only a bare NotImplementedError is the stub's: input() raises a subclass of it, and PyTorch
    raises it with a message for a missing kernel.
    """
    exercise, seed = attempt.exercise, attempt.seed
    if type(error) is NotImplementedError and not error.args:
        text = f"Exercise {exercise.id} is not attempted yet: write {exercise.name} above, "
        return Verdict("not attempted", text + "then run this cell again.", seed=seed)
    lines = [*stopped_lines(attempt, arguments, error), closing(exercise, seed)]
    return Verdict("raised", "\n".join(lines), input=arguments, seed=seed)


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
