"""Which known mistake explains wrong answers: one, two at once, or the nearest."""

from __future__ import annotations

import functools
import itertools
import math
import numbers
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from albert_lib.workbook.comparison import as_array, is_numeric, kind_problem, same
from albert_lib.workbook.exercise import Exercise, Misconception, Symptom, Trial, apart, call
from albert_lib.workbook.relations import relation

SECONDS_TO_RECOGNISE = 4.0  # of computing, for all that is tried; each takes milliseconds
ENOUGH = 20  # inputs that show that a mistake is not made
FEWEST_SHOWN = 3  # inputs that have to show a mistake which does not explain everything
FAR = 20  # apart from the right count, so that a nearer one means something
NEARER = 5.0  # times nearer to a mistake's answer than to the right one
NEARER_ALONE = 20.0  # the same of few numbers: many answers lie on one's way to another
MANY = 4


@dataclass(frozen=True)
class Recognised:
    """The name of what was recognised, what is said, and whether something else is wrong too."""

    name: str
    text: str
    partial: bool = False
    shows: Callable[[Trial], bool] | None = None  # whether another trial shows the same
    related: bool = False  # a family of mistakes, or how answers hang together with right ones
    retold: Callable[[Sequence[Trial]], str] | None = None  # the text, the first trial in it


def recognise(exercise: Exercise, trials: Sequence[Trial], shaped_right: bool) -> Recognised | None:
    """What explains wrong answers, or None. Trials are sorted by size.

    First the mistakes that explain every answer, in the order of the exercise; then two mistakes
    together; then, where kinds and shapes are right, a symptom (where a judge decides, in the
    order of the exercise among the first), the one mistake that explains the most, a family of
    mistakes, and what connects the wrong answers with the right ones.
    """
    deadline = time.process_time() + SECONDS_TO_RECOGNISE
    known = _Known(exercise, trials)
    narrow = [each for each in exercise.misconceptions if not each.broad]
    for misconception in narrow:
        if misconception.symptom is None:
            if known.explains_all(misconception.wrong):
                return _exact(exercise, misconception.name, [misconception], trials)
        elif exercise.judge is not None and shaped_right and misconception.symptom(trials):
            return _by_symptoms(exercise, misconception, trials)
    for pair, both in _pairs(exercise.misconceptions):
        if time.process_time() > deadline:
            break
        if known.explains_all(both):
            return _exact(exercise, f"{pair[0].name} and {pair[1].name}", pair, trials, both)
    if not shaped_right:
        return None
    for misconception in narrow:
        if misconception.symptom is not None and misconception.symptom(trials):
            return _by_symptoms(exercise, misconception, trials)
    return _nearest(known, deadline) or _family(exercise, trials)


def _family(exercise: Exercise, trials: Sequence[Trial]) -> Recognised | None:
    """Broad misconceptions, with what connects the wrong answers with the right ones, or this."""
    related = relation(trials, exercise.tolerance)
    families = [each for each in exercise.misconceptions if each.broad]
    if holding := [each for each in families if _holds(each.symptom, trials, strange=False)]:
        found = _with_a_second(exercise, holding, trials)
        name = " and ".join(each.name for each in found)
        behind = f"\n{related.says}" if related else ""
        retold = functools.partial(_told, found, behind=behind)
        shows = functools.partial(_hold_alone, found)
        return Recognised(name, retold(trials), shows=shows, related=True, retold=retold)
    told = related and Recognised(related.name, related.says, related.partial, related=True)
    return told or None


@dataclass(frozen=True)
class _Known:
    """The trials beside what each known mistake would have answered."""

    exercise: Exercise
    trials: Sequence[Trial]

    def mistaken(self, wrong: Callable[..., Any], trial: Trial) -> Any:
        """The mistake's answer, or `Raised` where it makes none."""
        try:
            return call(wrong, self.exercise.solution, trial.arguments)
        except Exception:  # the answers raised nothing, so this is another mistake
            return Raised()

    def explains_all(self, wrong: Callable[..., Any]) -> bool:
        """Whether `wrong` gives these answers on every input, and is not right on all of them."""
        tells_them_apart = False
        for trial in self.trials:
            mistaken = self.mistaken(wrong, trial)
            if not same(mistaken, trial.answer, self.exercise.tolerance):
                return False
            tells_them_apart |= not same(mistaken, trial.expected, self.exercise.tolerance)
        return tells_them_apart


class Raised:
    """What stands for the answer of a function that raised."""


def _exact(
    exercise: Exercise,
    name: str,
    found: Sequence[Misconception],
    trials: Sequence[Trial],
    wrong: Callable[..., Any] | None = None,
) -> Recognised:
    """The diagnosis of a mistake, or of two together, that gives every answer."""
    made = wrong or found[0].wrong

    def shows(trial: Trial) -> bool:
        mistaken = _Known(exercise, [trial]).mistaken(made, trial)
        return same(mistaken, trial.answer, exercise.tolerance)

    return Recognised(name, _told(found, trials), shows=shows)


def _pairs(
    misconceptions: Sequence[Misconception],
) -> Iterator[tuple[tuple[Misconception, Misconception], Callable[..., Any]]]:
    """Two that are `functools.partial`s of one function with other keywords, and both at once."""
    exact = [each for each in misconceptions if each.symptom is None]
    for one, other in itertools.combinations(exact, 2):
        a, b = one.wrong, other.wrong
        if not isinstance(a, functools.partial) or not isinstance(b, functools.partial):
            continue
        if a.func is b.func and not a.args + b.args and not a.keywords.keys() & b.keywords.keys():
            yield (one, other), functools.partial(a.func, **a.keywords, **b.keywords)


def _by_symptoms(exercise: Exercise, first: Misconception, trials: Sequence[Trial]) -> Recognised:
    """A mistake known by its symptom, and a second one if the first does not bring it along."""
    assert first.symptom is not None
    others = [
        each
        for each in exercise.misconceptions
        if each is not first and not each.broad and each.symptom and each.symptom(trials)
    ]
    found = _with_a_second(exercise, [first, *others], trials)
    return Recognised(" and ".join(each.name for each in found), _told(found, trials))


def _with_a_second(
    exercise: Exercise, holding: Sequence[Misconception], trials: Sequence[Trial]
) -> list[Misconception]:
    """The first whose symptom holds, and the next one that it does not bring along."""
    first, *others = holding
    if others:
        made = _answers_of(exercise, first, trials)
        others = [each for each in others if not _holds(each.symptom, made)]
    return [first, *others[:1]]


def _answers_of(
    exercise: Exercise, misconception: Misconception, trials: Sequence[Trial]
) -> list[Trial]:
    """The same inputs with the answers of this mistake alone."""
    known = _Known(exercise, trials)
    return [
        Trial(trial.arguments, trial.expected, known.mistaken(misconception.wrong, trial))
        for trial in trials
    ]


def _holds(symptom: Symptom | None, trials: Sequence[Trial], strange: bool = True) -> bool:
    try:
        return symptom is not None and bool(symptom(trials))
    except Exception:  # of answers that the symptom was not made for
        return strange


def _told(found: Sequence[Misconception], trials: Sequence[Trial], behind: str = "") -> str:
    """The sentence of one mistake, or both with numbers, and what stands behind them."""
    sentences = [each.sentence(trials) for each in found]
    if len(sentences) > 1:
        lines = (f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1))
        sentences = ["Two things come together here:", *lines]
    return "\n".join(sentences) + behind


def _hold_alone(found: Sequence[Misconception], trial: Trial) -> bool:
    return all(_holds(each.symptom, [trial]) for each in found)


# -- The nearest mistake


@dataclass(frozen=True)
class _Evidence:
    """On which wrong inputs a mistake shows, and how plainly."""

    misconception: Misconception
    shown: list[Trial]
    how: str
    parts: int  # of all answers together that are as the mistake has them

    @property
    def weight(self) -> tuple[int, int]:
        """What speaks for it: first the inputs, then the parts of their answers."""
        return len(self.shown), self.parts


HOW = {
    "equal": "your answer is what comes of this mistake",
    "a part": "a part of your answer is what comes of this mistake",
    "near": "your answer is at least five times nearer to what comes of this mistake than to the "
    "right one",
}


def _nearest(known: _Known, deadline: float) -> Recognised | None:
    """The mistake that explains most of the wrong answers, with a hedge, or None."""
    wrong = apart(known.trials, known.exercise.tolerance)
    best: _Evidence | None = None
    for misconception in known.exercise.misconceptions:
        if misconception.symptom is not None or time.process_time() > deadline:
            continue
        found = _evidence(known, misconception, wrong)
        if found is not None and (best is None or found.weight > best.weight):
            best = found
    if best is None:
        return None
    text = (
        f"On {len(best.shown)} of the {len(wrong)} inputs that you get wrong {HOW[best.how]}: "
        f"{best.misconception.sentence(best.shown)}\nThere is something else besides."
    )
    return Recognised(best.misconception.name, text, partial=True)


def _evidence(
    known: _Known, misconception: Misconception, wrong: Sequence[Trial]
) -> _Evidence | None:
    """What speaks for one mistake, if it is enough."""
    tolerance = known.exercise.tolerance
    visible = parts = 0
    marks: set[str] = set()
    shown: list[Trial] = []
    mistaken: list[Any] = []
    for trial in known.trials:
        answer = known.mistaken(misconception.wrong, trial)
        if same(answer, trial.expected, tolerance):
            continue
        visible += 1
        mark, alike = _mark(trial, answer, tolerance)
        parts += alike
        if mark:
            shown.append(trial)
            mistaken.append(answer)
            marks.add(mark)
        elif visible >= ENOUGH and 4 * len(shown) < visible:
            return None
    if len(shown) < FEWEST_SHOWN or 2 * len(shown) < max(visible, len(wrong) / 2):
        return None
    if by_chance(shown, mistaken, tolerance):
        return None
    how = "near" if "near" in marks else "a part" if "a part" in marks else "equal"
    return _Evidence(misconception, shown, how, parts)


def _mark(trial: Trial, mistaken: Any, tolerance: float) -> tuple[str, int]:
    """How a wrong answer shows a mistake, and by how many of its parts that the mistake touches.

    "equal", "a part", "near", or "" for not at all.
    """
    if isinstance(trial.expected, (bool, np.bool_)) or same(
        trial.answer, trial.expected, tolerance
    ):
        return "", 0  # whoever is wrong about a yes or no is wrong in the same way
    if kind_problem(trial.expected, mistaken) is not None:
        return "", 0
    parts = list(_parts(trial.expected, trial.answer, mistaken))
    touched = [each for each in parts if not same(each[0], each[2], tolerance)]
    alike = sum(same(each[1], each[2], tolerance) for each in touched)
    if same(mistaken, trial.answer, tolerance):
        return "equal", alike
    if len(parts) > 1 and 2 * alike > len(touched):
        return "a part", alike
    counts = isinstance(trial.expected, numbers.Integral)
    if tolerance or counts:
        gaps = distance(trial.answer, mistaken), distance(trial.answer, trial.expected)
        far = gaps[1] >= (FAR if counts else 0.0)
        times = NEARER if number_of_numbers(trial.expected) >= MANY else NEARER_ALONE
        if far and times * gaps[0] <= gaps[1] < math.inf:
            return "near", 0
    return "", 0


def _parts(expected: Any, answer: Any, mistaken: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The parts of three answers of a fixed form, such as a tuple or a dict; or the whole."""
    if isinstance(expected, dict) and expected.keys() == answer.keys() == mistaken.keys():
        yield from ((expected[key], answer[key], mistaken[key]) for key in expected)
    elif isinstance(expected, tuple):
        yield from zip(expected, answer, mistaken, strict=True)
    else:
        yield expected, answer, mistaken


def by_chance(shown: Sequence[Trial], mistaken: Sequence[Any], tolerance: float) -> bool:
    """Whether a mistake's answers fit other inputs' answers nearly as well as their own.

    Where few answers are possible, two different mistakes often agree.
    """
    step = max(1, len(shown) // 2)
    turned = [*mistaken[step:], *mistaken[:step]]
    strangers = sum(
        same(trial.answer, other, tolerance) for trial, other in zip(shown, turned, strict=True)
    )
    return 2 * strangers > len(shown)


def number_of_numbers(value: Any) -> int:
    """How many numbers an answer holds."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return sum(map(number_of_numbers, value))
    return int(as_array(value).size) if is_numeric(value) else 0


def distance(one: Any, other: Any) -> float:
    """The Euclidean distance between the numbers of two answers, infinite where forms differ."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        if len(one) != len(other):
            return math.inf
        return math.hypot(*(distance(a, b) for a, b in zip(one, other, strict=True)))
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return math.inf
        return math.hypot(*(distance(one[key], other[key]) for key in one))
    if not is_numeric(one) or not is_numeric(other):
        return 0.0 if same(one, other) else math.inf
    a, b = (as_array(value).astype(float) for value in (one, other))
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return math.inf
    finite = np.isfinite(a)
    return float(np.linalg.norm(a[finite] - b[finite]))
