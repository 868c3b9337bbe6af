"""Which known mistake is named: exactly, two at once, or the nearest; and never a wrong one."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.workbook.checks import Verdict, examine
from albert_lib.workbook.exercise import (
    Exercise,
    Fault,
    Misconception,
    Trial,
    all_exercises,
    find_exercise,
)

EXERCISES = all_exercises()


@pytest.fixture(autouse=True)
def shrunk_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("albert_lib.workbook.shrinking.DRAWS", 5)


def variant(
    values: np.ndarray, *, power: int = 2, mean: bool = True, sign: int = 1, low: int = 0
) -> float:
    """A mean of squares with parts exchanged."""
    kept = values[values >= low] if low else values
    total = float((kept**power).sum())
    return sign * total / len(values) if mean else sign * total


def right(values: np.ndarray) -> float:
    return variant(values)


def draw(rng: np.random.Generator) -> dict[str, Any]:
    return {"values": rng.integers(1, 9, size=int(rng.integers(2, 7))).astype(float)}


TOY = Exercise(
    "9.1", "Mean of squares", 1, 1, 1, right, draw,
    (
        Misconception("sum", functools.partial(variant, mean=False), "You never divide."),
        Misconception("cubes", functools.partial(variant, power=3), "You take cubes."),
        Misconception("plain", functools.partial(variant, power=1), "You take no squares."),
        Misconception("sign", functools.partial(variant, sign=-1), "Your sign is turned."),
        Misconception("threes", functools.partial(variant, low=4), "You leave out 1, 2 and 3."),
    ),
    ("a", "b", "c"),
    tolerance=1e-6,
)  # fmt: skip


def named(function: Callable[..., Any], exercise: Exercise = TOY, seed: int = 7) -> Verdict:
    return examine(exercise, function, seed)


def test_two_at_once_are_named_with_both_messages() -> None:
    verdict = named(lambda values: -float((values**3).mean()))
    assert (verdict.misconception, verdict.partial) == ("cubes and sign", False)
    assert "1. You take cubes.\n2. Your sign is turned." in verdict.text


def test_two_settings_of_one_keyword_are_never_taken_together() -> None:
    for one, other in itertools.combinations(TOY.misconceptions, 2):
        both = {**one.wrong.keywords, **other.wrong.keywords}  # type: ignore[attr-defined]
        verdict = named(functools.partial(variant, **both))
        if {one.name, other.name} == {"cubes", "plain"}:
            assert verdict.misconception == "plain", "which is what it is"
        else:
            assert verdict.misconception == f"{one.name} and {other.name}"


@pytest.mark.parametrize("id", ["7.2", "8.1", "9.1"])
def test_two_slips_at_once_are_named_in_the_exercises(id: str) -> None:
    """A third of the pairs whose settings differ; now and then one slip hides the other."""
    exercise = EXERCISES[id]
    partials = [
        each for each in exercise.misconceptions if isinstance(each.wrong, functools.partial)
    ]
    tried = hidden = 0
    for one, other in [*itertools.combinations(partials, 2)][:: 1 if id == "7.2" else 3]:
        a, b = (each.wrong for each in (one, other))
        assert isinstance(a, functools.partial) and isinstance(b, functools.partial)
        if a.keywords.keys() & b.keywords.keys():
            continue
        verdict = examine(exercise, functools.partial(a.func, **a.keywords, **b.keywords), seed=3)
        tried += 1
        assert verdict.status == "wrong"
        assert verdict.misconception is not None, (one.name, other.name)
        if {one.name, other.name} != {
            "additions forgotten",
            "backward as forward",
        }:  # 1 · 2 = 2 · 1
            assert one.name in verdict.misconception or other.name in verdict.misconception
        hidden += verdict.misconception != f"{one.name} and {other.name}"
    assert tried >= 5 and hidden <= tried / 5


def test_a_second_slip_takes_none_of_the_diagnoses_of_what_a_step_costs_away() -> None:
    exercise = EXERCISES["9.1"]
    for misconception in exercise.misconceptions:

        def and_one_more(*given: Any, wrong: Any = misconception.wrong, **named: Any) -> Any:
            parts = dict(wrong(*given, **named))
            part = "embedding_projection"
            return {**parts, part: parts[part] + 6 * given[0].hidden_size}

        verdict = examine(exercise, and_one_more, seed=5)
        if misconception.broad:
            assert misconception.name in str(verdict.misconception)
            assert "Your embedding_projection is off" in verdict.text
            continue
        assert (verdict.misconception, verdict.partial) == (misconception.name, True)
        assert "There is something else besides." in verdict.text


# -- The nearest


def test_a_mistake_beside_an_unknown_one_is_named_with_a_hedge() -> None:
    def mostly_cubes(values: np.ndarray) -> float:
        return float((values**3).mean()) + 100 * (values[0] == 5)

    verdict = named(mostly_cubes)
    assert (verdict.misconception, verdict.partial) == ("cubes", True)
    shown, wrong = (
        sum(one(t["values"]) for t in TOY.inputs(7))
        for one in (
            lambda values: (
                abs(mostly_cubes(values) - right(values)) > 1e-3
                and 5 * abs(mostly_cubes(values) - variant(values, power=3))
                <= abs(mostly_cubes(values) - right(values))
            ),
            lambda values: abs(mostly_cubes(values) - right(values)) > 1e-3,
        )
    )
    assert f"On {shown} of the {wrong} inputs that you get wrong your answer is" in verdict.text
    assert "You take cubes." in verdict.text and "There is something else besides." in verdict.text


def test_decimals_that_are_only_near_are_said_to_be_near() -> None:
    verdict = named(lambda values: 1.001 * float((values**3).mean()))
    assert (verdict.misconception, verdict.partial) == ("cubes", True)
    assert "at least five times nearer to what comes of this mistake" in verdict.text


UNRELATED: dict[str, Callable[[np.ndarray], Any]] = {
    "a maximum": lambda values: float(values.max()),
    "zero": lambda values: 0.0,
    "one and a half": lambda values: 1.5 * right(values),
    "a tiny error": lambda values: right(values) + 1e-3,
    "wrong on a few": lambda values: right(values) + (values[0] == 1),
    "a variance": lambda values: float(values.var()),
}


@pytest.mark.parametrize("function", UNRELATED.values(), ids=UNRELATED.keys())
def test_unrelated_mistakes_get_no_known_name(function: Callable[[np.ndarray], Any]) -> None:
    """What is measured may be said of them, such as "times 3/2"."""
    known = {each.name for each in TOY.misconceptions}
    for seed in range(3):
        verdict = named(function, seed=seed)
        assert verdict.status == "wrong" and verdict.misconception not in known


def test_whoever_is_wrong_about_yes_or_no_is_not_given_a_mistake() -> None:
    def is_long(values: np.ndarray) -> bool:
        return len(values) > 4

    exercise = replace(
        TOY,
        solution=is_long,
        tolerance=0.0,
        misconceptions=(
            Misconception("other way", lambda values: len(values) <= 4, "Turned round."),
            Misconception("one off", lambda values: len(values) >= 4, "One off."),
            Misconception("always", lambda values: True, "Always."),
        ),
    )
    verdict = named(lambda values: bool(values.sum() > 22), exercise)
    assert (verdict.status, verdict.misconception) == ("wrong", None)


def test_few_possible_answers_that_agree_by_chance_are_no_evidence() -> None:
    def largest(values: np.ndarray) -> int:
        return int(values.argmax())

    exercise = replace(
        TOY,
        solution=largest,
        tolerance=0.0,
        misconceptions=tuple(
            Misconception(str(n), lambda values, n=n: n % len(values), f"Always {n}.")
            for n in (0, 1, 2)
        ),
    )
    verdict = named(lambda values: 0 if values[0] > 2 else 1, exercise)
    assert verdict.misconception is None


# -- Exercises with a judge


def symptom_of(kind: str) -> Callable[[Any], bool]:
    return lambda trials: any(kind in str(trial.answer) for trial in trials)


def judge(trials: Any) -> Fault | None:
    bad = [trial for trial in trials if trial.answer != "fine"]
    return Fault("Not fine.", bad[0]) if bad else None


JUDGED = replace(
    TOY,
    solution=lambda values: "fine",
    judge=judge,
    tolerance=0.0,
    misconceptions=(
        Misconception("a", lambda values: "a", "Sentence of a.", symptom_of("a")),
        Misconception("b", lambda values: "b", "Sentence of b.", symptom_of("b")),
        Misconception("c", lambda values: "cb", "Sentence of c.", symptom_of("c")),
    ),
)


def test_of_all_symptoms_that_hold_two_are_said() -> None:
    assert named(lambda values: "a", JUDGED).misconception == "a"
    verdict = named(lambda values: "ab", JUDGED)
    assert verdict.misconception == "a and b"
    assert "1. Sentence of a.\n2. Sentence of b." in verdict.text
    assert named(lambda values: "abc", JUDGED).misconception == "a and b"


def test_a_symptom_that_the_first_mistake_brings_along_is_no_second_mistake() -> None:
    first_is_c = replace(JUDGED, misconceptions=JUDGED.misconceptions[::-1])
    assert named(lambda values: "cb", first_is_c).misconception == "c"


def test_a_family_is_named_where_nothing_narrower_is_with_what_was_measured_and_the_input() -> None:
    def too_large(trials: Any) -> bool:
        return all(trial.answer > trial.expected for trial in trials)

    family = Misconception("large", lambda values: right(values) + 1, "Large.", too_large, True)
    exercise = replace(TOY, misconceptions=(family, *TOY.misconceptions))
    verdict = named(lambda values: right(values) + 3, exercise)
    assert (verdict.misconception, verdict.partial) == ("large", False)
    assert "Large.\nWherever you differ, your answer is too large by 3." in verdict.text
    assert "  you answered " in verdict.text
    assert named(functools.partial(variant, mean=False), exercise).misconception == "sum"
    nearly = named(lambda values: variant(values, mean=False) + 1e-3, exercise)
    assert (nearly.misconception, nearly.partial) == ("sum", True), "narrower, if not exact"
    assert named(lambda values: right(values) - 3, exercise).misconception == "too small by 3"


def test_a_measured_message_is_told_the_learners_own_answers() -> None:
    seen: list[Trial] = []

    def message(trials: Any) -> str:
        seen.extend(trials)
        return f"The first of yours is {trials[0].answer:g}."

    measured = Misconception("cubes", functools.partial(variant, power=3), message)
    exercise = replace(TOY, misconceptions=(measured, *TOY.misconceptions[2:]))
    text = named(lambda values: float((values**3).mean()), exercise).text
    assert f"The first of yours is {seen[0].answer:g}." in text
    assert find_exercise("9.1").id == exercise.id


def test_another_dtype_on_some_inputs_hides_no_known_mistake() -> None:
    """The averaged loss of notebook 00, which PyTorch computes in the precision of the logits."""
    exercise = find_exercise("4.3")

    def averaged_before_masking(logits: Any, labels: Any) -> Any:
        loss = torch.nn.functional.cross_entropy(logits.mT, labels, reduction="none")
        return (loss * (labels != -100)).mean()

    for seed in range(4):
        verdict = examine(exercise, averaged_before_masking, seed=seed)
        assert verdict.status == "wrong"
        assert "unmasked positions dilute the loss by" in verdict.text
        assert "bfloat16" not in verdict.text
