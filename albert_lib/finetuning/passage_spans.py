"""One window's scores by themselves: their probabilities over the passage, and its best span.

`spans.py` answers a question from all of its windows; here is the search that stands in it, for
one row of scores, as notebook 07 builds it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from albert_lib.errors import InputError
from albert_lib.finetuning.spans import MAX_TOKENS


def masked_softmax(
    scores: Float[np.ndarray, "seq"], allowed: Bool[np.ndarray, "seq"]
) -> Float[np.ndarray, "seq"]:
    """The probabilities of the positions that are allowed; exactly 0 for the others.

    Scores of any size are possible: the largest allowed one is taken off first. InputError where
    nothing is allowed.

    Example:
        >>> from albert_lib.finetuning.passage_spans import masked_softmax
        >>> scores, allowed = np.array([9.0, 1000.0, 1000.0]), np.array([False, True, True])
        >>> masked_softmax(scores, allowed).tolist()
        [0.0, 0.5, 0.5]
    """
    _check_allowed(allowed)
    weights = np.zeros(len(scores))
    weights[allowed] = np.exp(scores[allowed] - scores[allowed].max())
    return weights / weights.sum()


def best_span(
    start_scores: Float[np.ndarray, "seq"],
    end_scores: Float[np.ndarray, "seq"],
    allowed: Bool[np.ndarray, "seq"],
    max_tokens: int = MAX_TOKENS,
) -> tuple[int, int]:
    """The first and last position of the span with the highest sum of a start and an end score.

    Both lie where it is allowed, the end not before the start, and the span holds at most
    `max_tokens`; of equals, the one further left, and there the shorter. InputError where nothing
    is allowed.

    Example:
        >>> from albert_lib.finetuning.passage_spans import best_span
        >>> starts, ends = np.array([0.0, 1.0, 5.0, 2.0]), np.array([0.0, 7.0, 1.0, 3.0])
        >>> best_span(starts, ends, np.array([False, True, True, True]), max_tokens=2)
        (1, 1)
    """
    _check_allowed(allowed)
    starts = np.where(allowed, start_scores, -np.inf)
    ends = np.where(allowed, end_scores, -np.inf)
    sums = starts[:, None] + ends[None, :]  # (first, last)
    first, last = np.indices(sums.shape)
    sums[(last < first) | (last - first >= max_tokens)] = -np.inf
    best = np.unravel_index(sums.argmax(), sums.shape)
    return int(best[0]), int(best[1])


def _check_allowed(allowed: Bool[np.ndarray, "seq"]) -> None:
    if not allowed.any():
        raise InputError("No position is allowed; allow those of the passage.")
