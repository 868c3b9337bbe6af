"""The first place at which two answers differ, and the part of an input that belongs to it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from albert_lib.workbook.comparison import as_array, is_numeric, kind_problem, same
from albert_lib.workbook.describe import FULL_ELEMENTS, describe, described_apart

NEIGHBOURS = 3  # elements shown on either side


@dataclass(frozen=True)
class Place:
    """Where two answers differ first, in words and as positions, and both values there."""

    where: str  # "in element 1 at [0, 2]", or "" where the answers are single values
    positions: tuple[int, ...]
    expected: Any
    answer: Any

    def sentence(self) -> str:
        """The place and both values, which are never written alike."""
        one, other = described_apart(self.expected, self.answer)
        one, other = (
            "nothing there" if isinstance(value, Nothing) else text
            for value, text in ((self.expected, one), (self.answer, other))
        )
        where = f"The first difference is {self.where}: " if self.where else ""
        return f"{where}albert_lib has {one}, you have {other}."


class Nothing:
    """What an answer has where the other has one element more."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nothing)

    __hash__ = object.__hash__


def first_difference(expected: Any, answer: Any, tolerance: float = 0.0) -> Place | None:
    """The first place at which answers that are not the `same` differ, or None.

    >>> first_difference([1, 2, 3], [1, 5, 3]).sentence()
    'The first difference is in element 1: albert_lib has 2, you have 5.'
    """
    if same(expected, answer, tolerance):
        return None
    here = Place("", (), expected, answer)
    if isinstance(expected, (list, tuple)) and isinstance(answer, (list, tuple)):
        return _in_sequence(expected, answer, tolerance)
    if kind_problem(expected, answer) is not None:
        return here
    if isinstance(expected, dict):
        return _in_dict(expected, answer, tolerance)
    if isinstance(expected, str):
        at = next(
            (i for i, (a, b) in enumerate(zip(expected, answer, strict=False)) if a != b),
            min(len(expected), len(answer)),
        )
        return replace(here, where=f"at character {at}", positions=(at,))
    if isinstance(expected, (torch.Tensor, np.ndarray)) and is_numeric(expected):
        return _in_array(expected, answer, tolerance)
    return here


def _in_sequence(expected: Any, answer: Any, tolerance: float) -> Place:
    for position, (one, other) in enumerate(zip(expected, answer, strict=False)):
        inner = first_difference(one, other, tolerance)
        if inner is not None:
            return _inside(f"in element {position}", position, inner)
    if len(expected) == len(answer):  # a list beside a tuple
        return Place("", (), expected, answer)
    shorter = min(len(expected), len(answer))
    one, other = (
        part[shorter] if len(part) > shorter else Nothing() for part in (expected, answer)
    )
    return Place(f"in element {shorter}", (shorter,), one, other)


def _in_dict(expected: dict[Any, Any], answer: dict[Any, Any], tolerance: float) -> Place:
    for key in itertools.chain(expected, (key for key in answer if key not in expected)):
        one, other = expected.get(key, Nothing()), answer.get(key, Nothing())
        inner = first_difference(one, other, tolerance)
        if inner is not None:
            where = f"at key {describe(key)}"
            return replace(inner, where=f"{where} {inner.where}".rstrip())
    return Place("", (), expected, answer)


def _in_array(expected: Any, answer: Any, tolerance: float) -> Place:
    one, other = as_array(expected), as_array(answer)
    if "f" in one.dtype.kind + other.dtype.kind:
        alike = np.isclose(other, one, rtol=tolerance, atol=tolerance, equal_nan=True)
    else:
        alike = one == other
    index = tuple(int(i) for i in np.argwhere(~alike)[0])
    where = f"at {list(index)}" if index and one.size > 1 else ""
    return Place(where, index, one[index], other[index])


def _inside(where: str, position: int, inner: Place) -> Place:
    return replace(
        inner,
        where=f"{where} {inner.where}".rstrip(),
        positions=(position, *inner.positions),
    )


def described_input(value: Any, positions: tuple[int, ...] = ()) -> str:
    """An input in full where it is small, else the part that stands at these positions.

    `positions` is where the answers differ: what stands there in the input, with its neighbours,
    is shown where the input is that long.
    """
    if isinstance(value, (torch.Tensor, np.ndarray)):
        if as_array(value).size <= FULL_ELEMENTS or not positions:
            return describe(value, full=True)
        return _around_in_array(value, positions)
    text = describe(value, full=True)
    if text.endswith(" …") and isinstance(value, (list, tuple, str)) and positions:
        return _around_in_sequence(value, positions[0])
    return text


def _around_in_array(value: Any, positions: tuple[int, ...]) -> str:
    array = as_array(value)
    index: tuple[int, ...] = ()
    for position, length in zip(positions, array.shape, strict=False):
        if position >= length or array[index].size <= FULL_ELEMENTS // 4:
            break
        index = (*index, position)
    if not index:
        return describe(value, full=True)
    part = array[index]
    if part.size > FULL_ELEMENTS:
        return describe(value, full=True)
    return f"{describe(value)} and at {list(index)} {describe(part, full=True)}"


def _around_in_sequence(value: Any, position: int) -> str:
    start, stop = max(0, position - NEIGHBOURS), min(len(value), position + NEIGHBOURS + 1)
    if start >= len(value):
        return describe(value, full=True)
    kind = "letters" if isinstance(value, str) else "elements"
    part = value[start:stop] if isinstance(value, str) else list(value[start:stop])
    return (
        f"{len(value)} {kind} beginning {describe(value[:NEIGHBOURS])}, "
        f"and from {start} on {describe(part, full=True)}"
    )
