"""Corrections for multiple testing: p-values and intervals when many questions are asked at once.

At 95 % one of twenty quantities in which nothing is going on looks like something. Bonferroni
and Holm hold the chance of even one false positive among all below the level (the family-wise
error rate); Benjamini and Hochberg hold the expected fraction of false positives among the
findings below it (the false discovery rate), and find more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from albert_lib.errors import InputError
from albert_lib.probing.template_probe import ProbeRow

PValues = Sequence[float] | Float[np.ndarray, "tests"]


def bonferroni(p_values: PValues) -> Float[np.ndarray, "tests"]:
    """Every p-value times the number of tests, at most 1 (Dunn, 1961).

    Example:
        >>> from albert_lib.probing import bonferroni
        >>> bonferroni([0.5, 0.125]).tolist()
        [1.0, 0.25]
    """
    values = _checked(p_values)
    return np.minimum(1.0, values * len(values))


def holm(p_values: PValues) -> Float[np.ndarray, "tests"]:
    """Holm's step-down p-values (1979): never above Bonferroni's, under no further condition.

    The smallest is multiplied by the number of tests, the next by one less, and so on; none
    may come out below one that was smaller before.

    Example:
        >>> from albert_lib.probing import holm
        >>> holm([0.5, 0.125, 0.25]).tolist()  # × 1, × 3, × 2
        [0.5, 0.375, 0.5]
    """
    values = _checked(p_values)
    order = np.argsort(values)
    stepped = values[order] * np.arange(len(values), 0, -1)
    return _unsorted(np.minimum(1.0, np.maximum.accumulate(stepped)), order)


def benjamini_hochberg(p_values: PValues) -> Float[np.ndarray, "tests"]:
    """Step-up p-values for a false discovery rate (1995), of independent tests.

    They may also depend on one another positively (Benjamini and Yekutieli, 2001).

    The largest stays, the one before is multiplied by n / (n − 1), and so on down to n; none
    may come out above one that was larger before.

    Example:
        >>> from albert_lib.probing import benjamini_hochberg
        >>> benjamini_hochberg([0.5, 0.125, 0.25]).tolist()  # × 3/3, × 3/1, × 3/2
        [0.5, 0.375, 0.375]
    """
    values = _checked(p_values)
    order = np.argsort(values)
    stepped = values[order] * len(values) / np.arange(1, len(values) + 1)
    return _unsorted(np.minimum.accumulate(stepped[::-1])[::-1], order)


def simultaneous(rows: Sequence[ProbeRow], confidence: float = 0.95) -> list[ProbeRow]:
    """The same rows with wider intervals, of which all hold at once with this confidence.

    Bonferroni's: with m rows each interval is made at 1 − (1 − confidence) / m. So the chance
    that even one of them misses its mean is at most 1 − confidence.

    Example:
        >>> from albert_lib.probing import ProbeRow, simultaneous
        >>> rows = [ProbeRow.of("nurse", [1.0, 2.0, 3.0]), ProbeRow.of("baker", [0.0, 1.0, 2.0])]
        >>> wide = simultaneous(rows)
        >>> wide[0].interval.high > rows[0].interval.high, wide[0].interval.confidence
        (True, 0.975)
    """
    if not rows:
        raise InputError("There are no rows to widen; give those of one question.")
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence} must lie between 0 and 1, such as 0.95.")
    each = 1 - (1 - confidence) / len(rows)
    return [ProbeRow.of(row.label, row.values, each) for row in rows]


def _unsorted(
    adjusted: Float[np.ndarray, "tests"], order: np.ndarray
) -> Float[np.ndarray, "tests"]:
    """Sorted values in the order of the tests again."""
    placed = np.empty_like(adjusted)
    placed[order] = adjusted
    return placed


def _checked(p_values: PValues) -> Float[np.ndarray, "tests"]:
    values = np.asarray(p_values, dtype=np.float64)
    if len(values) == 0:
        raise InputError("There are no p-values to correct; give those of all tests together.")
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            f"{values[~((values >= 0) & (values <= 1))][0]} is no p-value; "
            f"give numbers from 0 to 1."
        )
    return values
