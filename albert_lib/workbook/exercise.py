"""An exercise: a tested function of albert_lib, random inputs, and known misconceptions."""

from __future__ import annotations

import copy
import functools
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.comparison import same
from albert_lib.workbook.size import size

Arguments = Mapping[str, Any]  # parameter name → value, in the order of the signature


class ExerciseError(AlbertLibError, ValueError):
    """An exercise was asked for that does not exist."""


@dataclass(frozen=True)
class Trial:
    """One drawn input, the library's answer to it, and the learner's."""

    arguments: Arguments
    expected: Any
    answer: Any


@dataclass(frozen=True)
class Fault:
    """Why a judge refuses answers, and a trial that shows it, if there is one."""

    sentence: str
    trial: Trial | None = None


Symptom = Callable[[Sequence[Trial]], bool]
Judge = Callable[[Sequence[Trial]], Fault | None]


@dataclass(frozen=True)
class Misconception:
    """A common mistake: a function that makes it, and the message to the learner.

    It is recognised when the answers equal those of `wrong` on every drawn input. Where answers
    are random and never equal, `symptom` decides instead. Only wrong answers are compared, in the
    order in which the exercise lists its misconceptions. Two that are `functools.partial`s of one
    function, with settings of their own, are also tried together, and where none fits exactly the
    nearest is looked for. A misconception with the name of a general fault (see faults.py), such
    as "no gradient", replaces its general sentence.

    A `broad` one is a family of mistakes that its symptom shows. It is named where nothing
    narrower is, and the input with both answers is shown too.
    """

    name: str
    wrong: Callable[..., Any]
    message: str | Callable[[Sequence[Trial]], str]  # a function can quote what was measured
    symptom: Symptom | None = None
    broad: bool = False

    def sentence(self, trials: Sequence[Trial]) -> str:
        """The message, with measured numbers filled in."""
        return self.message if isinstance(self.message, str) else self.message(trials)


@dataclass(frozen=True)
class Exercise:
    """One exercise of the workbook.

    `draw` makes the arguments of one trial from a generator, whose seed is new at every check.
    Answers are compared with the library's: exactly, or within `tolerance` (absolute and relative)
    where they hold decimals. With a `judge`, it alone decides: for functions that may answer in
    more than one right way.

    `borders` are the inputs that every check tries before the drawn ones: an empty text, a budget
    of 1, whatever lies at an edge. `gradients` names the parameters whose gradient of the answer
    must be the library's too. With `leaves_inputs`, an answer that changes its arguments is wrong.
    """

    id: str  # chapter and number: "2.2"
    title: str
    difficulty: Literal[1, 2, 3]
    minutes: int
    points: int
    solution: Callable[..., Any]  # the library's own function: nothing is written twice
    draw: Callable[[np.random.Generator], Arguments]
    misconceptions: tuple[Misconception, ...]
    hints: tuple[str, str, str]  # Markdown: about the shape, the concept, the line
    trials: int = 100
    tolerance: float = 0.0
    judge: Judge | None = None
    borders: Callable[[np.random.Generator], Sequence[Arguments]] | None = None
    gradients: tuple[str, ...] = ()
    leaves_inputs: bool = False

    @property
    def name(self) -> str:
        """The name of the function to write, which is the library's name for it."""
        return self.solution.__name__

    @property
    def heading(self) -> str:
        """The heading of the stub: title, difficulty, minutes, points."""
        dots = "●" * self.difficulty + "○" * (3 - self.difficulty)
        points = "1 point" if self.points == 1 else f"{self.points} points"
        return f"Exercise {self.id} · {self.title} · {dots} · {self.minutes} min · {points}"

    def inputs(self, seed: int = 0) -> list[Arguments]:
        """The borders and `trials` drawn inputs, sorted by size so that readable ones are first.

        The same seed gives the same inputs, and every seed gives others.
        """
        generator = self.generator(seed)
        borders = list(self.borders(generator)) if self.borders is not None else []
        drawn = [self.draw(generator) for _ in range(self.trials)]
        return sorted([*borders, *drawn], key=size)

    def generator(self, *seeds: int) -> np.random.Generator:
        """A generator of this exercise for these seeds."""
        return np.random.default_rng([*map(int, self.id.split(".")), *seeds])


def apart(trials: Sequence[Trial], tolerance: float = 0.0) -> list[Trial]:
    """The trials whose answer differs from the library's, sorted by size."""
    return [trial for trial in trials if not same(trial.expected, trial.answer, tolerance)]


def call(function: Callable[..., Any], solution: Callable[..., Any], arguments: Arguments) -> Any:
    """Call `function` as `solution` is called, on copies of the arguments.

    Keyword-only parameters of `solution` are passed by keyword and all others by position, so a
    learner may rename parameters.
    """
    return call_with(function, solution, copy.deepcopy(dict(arguments)))


def call_with(
    function: Callable[..., Any], solution: Callable[..., Any], arguments: Arguments
) -> Any:
    """Call `function` as `solution` is called, on the arguments themselves."""
    keyword_only = _keyword_only(solution)
    positional = [value for name, value in arguments.items() if name not in keyword_only]
    named = {name: value for name, value in arguments.items() if name in keyword_only}
    return function(*positional, **named)


@functools.cache
def _keyword_only(solution: Callable[..., Any]) -> frozenset[str]:
    kinds = inspect.signature(solution).parameters
    return frozenset(name for name, kind in kinds.items() if kind.kind is kind.KEYWORD_ONLY)


def all_exercises() -> dict[str, Exercise]:
    """Every exercise of the workbook by its id, in reading order."""
    package = importlib.import_module("albert_lib.workbook.exercises")
    found: dict[str, Exercise] = {}
    for chapter in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        if not chapter.startswith("chapter_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{chapter}")
        found.update({exercise.id: exercise for exercise in module.EXERCISES})
    return found


def find_exercise(id: str) -> Exercise:
    """The exercise with this id; only its own chapter is loaded.

    Raises ExerciseError, with the ids that exist, when there is none.
    """
    chapter, _, number = str(id).partition(".")
    if chapter.isdigit() and number.isdigit():
        name = f"albert_lib.workbook.exercises.chapter_{int(chapter):02d}"
        if importlib.util.find_spec(name) is not None:
            for exercise in importlib.import_module(name).EXERCISES:
                if exercise.id == id:
                    return exercise
    raise ExerciseError(
        f"There is no exercise {id!r}; the exercises are {', '.join(all_exercises())}."
    )


def exercise_named(name: str) -> Exercise | None:
    """The exercise whose function has this name, or None.

    An exercise keeps the name of its function where its number changes.

    Example:
        >>> exercise_named("mlm_loss").id
        '4.3'
    """
    return next((each for each in all_exercises().values() if each.name == name), None)
