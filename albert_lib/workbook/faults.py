"""What can be wrong with the answers of one function, the plainest first."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from albert_lib.workbook.attempt import Attempt, detached, silent
from albert_lib.workbook.comparison import holds_nan, kind_problem, same
from albert_lib.workbook.describe import shorten
from albert_lib.workbook.exercise import Arguments, Exercise, Trial, apart, call_with
from albert_lib.workbook.first_difference import first_difference
from albert_lib.workbook.seeds import seed_everything
from albert_lib.workbook.time_limit import TooSlow

# The names of general faults, for `Verdict.misconception`. An exercise may have a misconception of
# such a name: then its message is the one that is printed.
CHANGES_INPUT = "changes its input"
NO_GRADIENT = "no gradient"
ANOTHER_GRADIENT = "another gradient"
ANOTHER_EACH_TIME = "another answer each time"

AGAIN = 24  # inputs tried once more, for what lasts between calls and for gradients
ROUNDING = 1e-6  # the least that answers of one function may differ by, where they hold decimals


@dataclass(frozen=True)
class Wrong:
    """The first fault that was found, and the trial that shows it, if there is one."""

    sentence: str
    trial: Trial | None = None
    shaped_right: bool = True  # whether kinds, shapes and dtypes are the library's
    show_answers: bool = True
    general: str | None = None  # the name of a general fault


def first_fault(exercise: Exercise, trials: Sequence[Trial]) -> Wrong | None:
    """What is wrong with the answers themselves, or None; trials are sorted by size."""
    for trial in trials:
        problem = kind_problem(trial.expected, trial.answer)
        if problem is not None:
            return Wrong(f"{problem[0].upper()}{problem[1:]}.", trial, shaped_right=False)
    if exercise.judge is not None:
        fault = exercise.judge(trials)
        return Wrong(fault.sentence, fault.trial, show_answers=False) if fault else None
    wrong = apart(trials, exercise.tolerance)
    if not wrong:
        return None
    sentence = f"You differ from albert_lib on {len(wrong)} of {len(trials)} inputs."
    if holds_nan(wrong[0].answer) and not holds_nan(wrong[0].expected):
        sentence += " Your answer holds nan: look for 0/0, the logarithm of 0, or inf - inf."
    return Wrong(sentence, wrong[0])


def hidden_fault(attempt: Attempt) -> Wrong | None:
    """What is wrong although the answers are right: inputs changed, no gradient, a memory."""
    return changes_input(attempt) or gradient_fault(attempt) or repeat_fault(attempt)


def changes_input(attempt: Attempt) -> Wrong | None:
    """Whether an argument is changed that has to be left alone."""
    if not attempt.exercise.leaves_inputs or not attempt.changed:
        return None
    name, position = next(iter(attempt.changed.items()))
    return Wrong(
        f"The answer is right, but your function changes its argument {name!r}, which its caller "
        "goes on to use. Work on a copy, or write a new value in place of +=, [...] = and methods "
        "that end in an underscore.",
        attempt.trials[position],
        show_answers=False,
        general=CHANGES_INPUT,
    )


def repeat_fault(attempt: Attempt) -> Wrong | None:
    """Whether the answer to one input changes with other calls before it, or global seeds."""
    seed_everything(attempt.seed + 1)
    last: tuple[Trial, Any, Any] | None = None  # a trial, what came back, and a copy of that
    for trial in reversed(spread(attempt.trials)):
        try:
            with silent():
                answer, _ = attempt.timed(copy.deepcopy(dict(trial.arguments)))
        except KeyboardInterrupt:
            raise
        except TooSlow:
            return None
        except Exception as error:
            again = f"raised {type(error).__name__} when it came again"
            return _changes(attempt.exercise, trial, again)
        tolerance = max(attempt.exercise.tolerance, ROUNDING)
        kept = detached(answer)
        if not same(trial.answer, kept, tolerance):
            return _changes(attempt.exercise, trial, "gave another answer when it came again")
        if last is not None and not same(last[2], last[1], tolerance):
            return _changes(attempt.exercise, last[0], "gave what your next call then changed")
        last = trial, answer, kept
    return None


def _changes(exercise: Exercise, trial: Trial, what: str) -> Wrong:
    drawn = any(isinstance(value, np.random.Generator) for value in trial.arguments.values())
    source = (
        "Draw from the generator that is passed in and from nothing else"
        if drawn
        else "Draw no random numbers"
    )
    return Wrong(
        f"Your answer to the same input changed: it {what}, after other calls and with other "
        f"random numbers in torch, numpy and random. {source}, and keep nothing from call to "
        "call: no list as a default argument, no global that grows, no cache under too short a "
        "key.",
        trial,
        show_answers=False,
        general=ANOTHER_EACH_TIME,
    )


def gradient_fault(attempt: Attempt) -> Wrong | None:
    """Whether the answer's gradient is missing or not the library's."""
    for number, trial in enumerate(spread(attempt.trials) if attempt.exercise.gradients else []):
        expected = _gradients(attempt, trial.arguments, number, of_the_library=True)
        if not any(torch.any(gradient != 0) for gradient in expected.values()):
            continue
        try:
            answer = _gradients(attempt, trial.arguments, number, of_the_library=False)
        except KeyboardInterrupt:
            raise
        except TooSlow:
            return None
        except Exception as error:
            return _gradient_wrong(
                trial,
                "The answer is right, but with inputs that ask for a gradient, as in training, "
                f"your function raised {type(error).__name__}: {shorten(str(error))}",
            )
        if not any(torch.any(gradient != 0) for gradient in answer.values()):
            return _gradient_wrong(
                trial,
                "The answer is right, but it carries no gradient, so nothing would be learnt from "
                "it. Did you detach it, take .item(), or put it into torch.tensor(...)?",
            )
        tolerance = 10 * max(attempt.exercise.tolerance, ROUNDING)
        for name, gradient in expected.items():
            place = first_difference(gradient, answer[name], tolerance)
            if place is not None:
                return _gradient_wrong(
                    trial,
                    f"The answer is right, but its gradient for {name} is not the library's: a "
                    "part of the way there is detached, rounded, or chosen by argmax or an if. "
                    + place.sentence(),
                    ANOTHER_GRADIENT,
                )
    return None


def _gradient_wrong(trial: Trial, sentence: str, name: str = NO_GRADIENT) -> Wrong:
    return Wrong(sentence, trial, show_answers=False, general=name)


def _gradients(
    attempt: Attempt, arguments: Arguments, number: int, of_the_library: bool
) -> dict[str, torch.Tensor]:
    """The gradients of a sum of the answer, weighted at random; 0 where none arrives."""
    given = copy.deepcopy(dict(arguments))
    leaves = {
        name: leaf
        for argument in attempt.exercise.gradients
        for name, leaf in _leaves(argument, given[argument])
    }
    with silent(), torch.enable_grad():
        solution = attempt.exercise.solution
        answer = call_with(solution, solution, given) if of_the_library else attempt.timed(given)[0]
        rng = np.random.default_rng([attempt.seed, number])
        total = torch.zeros((), dtype=torch.float64)
        for part in _decimals(answer):
            weights = torch.from_numpy(np.asarray(rng.normal(size=tuple(part.shape))))
            total = total + (part.double() * weights).sum()
        if not total.requires_grad:
            return {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
        found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    return {
        name: torch.zeros_like(leaf) if gradient is None else gradient
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True)
    }


def _leaves(name: str, value: Any) -> list[tuple[str, torch.Tensor]]:
    """The tensors of an argument with their names, from now on with a gradient."""
    found: list[tuple[str, torch.Tensor]]
    if isinstance(value, torch.nn.Module):
        found = [(f"{name}.{part}", parameter) for part, parameter in value.named_parameters()]
    elif isinstance(value, torch.Tensor):
        found = [(name, value)]
    else:
        found = [(f"{name}[{i}]", tensor) for i, tensor in enumerate(_decimals(value))]
    return [(part, tensor.requires_grad_()) for part, tensor in found]


def _decimals(value: Any) -> list[torch.Tensor]:
    """The tensors with decimals in a value, in order."""
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for part in value for tensor in _decimals(part)]
    return []


def spread(trials: Sequence[Trial], most: int = AGAIN) -> list[Trial]:
    """At most so many of the trials, the small ones and the large ones."""
    if len(trials) <= most:
        return list(trials)
    return [trials[i * (len(trials) - 1) // (most - 1)] for i in range(most)]
