"""Several runs of one recipe that differ by their seed: the median and the range of their scores.

One run says little about a recipe: heads start from other weights and batches come in another
order, and on a development set of 872 sentences that alone moves the accuracy by a point or two.
The best of several is not what a next run will have, so the median stands first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from albert_lib.errors import InputError, counted


@dataclass(frozen=True)
class ScoreRange:
    """The median, lowest and highest of one score over several seeds; `print` it.

    Example:
        >>> print(ScoreRange(median=0.912, lowest=0.905, highest=0.92, seeds=3))
        0.912 (0.905 to 0.920, 3 seeds)
    """

    median: float
    lowest: float
    highest: float
    seeds: int

    def __str__(self) -> str:
        found = counted(self.seeds, "seed")
        return f"{self.median:.3f} ({self.lowest:.3f} to {self.highest:.3f}, {found})"


def median_and_range(results: Sequence[Mapping[str, float]]) -> dict[str, ScoreRange]:
    """Return the median and range of every score, given the scores of each seed's run.

    The median of an even number of runs is the mean of the two in the middle. Raises InputError
    where there are no runs, one has other scores than the first, or a score is not finite.

    Example:
        >>> found = median_and_range([{"f1": 80.0}, {"f1": 84.5}, {"f1": 83.0}])
        >>> found["f1"]
        ScoreRange(median=83.0, lowest=80.0, highest=84.5, seeds=3)
    """
    if not results:
        raise InputError(
            "There are no results to take a median of; give those of one seed or more."
        )
    names = list(results[0])
    for number, scores in enumerate(results, 1):
        if scores.keys() != set(names):
            raise InputError(
                f"Result {number} has the scores {', '.join(scores)}, the first one "
                f"{', '.join(names)}; give results of the same task."
            )
        for name, score in scores.items():
            if not math.isfinite(score):
                raise InputError(
                    f"Result {number}: {name} is {score}; leave that run out, and say so."
                )
    columns = {name: [float(scores[name]) for scores in results] for name in names}
    return {
        name: ScoreRange(median(column), min(column), max(column), len(column))
        for name, column in columns.items()
    }
