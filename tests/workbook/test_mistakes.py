"""Every mistake of every exercise is refused, and known by its own name."""

from __future__ import annotations

import functools

import pytest

from albert_lib.workbook.checks import Verdict, examine
from albert_lib.workbook.exercise import Exercise, Misconception, all_exercises

SEEDS = (1, 2)
EXERCISES = list(all_exercises().values())
MISTAKES = [
    pytest.param(exercise, misconception, id=f"{exercise.id}-{misconception.name}")
    for exercise in EXERCISES
    for misconception in exercise.misconceptions
]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


@functools.cache
def verdict_on(exercise: Exercise, misconception: Misconception, seed: int) -> Verdict:
    return examine(exercise, misconception.wrong, seed)


@pytest.fixture(autouse=True)
def shrunk_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is smallest is not the matter here, and looking for it takes time."""
    monkeypatch.setattr("albert_lib.workbook.shrinking.DRAWS", 5)


@pytest.mark.parametrize(("exercise", "misconception"), MISTAKES)
def test_mistake_is_refused_under_its_own_name_whatever_the_seed(
    exercise: Exercise, misconception: Misconception
) -> None:
    # Where a judge decides, a check draws hundreds of answers itself.
    for seed in SEEDS if exercise.judge is None else SEEDS[:1]:
        verdict = verdict_on(exercise, misconception, seed)
        assert verdict.status == "wrong"
        assert (verdict.misconception, verdict.partial) == (misconception.name, False), seed


@each_exercise
def test_at_least_three_mistakes_each_with_its_own_sentence(exercise: Exercise) -> None:
    texts = {verdict_on(exercise, mistake, SEEDS[0]).text for mistake in exercise.misconceptions}
    assert len(texts) == len(exercise.misconceptions) >= 3
