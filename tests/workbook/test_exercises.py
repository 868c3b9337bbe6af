"""Every exercise: its library piece is right, its stub empty, its inputs drawn afresh."""

from __future__ import annotations

import inspect
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

from albert_lib.workbook.checks import NotYetRight, check, examine
from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Exercise, all_exercises, find_exercise
from albert_lib.workbook.exercises.chapter_02 import spans_like

SEEDS = (1, 2)
SLOWER = 2.0  # the machine of a test may be slower than a learner's
EXERCISES = list(all_exercises().values())
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


def stub(*arguments: Any, **settings: Any) -> Any:
    raise NotImplementedError


@pytest.fixture(autouse=True)
def shrunk_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is smallest is not the matter here, and looking for it takes time."""
    monkeypatch.setattr("albert_lib.workbook.shrinking.DRAWS", 5)


@pytest.fixture
def grading(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ways in which nbgrader runs a notebook; exercises take turns with them."""
    turn = ("autograde", "validate")[EXERCISES.index(exercise) % 2]
    monkeypatch.setenv("NBGRADER_EXECUTION", turn)


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


@each_exercise
def test_mistake_earns_nothing_and_its_seed_is_named(
    exercise: Exercise, grading: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotYetRight, match="wrong"):
        check(exercise.id, exercise.misconceptions[0].wrong, seed=77)
    printed = capsys.readouterr().out
    assert printed.startswith(f"Exercise {exercise.id}: not right yet.\n")
    assert "(here: seed=77)" in printed


@each_exercise
def test_exercise_is_described_in_full(exercise: Exercise) -> None:
    assert exercise.id in exercise.heading and exercise.title in exercise.heading
    assert len(set(exercise.hints)) == 3 and all(exercise.hints)
    assert exercise.minutes > 0 and exercise.points > 0


@each_exercise
def test_inputs_are_repeatable_under_a_seed_and_fit_the_solution(exercise: Exercise) -> None:
    first, second, third = (exercise.inputs(seed) for seed in (1, 1, 2))
    borders = exercise.borders(exercise.generator(1)) if exercise.borders else []
    assert len(first) == exercise.trials + len(borders) >= 100
    for one, other in zip(first, second, strict=True):
        assert set(one) <= set(inspect.signature(exercise.solution).parameters)
        assert same(dict(one), dict(other))
    assert not all(same(dict(one), dict(other)) for one, other in zip(first, third, strict=True))


@each_exercise
def test_a_hundred_inputs_take_less_than_two_seconds(exercise: Exercise) -> None:
    """Of this process alone, with shapes and types checked, which costs some of it."""
    started = time.process_time()
    assert examine(exercise, exercise.solution, seed=1).status == "right"
    assert time.process_time() - started < 2 * SLOWER


def test_exercises_come_in_order_each_in_its_chapter() -> None:
    counts = Counter(id.partition(".")[0] for id in all_exercises())
    expected = [f"{chapter}.{n + 1}" for chapter in "123456789" for n in range(counts[chapter])]
    assert list(all_exercises()) == expected, "1 to n in every chapter, so that none is missed"
    for id, exercise in all_exercises().items():
        assert find_exercise(id) is exercise
    assert find_exercise("4.3").name == "mlm_loss"


# -- What the catalogue has to hold


def test_there_are_thirty_exercises() -> None:
    assert len(EXERCISES) >= 30


def test_each_chapter_of_the_course_has_four_to_six() -> None:
    counts = Counter(id.partition(".")[0] for id in all_exercises())
    assert [chapter for chapter in "123456" if not 4 <= counts[chapter] <= 6] == []


def test_there_are_120_misconceptions() -> None:
    assert sum(len(each.misconceptions) for each in EXERCISES) >= 120


# -- Other right ways


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
    for seed in SEEDS:
        assert examine(find_exercise("2.2"), right, seed).status == "right"


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
