"""Every mistake of every exercise is refused, and known by its own name."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from albert_lib.workbook.attempt import Attempt
from albert_lib.workbook.checks import Verdict, examine
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial, all_exercises
from albert_lib.workbook.recognition import _Known

SEEDS = (1, 2)
EXERCISES = list(all_exercises().values())
# Five hundred mistakes take minutes of a check each seed, so neighbours take turns with the seeds.
MISTAKES = [
    pytest.param(exercise, misconception, seed, id=f"{exercise.id}-{misconception.name}")
    for exercise in EXERCISES
    for misconception, seed in zip(exercise.misconceptions, itertools.cycle(SEEDS))
]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


class WorkedOutOnce:
    """What is the same for every mistake of an exercise under one seed.

    The inputs, the library's answers to them, and what each known mistake makes of them.
    """

    def __init__(self) -> None:
        self.drawn: dict[tuple[str, int], list[Arguments]] = {}
        self.kept: set[int] = set()  # the inputs above, which live as long as this does
        self.by_library: dict[int, Any] = {}
        self.by_mistake: dict[tuple[int, int], Any] = {}
        self.mistakes = {id(each.wrong) for one in EXERCISES for each in one.misconceptions}

    def inputs(self, exercise: Exercise, seed: int, draw: Callable[..., Any]) -> list[Arguments]:
        key = exercise.id, seed
        if key not in self.drawn:
            self.drawn[key] = draw(exercise, seed)
            self.kept.update(map(id, self.drawn[key]))
        return self.drawn[key]

    def library(self, attempt: Attempt, arguments: Arguments, answer: Callable[..., Any]) -> Any:
        if id(arguments) not in self.kept:
            return answer(attempt, arguments)
        if id(arguments) not in self.by_library:
            self.by_library[id(arguments)] = answer(attempt, arguments)
        return self.by_library[id(arguments)]

    def mistaken(
        self, known: _Known, wrong: Callable[..., Any], trial: Trial, answer: Callable[..., Any]
    ) -> Any:
        key = id(wrong), id(trial.arguments)
        if key[0] not in self.mistakes or key[1] not in self.kept:
            return answer(known, wrong, trial)
        if key not in self.by_mistake:
            self.by_mistake[key] = answer(known, wrong, trial)
        return self.by_mistake[key]


ONCE = WorkedOutOnce()


@pytest.fixture(autouse=True)
def nothing_is_worked_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    draw, library, mistaken = Exercise.inputs, Attempt._library, _Known.mistaken
    monkeypatch.setattr(Exercise, "inputs", lambda self, seed=0: ONCE.inputs(self, seed, draw))
    monkeypatch.setattr(
        Attempt, "_library", lambda self, arguments: ONCE.library(self, arguments, library)
    )
    monkeypatch.setattr(
        _Known, "mistaken", lambda self, wrong, trial: ONCE.mistaken(self, wrong, trial, mistaken)
    )


@functools.cache
def verdict_on(exercise: Exercise, misconception: Misconception, seed: int) -> Verdict:
    return examine(exercise, misconception.wrong, seed)


@pytest.fixture(autouse=True)
def shrunk_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is smallest is not the matter here, and looking for it takes time."""
    monkeypatch.setattr("albert_lib.workbook.shrinking.DRAWS", 5)


@pytest.mark.parametrize(("exercise", "misconception", "seed"), MISTAKES)
def test_mistake_is_refused_under_its_own_name(
    exercise: Exercise, misconception: Misconception, seed: int
) -> None:
    verdict = verdict_on(exercise, misconception, seed)
    assert verdict.status == "wrong"
    assert (verdict.misconception, verdict.partial) == (misconception.name, False)


@each_exercise
def test_at_least_three_mistakes_each_with_its_own_sentence(exercise: Exercise) -> None:
    turns = zip(exercise.misconceptions, itertools.cycle(SEEDS))
    texts = {verdict_on(exercise, mistake, seed).text for mistake, seed in turns}
    assert len(texts) == len(exercise.misconceptions) >= 3
