"""Wilcoxon's signed-rank test, also of many weighted resamples at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from albert_lib.probing.sets.base import TIE


@dataclass(frozen=True)
class SignedRanks:
    """Wilcoxon's signed-rank test of differences: both rank sums, Z, p (two-sided) and r.

    Example:
        >>> SignedRanks(positive=7.0, negative=3.0, z=0.73, p=0.47, r=0.33, n=5).positive
        7.0
    """

    positive: float
    negative: float
    z: float
    p: float
    r: float
    n: int  # differences; those that are 0 count here, and in no rank


def signed_ranks(differences: Float[np.ndarray, "pairs"]) -> SignedRanks:
    """Wilcoxon's signed-rank test with its normal approximation, ties corrected for.

    As scipy.stats.wilcoxon(method="approx"), which does not say which of the two sums is larger.
    Differences of at most TIE are 0.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing.sets.signed_ranks import signed_ranks
        >>> test = signed_ranks(np.array([1.0, 2.0, -3.0, 4.0, 0.0]))
        >>> test.positive, test.negative, test.n, round(test.z, 3)
        (7.0, 3.0, 5, 0.73)
    """
    # here and not at the top, where it would cost everybody a third of a second
    from scipy.special import ndtr

    n = len(differences)
    once = np.ones((1, n), dtype=np.int64)
    positive, negative, z = (float(value[0]) for value in rank_sums(differences, once))
    return SignedRanks(positive, negative, z, 2 * float(ndtr(-abs(z))), z / math.sqrt(n), n)


def rank_sums(
    differences: Float[np.ndarray, "pairs"], counts: Int[np.ndarray, "resamples pairs"]
) -> tuple[
    Float[np.ndarray, "resamples"], Float[np.ndarray, "resamples"], Float[np.ndarray, "resamples"]
]:
    """Wilcoxon's positive and negative rank sums and Z, each pair counted as often as `counts`.

    Z is 0 where nothing but zeros was drawn.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing.sets.signed_ranks import rank_sums
        >>> counts = np.array([[1, 1, 1], [2, 1, 0]])
        >>> positive, negative, _ = rank_sums(np.array([1.0, -2.0, 3.0]), counts)
        >>> positive.tolist(), negative.tolist()  # ranks 1 2 3; of 1 1 −2: 1.5 1.5 3
        ([4.0, 3.0], [2.0, 3.0])
    """
    moved = abs(differences) > TIE
    if not moved.any():
        return np.zeros(len(counts)), np.zeros(len(counts)), np.zeros(len(counts))
    order = np.flatnonzero(moved)[np.argsort(abs(differences[moved]), kind="stable")]
    differences, counts = differences[order], counts[:, order]
    _, first, group = np.unique(abs(differences), return_index=True, return_inverse=True)
    tied = np.add.reduceat(counts, first, axis=1)  # how many differences have each size
    ranks = (tied.cumsum(axis=1) - tied + (tied + 1) / 2)[:, group]  # ties share their mean rank
    positive = (counts * ranks * (differences > 0)).sum(axis=1)
    negative = (counts * ranks * (differences < 0)).sum(axis=1)
    m = counts.sum(axis=1)
    variance = m * (m + 1) * (2 * m + 1) / 24 - (tied**3 - tied).sum(axis=1) / 48
    z = (positive - m * (m + 1) / 4) / np.sqrt(np.where(m > 0, variance, 1.0))
    return positive, negative, z
