"""How far a number may be off that is no plain mean: the bootstrap over whole units.

A unit is what one might have drawn otherwise: a target word, a profession, a pair of sentences.
Everything measured on one unit stays together, or the same unit would count as many.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Int

Statistic = Callable[[Int[np.ndarray, "units"]], float]


def resampled_interval(
    n_units: int,
    statistic: Statistic,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> tuple[float, float]:
    """Percentile bootstrap of any statistic: the ends of its interval.

    `statistic` gets the numbers of the drawn units, as many as there are, some of them twice.
    One unit gives infinite ends: nothing is known about how units differ.
    """
    if n_units < 2:
        return -math.inf, math.inf
    drawn = rng.integers(n_units, size=(resamples, n_units))
    values = [statistic(numbers) for numbers in drawn]
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
