"""How large an input is: readable ones are shown first."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

Size = tuple[int, int]  # how many elements, and how long their numbers are written


def size(arguments: Mapping[str, Any]) -> Size:
    """The number of elements in all arguments together, then the length of their numbers.

    >>> size({"text": "dawn", "budget": 3}) < size({"text": "dawn", "budget": 300})
    True
    """
    return _sum(map(_measure, arguments.values()))


def _measure(value: Any) -> Size:
    if isinstance(value, torch.Tensor):
        return value.numel(), 0
    if isinstance(value, np.ndarray):
        return value.size, 0
    if isinstance(value, torch.nn.Module):
        return sum(parameter.numel() for parameter in value.parameters()), 0
    if isinstance(value, (str, range)):
        return len(value), 0
    if isinstance(value, numbers.Integral):
        return 1, int(value).bit_length()
    if isinstance(value, numbers.Real):
        return 1, len(repr(float(value)))
    if isinstance(value, dict):
        return _sum(map(_measure, value.values()))
    if isinstance(value, (list, tuple)):
        return _sum(map(_measure, value))
    if dataclasses.is_dataclass(value):
        parts = (getattr(value, field.name) for field in dataclasses.fields(value))
        return 1, _sum(map(_measure, parts))[1]
    return 1, 0


def _sum(sizes: Iterable[Size]) -> Size:
    elements = digits = 0
    for one, other in sizes:
        elements, digits = elements + one, digits + other
    return elements, digits
