"""Wrong variants of exercises: built from the library's source, tried by the check, counted."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import exercise_trials
import numpy as np
from exercise_mutants import (
    PROJECT,
    build,
    excused,
    unchanged,
    variants,
    waiting_of,
)
from exercise_trials import (
    ACCEPTED,
    MEASURED,
    NAMED,
    NOTHING,
    RAISED,
    UNNAMED,
    Outcome,
    outcomes,
    try_variant,
)
from run_exercise_mutants import Counts, totals

from albert_lib.workbook.exercise import Exercise, Misconception, all_exercises, find_exercise

CHEAP = "7.4"


def clipped_mean(numbers: list[float], low: float = 0.0, verbose: bool = False) -> float:
    """Numbers below `low` count as `low`."""
    if not numbers:
        raise ValueError("there are no numbers")
    if verbose:
        low = low + 1
    return sum(_clipped(numbers, low)) / len(numbers)


def _clipped(numbers: list[float], low: float) -> list[float]:
    _refuse_text(numbers)
    return [max(each, low) for each in numbers]


def _refuse_text(numbers: list[float]) -> None:
    for each in numbers:
        if isinstance(each, str):
            raise ValueError("text")


def draw(rng: np.random.Generator) -> dict[str, Any]:
    return {"numbers": rng.normal(size=int(rng.integers(2, 6))).tolist(), "low": 0.5}


def plain_mean(numbers: list[float], low: float) -> float:
    return sum(numbers) / len(numbers)


MEAN = Exercise(
    id="99.1",
    title="A mean",
    difficulty=1,
    minutes=1,
    points=1,
    solution=clipped_mean,
    draw=draw,
    misconceptions=(Misconception("not clipped", plain_mean, "You don't clip."),),
    hints=("a", "b", "c"),
    tolerance=1e-9,
)


def test_only_what_a_learner_writes_is_changed() -> None:
    changed = {variant.mutant.before for variant in variants(MEAN)}
    assert changed == {
        "return sum(_clipped(numbers, low)) / len(numbers)",
        "return [max(each, low) for each in numbers]",
    }, "no refusal, no docstring, no option that is never given, no default that is always given"


def test_a_variant_differs_from_the_library_in_one_line() -> None:
    for variant in variants(MEAN):
        line = Path(__file__).read_text("utf-8").splitlines()[variant.mutant.line - 1]
        assert line.strip() == variant.mutant.before
        assert any(variant.mutant.after in source for source in variant.sources)


def test_variants_are_built_and_tried() -> None:
    seconds = exercise_trials.LEAST_SECONDS
    assert try_variant(MEAN, unchanged(MEAN), seconds) == Outcome(ACCEPTED)
    words = {}
    for variant in variants(MEAN):
        outcome = try_variant(MEAN, build(MEAN, variant.sources), seconds)
        words[variant.mutant.after] = outcome
    assert words["return [each for each in numbers]"] == Outcome(NAMED, "not clipped")
    assert words["return [min(each, low) for each in numbers]"] == Outcome(UNNAMED)
    assert words["return None"] in (Outcome(NOTHING), Outcome(RAISED))
    assert clipped_mean([-1.0, 1.0], low=0.0) == 0.5, "the library's own stays as it is"


def test_functions_of_other_exercises_are_not_changed_again() -> None:
    solutions = {exercise.name for exercise in all_exercises().values()}
    for exercise in all_exercises().values():
        names = {variant.function for variant in variants(exercise)}
        assert not names & (solutions - {exercise.name})


def test_every_exercise_has_variants_and_every_change_is_one_of_a_kind() -> None:
    for exercise in all_exercises().values():
        found = variants(exercise)
        assert found, exercise.id
        assert len({variant.sources for variant in found}) == len(found)


def test_what_is_excused_could_still_be_changed() -> None:
    found = [each for exercise in all_exercises().values() for each in variants(exercise)]
    changes = {variant.change for variant in found}
    functions = {(variant.exercise, variant.function) for variant in found}
    entries = excused()
    for entry in entries.get("mutant", []):
        assert (entry["file"], entry["before"], entry["after"]) in changes, entry
        assert len(entry["reason"]) > 20
    for entry in entries.get("function", []):
        assert (entry["exercise"], entry["name"]) in functions, entry
        assert len(entry["reason"]) > 20
    waiting = waiting_of(list(all_exercises().values()))
    assert len(waiting) > 0.8 * len(found), "most changes are wrong answers"


def test_an_answer_that_hangs_or_dies_is_refused_and_others_go_on() -> None:
    exercise = find_exercise(CHEAP)
    sample = variants(exercise)[:2]
    name = exercise.name
    bad = [
        f"def {name}(text):\n    while True: pass\n",
        f"def {name}(text):\n    import os; os._exit(3)\n",
        f"def {name}(text):\n    return None\n",
    ]
    waiting = [dataclasses.replace(sample[0], sources=(source,)) for source in bad] + sample
    found = dict(outcomes(waiting, processes=2))
    assert [found[number].word for number in range(3)] == [RAISED, RAISED, NOTHING]
    assert all(found[number].word not in (RAISED, ACCEPTED) for number in (3, 4))


def test_shares_are_of_what_they_say() -> None:
    variant = variants(MEAN)[0]
    words = [NAMED] * 6 + [UNNAMED] * 3 + [RAISED] * 10 + [NOTHING] + [ACCEPTED] * 5
    counts = Counts([(variant, Outcome(word)) for word in words])
    assert counts.share_refused() == 20 / 25
    assert counts.share_named() == 6 / 9
    lines, enough = totals([MEAN], counts)
    assert not enough and sum("too few" in line for line in lines) == 3
    assert any("of all refused: 30.0%" in line for line in lines)


def test_the_command_lists_what_a_check_does_not_name() -> None:
    command = [sys.executable, "tests/mutants/run_exercise_mutants.py", "--list", CHEAP]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    said = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert find_exercise(CHEAP).title in said.stdout
    assert set(re.findall(r"^  (\w+) ·", said.stdout, re.MULTILINE)) <= {
        ACCEPTED,
        MEASURED,
        UNNAMED,
    }
