"""How wrong numbers hang together with the right ones: by a factor, a term, a function."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from albert_lib.workbook.comparison import as_array, is_numeric
from albert_lib.workbook.exercise import Trial
from albert_lib.workbook.quantities import Quantity, quantities

FEWEST = 4  # wrong answers, and different right ones among them: fewer could agree by chance
SUM = 16  # of how many products in all is more than a coincidence
LARGEST = 64  # whole number that is named as a factor
ROUNDING = 1e-6  # where an exercise sets no tolerance


@dataclass(frozen=True)
class Relation:
    """Its name, and what is said of a learner's answer: "is 2 times the right one"."""

    name: str
    says: str
    advice: str
    partial: bool = False  # other parts of the answer are wrong in another way


FUNCTIONS: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("log", "is the natural logarithm of the right one", np.log),
    ("exp", "is exp of the right one: its logarithm is asked for", np.exp),
    ("square root", "is the square root of the right one", np.sqrt),
    ("square", "is the square of the right one", np.square),
    ("reciprocal", "is 1 divided by the right one", np.reciprocal),
    ("complement", "is 1 minus the right one", lambda right: 1 - right),
    ("rounded down", "is the right one rounded down", np.floor),
    ("no sign", "is the right one without its sign", np.abs),
)


def of_numbers(trials: Sequence[Trial], tolerance: float) -> Relation | None:
    """What connects these wrong numbers, or tensors of numbers, with the right ones, or None."""
    if not all(is_numeric(each.expected) and as_array(each.expected).size for each in trials):
        return None
    if any(isinstance(each.expected, (bool, np.bool_)) for each in trials):
        return None
    right = [as_array(each.expected).astype(float) for each in trials]
    given = [as_array(each.answer).astype(float) for each in trials]
    if not all(np.isfinite(each).all() for each in (*right, *given)):
        return None
    near = max(tolerance, ROUNDING)
    with np.errstate(all="ignore"):
        factors = [_factor(a, b, near) for a, b in zip(right, given, strict=True)]
        terms = [_term(a, b, near) for a, b in zip(right, given, strict=True)]
        known = list(quantities([each.arguments for each in trials]))
        return (
            _scaled(_all(factors), known)
            or _moved(_all(terms), known)
            or _by_function(right, given, near)
            or _by_an_argument(trials, right, given, known, near)
            or _by_some_number(right, factors, terms)
        )


def _factor(right: np.ndarray, given: np.ndarray, near: float) -> float | None:
    """The one number by which all of `right` is multiplied to give `given`, or None."""
    at = np.abs(right).argmax()
    factor = float(given.flat[at] / right.flat[at])
    fits = math.isfinite(factor) and np.allclose(given, factor * right, rtol=near, atol=near)
    return factor if fits else None


def _term(right: np.ndarray, given: np.ndarray, near: float) -> float | None:
    """The one number that is added to all of `right`, or None."""
    term = float((given - right).flat[0])
    return term if np.allclose(given, right + term, rtol=near, atol=near) else None


def _all(numbers: Sequence[float | None]) -> np.ndarray | None:
    return None if any(each is None for each in numbers) else np.array(numbers, dtype=float)


def _scaled(factors: np.ndarray | None, known: Sequence[Quantity]) -> Relation | None:
    if factors is None:
        return None
    constant = _constant(factors)
    if constant == -1:
        return Relation("wrong sign", "has the right size and the wrong sign", "What minus what?")
    if constant is not None:
        return Relation(
            f"times {_number(constant)}",
            f"is {_number(constant)} times the right one",
            "Look for a factor that is missing, or stands there once too often.",
        )
    for one in _with_products(known):
        if _constant(factors / one.values) == 1:
            advice = f"A division by it is missing, or a factor {one.name} is too many."
            return Relation(f"times {one.name}", f"is {one.name} times the right one", advice)
        if _constant(factors * one.values) == 1:
            advice = f"A factor {one.name} is missing, or a division by it too many."
            return Relation(f"over {one.name}", f"is the right one divided by {one.name}", advice)
    for one in known:
        for other in known:
            if _constant(factors * other.values / one.values) == 1:
                return Relation(
                    f"{one.name} for {other.name}",
                    f"is the right one times {one.name} / {other.name}",
                    f"Does {one.name} stand where {other.name} belongs?",
                )
    return None


def _moved(terms: np.ndarray | None, known: Sequence[Quantity]) -> Relation | None:
    if terms is None:
        return None
    way = "large" if (terms > 0).all() else "small" if (terms < 0).all() else ""
    if not way:
        return None
    advice = {
        "small": "A term is missing, or one is subtracted that should be added.",
        "large": "A term is there that does not belong, or is counted twice.",
    }[way]
    sizes = np.abs(terms)
    constant = _constant(sizes)
    if constant is not None:
        by = _number(constant)
        return Relation(f"too {way} by {by}", f"is too {way} by {by}", advice)
    products = _with_products(known)
    for one in products:
        times = _constant(sizes / one.values)
        if times is not None and times in range(1, LARGEST):
            by = _times(times, one.name)
            return Relation(f"too {way} by {by}", f"is too {way} by {by}", advice)
    two = _two_terms(sizes, products)
    return Relation(f"too {way} by {two}", f"is too {way} by {two}", advice) if two else None


def _with_products(known: Sequence[Quantity]) -> list[Quantity]:
    """Each quantity, then each product of two."""
    return [
        *known,
        *(one * other for one, other in itertools.combinations_with_replacement(known, 2)),
    ]


def _times(times: float, name: str) -> str:
    return name if times == 1 else f"{_number(times)} · {name}"


def _two_terms(sizes: np.ndarray, products: Sequence[Quantity]) -> str | None:
    """A sum of two products, each a few times, that these sizes are; whole numbers alone."""
    if len(sizes) < 2 * FEWEST or len(products) < 2 or not np.array_equal(sizes, sizes.round()):
        return None
    values = np.stack([each.values for each in products])
    left, right = np.triu_indices(len(products), 1)
    for i, j in itertools.combinations(range(0, 2 * FEWEST), 2):  # two inputs give the two numbers
        a, b, c, d = values[left, i], values[right, i], values[left, j], values[right, j]
        determinant = a * d - b * c
        first = (sizes[i] * d - b * sizes[j]) / determinant
        second = (a * sizes[j] - sizes[i] * c) / determinant
        whole = (first == first.round()) & (second == second.round())
        for at in np.flatnonzero(whole & (first > 0) & (second > 0) & (first + second < SUM)):
            made = first[at] * values[left[at]] + second[at] * values[right[at]]
            if np.array_equal(made, sizes):
                names = products[left[at]].name, products[right[at]].name
                return f"{_times(first[at], names[0])} + {_times(second[at], names[1])}"
        if np.all(determinant != 0):
            break
    return None


def _by_function(
    right: Sequence[np.ndarray], given: Sequence[np.ndarray], near: float
) -> Relation | None:
    for name, says, function in FUNCTIONS:
        pairs = zip(right, given, strict=True)
        if all(np.allclose(function(a), b, rtol=near, atol=near) for a, b in pairs):
            return Relation(name, says, "A step is missing, or done twice.")
    return None


def _by_an_argument(
    trials: Sequence[Trial],
    right: Sequence[np.ndarray],
    given: Sequence[np.ndarray],
    known: Sequence[Quantity],
    near: float,
) -> Relation | None:
    """A multiple of an argument, or of its square, that is added or missing."""
    if sum(each.size > 1 for each in right) < FEWEST:
        return None
    for name, values in _tensors(trials, right):
        times = [
            _multiple(a, b, value, near) for a, b, value in zip(right, given, values, strict=True)
        ]
        found = _all(times)
        if found is None or not ((found > 0).all() or (found < 0).all()):
            continue
        sign = "plus" if found[0] > 0 else "minus"
        sizes = np.abs(found)
        constant = _constant(sizes)
        fits = [each.name for each in known if _constant(sizes / each.values) == 1]
        factor = f"{fits[0]} · " if fits else "some number · "
        if constant is not None:
            factor = "" if _number(constant) == "1" else f"{_number(constant)} · "
        advice = "Is that term missing, there twice, or weighted by another number?"
        return Relation(f"{sign} {factor}{name}", f"is the right one {sign} {factor}{name}", advice)
    return None


def _tensors(
    trials: Sequence[Trial], right: Sequence[np.ndarray]
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """The arguments of the answer's own shape, and their squares."""
    for name, value in trials[0].arguments.items():
        if isinstance(value, (np.ndarray, torch.Tensor)):
            values = [as_array(each.arguments[name]).astype(float) for each in trials]
            if all(one.shape == other.shape for one, other in zip(values, right, strict=True)):
                yield name, values
                yield f"{name}²", [each**2 for each in values]


def _multiple(right: np.ndarray, given: np.ndarray, value: np.ndarray, near: float) -> float | None:
    """The number of times that `value` is added to `right` to give `given`, or None."""
    at = np.abs(value).argmax()
    times = float((given - right).flat[at] / value.flat[at])
    fits = math.isfinite(times) and np.allclose(given, right + times * value, rtol=near, atol=near)
    return times if fits else None


def _by_some_number(
    right: Sequence[np.ndarray], factors: Sequence[float | None], terms: Sequence[float | None]
) -> Relation | None:
    """All elements of an answer together, by a number that is another for every input."""
    if min(len(np.unique(each)) for each in right) < 2:
        return None
    if _all(factors) is not None:
        return Relation(
            "a factor",
            "is the right one times a number, the same for all its elements and another for each "
            "input",
            "The elements stand in the right proportion: what they are divided by, or multiplied "
            "with, is not right.",
        )
    if _all(terms) is not None:
        return Relation(
            "a term",
            "is the right one plus a number, the same for all its elements and another for each "
            "input",
            "The differences between the elements are right: what is added to all of them, or "
            "taken off, is not.",
        )
    return None


def _constant(values: np.ndarray) -> float | None:
    """The number that all values are, or None; a whole one without its rounding."""
    first = float(values[0])
    if not math.isfinite(first) or not np.allclose(values, first, rtol=1e-4, atol=0):
        return None
    whole = float(round(first))
    return whole if math.isclose(first, whole, rel_tol=1e-4) else first


def _number(value: float) -> str:
    """A factor or a term as a person would write it."""
    for below in range(1, LARGEST):
        whole = round(value * below)
        if whole and math.isclose(value * below, whole, rel_tol=1e-4):
            return f"{whole}" if below == 1 else f"{whole}/{below}"
    return f"{value:.4g}"
