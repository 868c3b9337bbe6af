"""Two models on the items that both can score: a paired difference with its interval.

Two reports side by side overstate the doubt about which model is ahead: what makes an item hard
makes it hard for both. Here each item's own difference is taken, and the interval is of the mean of
those.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from albert_lib.errors import InputError
from albert_lib.probing.intervals import Interval, mean_interval
from albert_lib.probing.sets.base import SetResult

ItemValues = Mapping[Hashable, float]


@dataclass(frozen=True)
class Comparison:
    """The mean of a measure for two models on their common items, and of its difference.

    Example:
        >>> first, second = {"a": 0.0, "b": 100.0, "c": 0.0}, {"a": 100.0, "b": 100.0, "d": 0.0}
        >>> both = paired_comparison(first, second)
        >>> both.first, both.second, both.difference.mean, both.n_common, both.n_single
        (50.0, 100.0, 50.0, 2, 2)
    """

    first: float
    second: float
    difference: Interval  # second − first
    n_common: int
    n_single: int  # items that one of the models alone could score, which are left out

    @property
    def verdict(self) -> str:
        """Whether the interval tells the models apart."""
        if self.difference.excludes(0.0):
            return "the interval leaves out 0: the models differ on items of this kind"
        return "the interval holds 0: these items do not tell the models apart"


def paired_comparison(
    first: ItemValues, second: ItemValues, confidence: float = 0.95
) -> Comparison:
    """Compare two models' values item by item; InputError for fewer than two common items.

    Example:
        >>> both = paired_comparison({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 2.0, "b": 3.0, "c": 4.5})
        >>> round(both.difference.mean, 3), both.difference.excludes(0.0)
        (1.167, True)
    """
    common = [item for item in first if item in second]
    if len(common) < 2:
        raise InputError(
            f"The two models share {len(common)} scored items, and a paired interval needs two; "
            f"give more items, or models whose vocabularies can write them."
        )
    a = np.array([first[item] for item in common])
    b = np.array([second[item] for item in common])
    n_single = len(first) + len(second) - 2 * len(common)
    interval = mean_interval(b - a, confidence)
    return Comparison(float(a.mean()), float(b.mean()), interval, len(common), n_single)


def item_values(result: SetResult[Any]) -> ItemValues:
    """The value of each scored item, whose mean is compared.

    Raises InputError for a set whose measures are not means over items.

    Example:
        >>> from albert_lib.probing.sets.blimp import BlimpResult, MinimalPair, ScoredMinimalPair
        >>> pair = MinimalPair("She sleeps.", "She sleep.", "agreement_1", "agreement")
        >>> list(item_values(BlimpResult([ScoredMinimalPair(pair, -8.0, -9.5)], {})).values())
        [100.0]
    """
    values = result.item_values()
    if not values:
        raise InputError(
            "This set's measures are not means over items, so two models cannot be paired on it; "
            "compare their reports' intervals."
        )
    return values
