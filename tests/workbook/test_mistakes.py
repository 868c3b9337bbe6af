"""Every mistake of every exercise is refused, and known by its own name."""

from __future__ import annotations

import functools
import itertools

import pytest

from albert_lib.workbook.checks import Verdict, examine
from albert_lib.workbook.exercise import Exercise, Misconception, all_exercises

SEEDS = (1, 2)
EXERCISES = list(all_exercises().values())
# Five hundred mistakes take minutes of a check each seed, so neighbours take turns with the seeds.
MISTAKES = [
    pytest.param(exercise, misconception, seed, id=f"{exercise.id}-{misconception.name}")
    for exercise in EXERCISES
    for misconception, seed in zip(exercise.misconceptions, itertools.cycle(SEEDS))
]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


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
