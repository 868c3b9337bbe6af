"""In which parts of a step's cost a wrong answer is off, and by which factor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from albert_lib.workbook.exercise import Symptom, Trial, apart
from albert_lib.workbook.relations import relation

MOST = 2  # parts that are named one by one


def wrong_names(trials: Sequence[Trial]) -> set[str]:
    """The parts that are wrong somewhere; none where the parts bear other names."""
    if any(each.answer.keys() != each.expected.keys() for each in trials):
        return set()
    return {part for each in trials for part in each.expected if _differs(each, part)}


def _differs(trial: Trial, part: str) -> bool:
    return bool(trial.answer[part] != trial.expected[part])


def off(part: str) -> Symptom:
    """The symptom that this part is wrong, and at most one more."""

    def symptom(trials: Sequence[Trial]) -> bool:
        wrong = wrong_names(trials)
        return part in wrong and len(wrong) <= MOST

    return symptom


def about(part: str, rule: str) -> Callable[[Sequence[Trial]], str]:
    """A message with the smallest wrong step, what connects the wrong numbers, and the rule."""

    def message(trials: Sequence[Trial]) -> str:
        alone = [
            Trial(each.arguments, {part: each.expected[part]}, {part: each.answer[part]})
            for each in trials
        ]
        first = min(apart(alone), key=lambda each: each.expected[part])
        known = relation(alone)
        said = [
            f"Your {part} is off: on the smallest step you count {first.answer[part]}, and there "
            f"are {first.expected[part]}.",
            *([known.says] if known is not None else []),
            rule,
        ]
        return " ".join(said)

    return message
