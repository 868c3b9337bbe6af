"""How wrong answers hang together with the right ones, where no known mistake explains them.

"Twice the right one, everywhere" and "too small by hidden_size, everywhere" say where to look. What
is said was measured: it holds on every input with a wrong answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Trial, apart
from albert_lib.workbook.number_relations import FEWEST, Relation, of_numbers

LOOP = "Where does your loop begin, and where does it end?"


@dataclass(frozen=True)
class _Part:
    """One part of all wrong answers: an element of a tuple, a value of a dict, or the whole."""

    label: str
    trials: Sequence[Trial]  # with this part alone
    tolerance: float

    def agree(self, made: Callable[[Trial], Any]) -> bool:
        """Whether every answer is what is made of its trial."""
        try:
            with np.errstate(all="ignore"):
                return all(same(made(each), each.answer, self.tolerance) for each in self.trials)
        except Exception:  # it cannot be made of such values
            return False


def relation(trials: Sequence[Trial], tolerance: float = 0.0) -> Relation | None:
    """What connects all wrong answers with the right ones, or None.

    Kinds, shapes and dtypes must be right already. Of an answer in parts every part that is wrong
    somewhere has to show the same. Nothing is said of random answers.
    """
    wrong = apart(trials, tolerance)
    drawn = any(isinstance(each, np.random.Generator) for each in trials[0].arguments.values())
    if drawn or len(wrong) < FEWEST:
        return None
    exchanged = _exchanged(wrong, tolerance)
    if exchanged is not None:
        return exchanged
    parts = list(_wrong_parts(wrong, tolerance))
    found = [(part.label, each) for part in parts if (each := _of_part(part)) is not None]
    if not found:
        return None
    first = found[0][1]
    same_ones = [label for label, each in found if each.says == first.says]
    others = [part.label for part in parts if part.label not in same_ones]
    what = " and ".join(same_ones) or "your answer"
    where = "Wherever you differ"
    if others:
        where = f"Wherever {'it' if len(same_ones) == 1 else 'they'} is not right"
    text = f"{where}, {what} {first.says}. {first.advice}"
    if others:
        text += f" What is wrong in {' and '.join(others)} may come of it, or be something else."
    return Relation(first.name, text, "", partial=bool(others))


def _wrong_parts(wrong: Sequence[Trial], tolerance: float) -> Iterator[_Part]:
    expected = wrong[0].expected
    if isinstance(expected, tuple):
        keys: list[Any] = list(range(len(expected)))
    elif isinstance(expected, dict) and all(
        each.expected.keys() == each.answer.keys() == expected.keys() for each in wrong
    ):
        keys = list(expected)
    else:
        yield _Part("", wrong, tolerance)
        return
    kind = "element" if isinstance(expected, tuple) else "the entry"
    for key in keys:
        alone = [Trial(each.arguments, each.expected[key], each.answer[key]) for each in wrong]
        alone = apart(alone, tolerance)
        if alone:
            yield _Part(f"{kind} {key!r} of your answer", alone, tolerance)


def _exchanged(wrong: Sequence[Trial], tolerance: float) -> Relation | None:
    """Two elements of a tuple in each other's place."""
    expected = wrong[0].expected
    if not isinstance(expected, tuple):
        return None
    for i, j in itertools.combinations(range(len(expected)), 2):
        if all(same(_turned(each.expected, i, j), each.answer, tolerance) for each in wrong):
            says = f"Elements {i} and {j} of your answer stand in each other's place."
            return Relation("parts exchanged", says, "")
    return None


def _turned(parts: tuple[Any, ...], i: int, j: int) -> tuple[Any, ...]:
    turned = list(parts)
    turned[i], turned[j] = turned[j], turned[i]
    return tuple(turned)


def _of_part(part: _Part) -> Relation | None:
    if len(part.trials) < FEWEST or _different(part) < FEWEST:
        return None
    return _unchanged(part) or _in_another_order(part) or of_numbers(part.trials, part.tolerance)


def _different(part: _Part) -> int:
    """How many right answers differ, up to the few that are asked for."""
    kept: list[Any] = []
    for trial in part.trials:
        if len(kept) < FEWEST and not any(same(each, trial.expected) for each in kept):
            kept.append(trial.expected)
    return len(kept)


def _unchanged(part: _Part) -> Relation | None:
    for name in part.trials[0].arguments:
        if part.agree(lambda trial, name=name: trial.arguments[name]):  # type: ignore[misc]
            return Relation(
                f"{name} unchanged",
                f"is the argument {name!r} as it came in",
                "What was to be made of it was not made, or not returned.",
            )
    first = part.trials[0].answer
    if first is not None and part.agree(lambda trial: first):
        advice = "Which argument is it to follow?"
        return Relation("always the same", "is the same whatever comes in", advice)
    return None


def _in_another_order(part: _Part) -> Relation | None:
    if not all(isinstance(each.expected, (list, str)) for each in part.trials):
        return None
    ways: list[tuple[str, str, Callable[[Any], Any]]] = [
        ("reversed", "is the right one from its end to its beginning", lambda right: right[::-1]),
        ("last missing", "is the right one without its last element", lambda right: right[:-1]),
        ("first missing", "is the right one without its first element", lambda right: right[1:]),
    ]
    for name, says, change in ways:
        if part.agree(lambda trial, change=change: change(trial.expected)):  # type: ignore[misc]
            return Relation(name, says, LOOP)
    for name, rest in (("last", slice(None, -1)), ("first", slice(1, None))):
        if all(each.answer and same(each.expected, each.answer[rest]) for each in part.trials):
            says = f"is the right one with an element more, the {name}"
            return Relation(f"{name} too many", says, LOOP)
    if all(_same_elements(each.expected, each.answer) for each in part.trials):
        return Relation(
            "another order", "holds the right elements in another order", "What decides the order?"
        )
    return None


def _same_elements(one: Any, other: Any) -> bool:
    return len(one) == len(other) and sorted(map(repr, one)) == sorted(map(repr, other))
