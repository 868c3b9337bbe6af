"""The numbers that an input brings along, by the names a learner knows them by."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A number of every input: an argument, a length, a side of a tensor, a field of a config."""

    name: str
    values: np.ndarray  # one for each input, none of them 0

    def __mul__(self, other: Quantity) -> Quantity:
        name = f"{self.name}²" if self.name == other.name else f"{self.name} · {other.name}"
        return Quantity(name, self.values * other.values)


def quantities(inputs: Sequence[Mapping[str, Any]]) -> Iterator[Quantity]:
    """Yield the numbers that all of the inputs have, are never 0, and differ between inputs."""
    found = [dict(_numbers_of(arguments)) for arguments in inputs]
    seen: list[np.ndarray] = []
    for name in found[0]:
        if not all(name in each for each in found):
            continue
        values = np.array([each[name] for each in found], dtype=float)
        usable = np.isfinite(values).all() and values.all() and not np.allclose(values, values[0])
        if usable and not any(np.array_equal(values, other) for other in seen):
            seen.append(values)
            yield Quantity(name, values)


def _numbers_of(arguments: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in arguments.items():
        yield from _numbers(name, value)


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, numbers.Real):
        yield name, float(value)
        if 0 < float(value) < 1:
            yield f"(1 - {name})", 1 - float(value)
    elif isinstance(value, (torch.Tensor, np.ndarray)):
        for axis, side in enumerate(value.shape):
            yield f"{name}.shape[{axis}]", float(side)
        if value.ndim:
            yield f"√{name}.shape[-1]", math.sqrt(value.shape[-1])
    elif isinstance(value, (str, list, dict, range)):
        yield f"len({name})", float(len(value))
    elif isinstance(value, tuple):
        for place, each in enumerate(value[:4]):
            yield from _numbers(f"{name}[{place}]", each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _numbers(
                field.name if name == "self" else f"{name}.{field.name}",
                getattr(value, field.name),
            )
