"""An interval over templates and seeds at once: would other ones of both have said the same?

One model's templates say nothing of the next model's training, and many seeds with one template
nothing of the next sentence. Where every seed was asked with every template, both are drawn anew.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from albert_lib.errors import InputError
from albert_lib.probing.intervals import Interval


def crossed_interval(
    values: Float[np.ndarray, "seeds templates"],
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Percentile interval of the mean of a table, its rows and its columns both drawn anew.

    Each resample draws as many seeds and, apart from them, as many templates, with
    replacement, and averages the cells where they meet (the pigeonhole bootstrap: Owen, 2007,
    arXiv:0711.3236). A table of one row or one column gives infinite ends: nothing is known
    about the spread of what there is one of.

    With few rows it is too narrow: where seeds and templates each shift the values, a "95 %"
    interval held the true mean 89 times in 100 with 5 seeds and 8 templates, 82 times with 3 and
    8. Where the cells differ for no reason of row or column it is too wide and held it always,
    since such noise is counted with both. Raises InputError for an empty table, cells
    that are not finite, a confidence outside (0, 1) or no resamples.
    """
    table = np.asarray(values, dtype=np.float64)
    _check(table, confidence, resamples)
    n_seeds, n_templates = table.shape
    mean = float(table.mean())
    if min(table.shape) == 1:
        return Interval(mean, -math.inf, math.inf, confidence, table.size)
    # how often each row, and each column, was drawn
    seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=resamples)
    templates = rng.multinomial(n_templates, np.full(n_templates, 1 / n_templates), size=resamples)
    means = ((seeds @ table) * templates).sum(axis=1) / table.size
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(mean, float(low), float(high), confidence, table.size)


def _check(table: np.ndarray, confidence: float, resamples: int) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence} must lie between 0 and 1, such as 0.95.")
    if resamples < 1:
        raise InputError(f"resamples={resamples} draws nothing; ask for a thousand or more.")
    if table.ndim != 2 or table.size == 0:
        raise InputError(
            f"The values have shape {table.shape}; give a table with a row for every seed and a "
            f"column for every template."
        )
    if not np.isfinite(table).all():
        raise InputError(
            f"{np.count_nonzero(~np.isfinite(table))} of {table.size} values are not finite; "
            f"look at the logits they come from."
        )
