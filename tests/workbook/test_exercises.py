"""Every exercise: its library piece is right, its stub empty, each mistake known by its name."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np
import pytest

from albert_lib.workbook.checks import NotYetRight, Verdict, check, examine
from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Exercise, Misconception, all_exercises, find_exercise
from albert_lib.workbook.exercises.chapter_02 import spans_like

EXERCISES = list(all_exercises().values())
MISTAKES = [
    pytest.param(exercise, misconception, id=f"{exercise.id}-{misconception.name}")
    for exercise in EXERCISES
    for misconception in exercise.misconceptions
]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


def stub(*arguments: Any, **settings: Any) -> Any:
    raise NotImplementedError


@functools.cache
def verdict_on(exercise: Exercise, misconception: Misconception) -> Verdict:
    return examine(exercise, misconception.wrong)


@pytest.fixture(params=["autograde", "validate"])
def grading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", request.param)


@each_exercise
def test_library_piece_is_right(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(exercise.id, exercise.solution) is None
    assert f"Exercise {exercise.id}: right." in capsys.readouterr().out


@each_exercise
def test_library_piece_earns_all_points(exercise: Exercise, grading: None) -> None:
    points = check(exercise.id, exercise.solution)
    assert type(points) is float and points == exercise.points


@each_exercise
def test_stub_is_not_attempted_and_blocks_nothing(
    exercise: Exercise, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(exercise.id, stub) is None
    out = capsys.readouterr().out
    assert "not attempted" in out and out.count("\n") == 1


@each_exercise
def test_stub_earns_nothing(exercise: Exercise, grading: None) -> None:
    with pytest.raises(NotYetRight, match="not attempted"):
        check(exercise.id, stub)


@pytest.mark.parametrize(("exercise", "misconception"), MISTAKES)
def test_mistake_is_refused_with_its_own_message(
    exercise: Exercise,
    misconception: Misconception,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdict = verdict_on(exercise, misconception)
    assert verdict.status == "wrong"
    assert verdict.misconception == misconception.name

    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(NotYetRight, match="wrong"):
        check(exercise.id, misconception.wrong)
    printed = capsys.readouterr().out
    if misconception.name != "no seed":  # whose runs are new each time
        assert printed == verdict.text + "\n"


@each_exercise
def test_at_least_three_mistakes_each_with_its_own_sentence(exercise: Exercise) -> None:
    texts = {verdict_on(exercise, mistake).text for mistake in exercise.misconceptions}
    assert len(texts) == len(exercise.misconceptions) >= 3


@each_exercise
def test_exercise_is_described_in_full(exercise: Exercise) -> None:
    assert exercise.id in exercise.heading and exercise.title in exercise.heading
    assert len(set(exercise.hints)) == 3 and all(exercise.hints)
    assert exercise.minutes > 0 and exercise.points > 0


@each_exercise
def test_drawn_inputs_are_the_same_every_time_and_fit_the_solution(exercise: Exercise) -> None:
    first, second = exercise.inputs(), exercise.inputs()
    assert len(first) == exercise.trials
    for one, other in zip(first, second, strict=True):
        assert set(one) <= set(inspect.signature(exercise.solution).parameters)
        for name, value in one.items():
            if isinstance(value, np.random.Generator):
                assert value.bit_generator.state == other[name].bit_generator.state
            else:
                assert same(value, other[name])


CHAPTER_7 = ["7.1", "7.7", "7.8", "7.9", "7.10", "7.11"]


def test_ids_are_those_of_their_chapters() -> None:
    assert list(all_exercises()) == [
        "1.2",
        "2.2",
        "3.2",
        "4.3",
        "5.1",
        "6.3",
        *CHAPTER_7,
        "8.2",
        "9.1",
    ]
    assert find_exercise("4.3").name == "mlm_loss"


def skip_what_does_not_fit(words: Any, budget: int, rng: np.random.Generator) -> list[range]:
    """Right in another way: a run that does not fit whole is skipped, not shortened."""
    hidden: set[int] = set()
    runs = []
    for first in rng.permutation(len(words)):
        n = int(rng.choice([1, 2, 3], p=[6 / 11, 3 / 11, 2 / 11]))
        chosen = words[first : first + n]
        run = range(chosen[0].start, chosen[-1].stop)
        whole = len(run) == sum(map(len, chosen)) and hidden.isdisjoint(run)
        if whole and len(hidden) + len(run) <= budget:
            runs.append(run)
            hidden.update(run)
    return runs


def shrink_until_it_fits(words: Any, budget: int, rng: np.random.Generator) -> list[range]:
    """Right in another way, as the reference has it: n shrinks until the run fits."""
    hidden: set[int] = set()
    runs = []
    for first in sorted(range(len(words)), key=lambda _: rng.random()):
        for n in range(int(rng.choice([1, 2, 3], p=[6 / 11, 3 / 11, 2 / 11])), 0, -1):
            chosen = words[first : first + n]
            run = range(chosen[0].start, chosen[-1].stop)
            whole = len(run) == sum(map(len, chosen)) and hidden.isdisjoint(run)
            if whole and len(hidden) + len(run) <= budget:
                runs.append(run)
                hidden.update(run)
                break
    return runs


@pytest.mark.parametrize("right", [spans_like, skip_what_does_not_fit, shrink_until_it_fits])
def test_other_right_ways_to_choose_runs_pass(right: Any) -> None:
    assert examine(find_exercise("2.2"), right).status == "right"


def test_hiding_too_little_is_said() -> None:
    def half(words: Any, budget: int, rng: np.random.Generator) -> list[range]:
        return spans_like(words, budget // 2, rng)

    verdict = examine(find_exercise("2.2"), half)
    assert verdict.status == "wrong" and "unused" in verdict.text


def test_google_s_large_negative_number_hides_padding_too() -> None:
    def attention(query: Any, key: Any, value: Any, mask: Any) -> Any:
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        probabilities = (scores - 10000.0 * (1 - mask[:, None, None, :])).softmax(-1)
        return probabilities @ value, probabilities

    assert examine(find_exercise("3.2"), attention).status == "right"
