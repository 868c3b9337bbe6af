"""What a check says of an answer that is not right."""

from __future__ import annotations

import dataclasses
import inspect
import traceback
from collections.abc import Sequence
from typing import Any

from albert_lib.workbook.attempt import Attempt
from albert_lib.workbook.comparison import a_kind, kind_problem, same
from albert_lib.workbook.describe import describe, described_apart, shorten
from albert_lib.workbook.elsewhere import StoppedElsewhere
from albert_lib.workbook.exercise import Arguments, Exercise, Trial
from albert_lib.workbook.faults import Wrong, first_fault, repeat_fault
from albert_lib.workbook.first_difference import Difference, described_input, first_difference
from albert_lib.workbook.measured import here
from albert_lib.workbook.recognition import Recognised, recognise
from albert_lib.workbook.shrinking import shrunk
from albert_lib.workbook.time_limit import TooSlow


@dataclasses.dataclass(frozen=True)
class Refusal:
    """What is said, the name of what was recognised, and the input that shows it."""

    lines: list[str]
    misconception: str | None = None
    partial: bool = False  # something else is wrong besides
    input: Arguments | None = None


def refusal_of(attempt: Attempt, wrong: Wrong) -> Refusal:
    """Name the misconception, or else show the simplest input with a wrong answer."""
    if all(trial.answer is None for trial in attempt.trials):
        return Refusal(
            ["Your function returned None: is a `return` missing?"],
            input=attempt.trials[0].arguments,
        )
    known = recognise(attempt.exercise, attempt.trials, wrong.shaped_right)
    if known is not None and not known.partial:
        return _known_refusal(attempt, wrong, known)
    if not wrong.shaped_right and (named := _known_where_kinds_fit(attempt)) is not None:
        return named
    hidden = repeat_fault(attempt)  # explains answers that no known mistake does
    if hidden is not None:
        return general_refusal(attempt.exercise, hidden, attempt.trials)
    if known is not None:
        return _known_refusal(attempt, wrong, known)
    if not wrong.shaped_right and (silent := _silent_now_and_then(attempt)) is not None:
        return silent
    trial = wrong.trial
    if trial is not None:
        trial = shrunk(attempt, trial, lambda other: _fails_alike(attempt.exercise, wrong, other))
    return Refusal(
        [*_sentences(attempt, wrong, trial), *_shown(attempt.exercise, wrong, trial)],
        input=trial.arguments if trial is not None else None,
    )


def _known_where_kinds_fit(attempt: Attempt) -> Refusal | None:
    """A known mistake that explains all answers of the right kind: another dtype hides none.

    Said alone; what is wrong with the kind of the others comes when this is mended.
    """
    exercise = attempt.exercise
    fitting = [each for each in attempt.trials if kind_problem(each.expected, each.answer) is None]
    wrong = first_fault(exercise, fitting) if 2 * len(fitting) > len(attempt.trials) else None
    known = recognise(exercise, fitting, wrong.shaped_right) if wrong is not None else None
    if wrong is None or known is None or known.partial or known.related:
        return None
    return _known_refusal(attempt, wrong, known)


def _silent_now_and_then(attempt: Attempt) -> Refusal | None:
    """None for an answer on some inputs, and the right kind on all others."""
    silent = [each for each in attempt.trials if each.answer is None]
    others = [each for each in attempt.trials if each.answer is not None]
    if not silent or any(kind_problem(each.expected, each.answer) for each in others):
        return None
    text = (
        f"Your function returned None on {len(silent)} of {len(attempt.trials)} inputs: one of its "
        "branches ends without a `return`, or with nothing behind it."
    )
    shown = _shown(attempt.exercise, Wrong(text, silent[0], shaped_right=False), silent[0])
    return Refusal([text, *shown], input=silent[0].arguments)


def _sentences(attempt: Attempt, wrong: Wrong, trial: Trial | None) -> list[str]:
    """What is wrong, said with the trial that is shown in the place of the first one."""
    if trial is None or trial is wrong.trial:
        return [wrong.sentence]
    others = [each for each in attempt.trials if each is not wrong.trial]
    again = first_fault(attempt.exercise, [trial, *others])
    return [again.sentence if again is not None else wrong.sentence]


def _known_refusal(attempt: Attempt, wrong: Wrong, known: Recognised) -> Refusal:
    exercise = attempt.exercise
    trial = wrong.trial
    if trial is None:
        trial = next((each for each in attempt.trials if _differs(exercise, each)), None)
    text = [known.text]
    if trial is not None and (known.shows is not None or known.related):
        shows = known.shows or (lambda each: True)
        if known.retold is not None:  # the family shows in this one
            trial = next((e for e in attempt.trials if _differs(exercise, e) and shows(e)), trial)
        others = [each for each in attempt.trials if each is not trial]
        trial = shrunk(attempt, trial, lambda each: _differs(exercise, each) and shows(each))
        if known.retold is not None:
            text = [known.retold([trial, *others])]
    if known.related:
        text.insert(0, wrong.sentence)
    elif known.partial:
        text.append(wrong.sentence)
    if known.partial or known.related:
        text += _shown(exercise, wrong, trial)
    return Refusal(text, known.name, known.partial, trial.arguments if trial is not None else None)


def general_refusal(exercise: Exercise, wrong: Wrong, trials: Sequence[Trial]) -> Refusal:
    """A fault of any function: the exercise's own sentence for it, if it has one."""
    own = next((each for each in exercise.misconceptions if each.name == wrong.general), None)
    lines = [own.sentence(trials) if own is not None else wrong.sentence]
    if own is None:
        lines += _shown(exercise, wrong, wrong.trial)
    arguments = wrong.trial.arguments if wrong.trial is not None else None
    return Refusal(lines, wrong.general, input=arguments)


def _differs(exercise: Exercise, trial: Trial) -> bool:
    return not same(trial.expected, trial.answer, exercise.tolerance)


def _fails_alike(exercise: Exercise, wrong: Wrong, trial: Trial) -> bool:
    """Whether another trial is wrong as the first one was: in its kind, by a rule, or its value."""
    problem = kind_problem(trial.expected, trial.answer)
    if not wrong.shaped_right or problem is not None:
        return problem is not None and not wrong.shaped_right
    if exercise.judge is not None:
        fault = exercise.judge([trial])
        return fault is not None and fault.trial is not None
    return _differs(exercise, trial)


def _shown(exercise: Exercise, wrong: Wrong, trial: Trial | None) -> list[str]:
    """The input and both answers, and the first place where these differ."""
    if trial is None:
        return []
    place: Difference | None = None
    if wrong.show_answers or not wrong.shaped_right:
        place = first_difference(trial.expected, trial.answer, exercise.tolerance)
    positions = place.positions if place is not None else ()
    lines = ["The simplest such input:", *described_arguments(trial.arguments, positions)]
    expected, answer = "", describe(trial.answer)
    if wrong.show_answers:
        expected, answer = described_apart(trial.expected, trial.answer)
        lines.append(f"  albert_lib answers {expected}")
    lines.append(f"  you answered {answer}")
    if place is not None and wrong.shaped_right and place.where:
        lines.append(place.sentence())
    return lines


def described_arguments(arguments: Arguments, positions: tuple[int, ...] = ()) -> list[str]:
    """The arguments, one a line; of a large one the part at these positions."""
    return [f"  {name} = {described_input(value, positions)}" for name, value in arguments.items()]


def incomparable(trials: Sequence[Trial], error: BaseException) -> Refusal:
    """For answers that raise when they are compared or shown."""
    expected, answer = a_kind(trials[0].expected), trials[0].answer
    try:
        given = a_kind(answer)
    except Exception:  # a tensor without a shape
        given = f"of the type {type(answer).__name__}"
    text = (
        f"Your answer, {given}, cannot be compared with albert_lib's "
        f"({type(error).__name__}); {expected} is expected."
    )
    return Refusal([text], input=trials[0].arguments)


def closing(exercise: Exercise, seed: int) -> str:
    """The last line: where help is, and how to meet the same inputs again."""
    return f'Stuck? hint("{exercise.id}") The same inputs come again with {here(f"seed={seed}")}.'


def stopped_lines(attempt: Attempt, arguments: Arguments, error: BaseException) -> list[str]:
    """What is said of a function that raised: the error, its line, and what it was given."""
    lines = [f"Exercise {attempt.exercise.id}: {_what_happened(attempt, error)}"]
    if isinstance(error, StoppedElsewhere):
        lines += [f"  {error.place}"] if error.place else []
    elif (place := _place(attempt.function, error)) is not None:
        lines.append(f"  in line {place.lineno}: {place.line}")
    return [*lines, "It was given", *described_arguments(arguments)]


def _what_happened(attempt: Attempt, error: BaseException) -> str:
    """What stopped a function, for a sentence."""
    if isinstance(error, TooSlow):
        seconds = attempt.seconds if attempt.used >= attempt.seconds else attempt.limit
        return (
            f"your function was stopped after {seconds:g} seconds. Does a loop of it never end, or "
            f"does its work grow with every token of the input?"
        )
    if isinstance(error, StoppedElsewhere):
        return str(error)
    try:
        message = shorten(" ".join(str(error).split()), 300)
    except Exception:  # an error whose text cannot be had
        message = ""
    return f"your function raised {type(error).__name__}" + (f": {message}" if message else ".")


def _place(function: Any, error: BaseException) -> traceback.FrameSummary | None:
    """The deepest line of the traceback in the file or cell of `function`."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    return own[-1] if own else None
