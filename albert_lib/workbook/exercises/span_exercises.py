"""Exercises 7.7 and 7.8: probabilities over a passage, and the best span."""

from __future__ import annotations

from typing import Any

import numpy as np

from albert_lib.finetuning.passage_spans import best_span, masked_softmax
from albert_lib.workbook.exercise import Exercise, Misconception

Scores = np.ndarray
Span = tuple[int, int]


# -- 7.7: a softmax over the passage


def draw_scores(rng: np.random.Generator) -> dict[str, Any]:
    """Scores of an input whose passage stands in the middle; some as large as untrained ones."""
    n = int(rng.integers(6, 13))
    first, last = int(rng.integers(2, n // 2)), int(rng.integers(n // 2, n - 1))
    allowed = np.zeros(n, dtype=bool)
    allowed[first : last + 1] = True
    scale = 1000.0 if rng.random() < 0.25 else 2.0
    return {"scores": rng.normal(loc=-1.0, scale=scale, size=n), "allowed": allowed}


def over_everything(scores: Scores, allowed: Scores) -> Scores:
    """The plain softmax."""
    return masked_softmax(scores, np.ones_like(allowed))


def set_to_zero_afterwards(scores: Scores, allowed: Scores) -> Scores:
    """The plain softmax, blanked outside and left as it is."""
    return over_everything(scores, allowed) * allowed


def scores_set_to_zero(scores: Scores, allowed: Scores) -> Scores:
    """Scores times the mask, so that outside stands a 0."""
    return over_everything(scores * allowed, allowed)


def inverted(scores: Scores, allowed: Scores) -> Scores:
    """The mask read the other way round."""
    return masked_softmax(scores, ~allowed)


def without_maximum(scores: Scores, allowed: Scores) -> Scores:
    """The exponential of the scores as they are."""
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.where(allowed, np.exp(scores), 0.0)
        return np.asarray(weights / weights.sum())


def shares_of_scores(scores: Scores, allowed: Scores) -> Scores:
    """Shares without an exponential."""
    above = np.where(allowed, scores - scores[allowed].min(), 0.0)
    total = above.sum()
    return np.asarray(above / total if total else allowed / allowed.sum())


SOFTMAX = Exercise(
    id="7.7",
    title="Only within the passage",
    difficulty=1,
    minutes=10,
    points=2,
    solution=masked_softmax,
    draw=draw_scores,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "over everything",
            over_everything,
            "You do not use `allowed`: question, [SEP] and [CLS] keep their part of the mass, and "
            "the passage gets what they leave.",
        ),
        Misconception(
            "set to zero afterwards",
            set_to_zero_afterwards,
            "Zero outside, but your probabilities do not sum to 1: you took the softmax over "
            "everything first and then threw some of it away. Mask before you divide.",
        ),
        Misconception(
            "scores set to zero",
            scores_set_to_zero,
            "You multiply the scores by the mask. A score of 0 is not a probability of 0: e⁰ is 1, "
            "and among negative scores it is even the favourite. Outside, the score is −∞.",
        ),
        Misconception(
            "mask inverted",
            inverted,
            "You have the mask the wrong way round: all of the mass lies where nothing is allowed. "
            "True means that an answer may stand there.",
        ),
        Misconception(
            "overflow",
            without_maximum,
            "Right for small scores, but e¹⁰⁰⁰ is infinite and inf/inf is nan; where all scores "
            "are far below 0, it is 0/0. Take the largest allowed score off all of them first: "
            "the quotient stays the same.",
        ),
        Misconception(
            "no exponential",
            shares_of_scores,
            "Those are shares of the scores, not a softmax: the lowest one gets exactly 0, and "
            "adding a point to a score does not multiply its probability by e.",
        ),
    ),
    hints=(
        "As many numbers as there are scores. Those that are not allowed are exactly 0, and all "
        "together sum to 1.",
        "A softmax over the allowed scores alone, put back at their places. Nothing outside may "
        "enter the sum below the fraction line.",
        "`weights = np.zeros(len(scores))`, then "
        "`weights[allowed] = np.exp(scores[allowed] - scores[allowed].max())`, then divide.",
    ),
)


# -- 7.8: the best span


def draw_two_scores(rng: np.random.Generator) -> dict[str, Any]:
    """Scores of starts and ends, no two alike, and a passage between two other parts."""
    n = int(rng.integers(7, 13))
    first, last = int(rng.integers(2, 4)), n - 2
    allowed = np.zeros(n, dtype=bool)
    allowed[first : last + 1] = True
    starts, ends = rng.normal(scale=3.0, size=(2, n)).round(2)
    return {
        "start_scores": starts,
        "end_scores": ends,
        "allowed": allowed,
        "max_tokens": int(rng.integers(1, 5)),
    }


def each_by_itself(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The best start and the best end, without a look at each other."""
    within = [np.where(allowed, scores, -np.inf) for scores in (starts, ends)]
    return int(within[0].argmax()), int(within[1].argmax())


def start_first(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The best start, then the best end that goes with it."""
    first, _ = each_by_itself(starts, ends, allowed)
    from_first = np.where(np.arange(len(starts)) == first, starts, -1e6)
    return best_span(from_first, ends, allowed, max_tokens)


def one_too_long(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """From first to last may be max_tokens steps."""
    return best_span(starts, ends, allowed, max_tokens + 1)


def of_any_length(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """No limit on the length."""
    return best_span(starts, ends, allowed, len(starts))


def outside_too(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The question and the special tokens take part."""
    return best_span(starts, ends, np.ones_like(allowed), max_tokens)


def end_exclusive(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The position behind the last token."""
    first, last = best_span(starts, ends, allowed, max_tokens)
    return first, last + 1


SPAN = Exercise(
    id="7.8",
    title="The best span",
    difficulty=2,
    minutes=15,
    points=3,
    solution=best_span,
    draw=draw_two_scores,
    misconceptions=(
        Misconception(
            "each by itself",
            each_by_itself,
            "You take the best start and the best end, each by itself. They need not fit: an end "
            "before its start, or half a passage between them. Look for the best pair.",
        ),
        Misconception(
            "start first",
            start_first,
            "You fix the best start and then look for an end. Sometimes its best end is poor, and "
            "the second best start has a far better one: only the sum decides.",
        ),
        Misconception(
            "one token too long",
            one_too_long,
            "Your spans may be one token longer than max_tokens. Both ends belong to the span, so "
            "from first to last are last - first + 1 tokens.",
        ),
        Misconception(
            "of any length",
            of_any_length,
            "You do not use max_tokens: a start at one end of the passage and an end at the other "
            "make an answer that nobody gave.",
        ),
        Misconception(
            "outside the passage",
            outside_too,
            "Your spans reach into the question or the special tokens. Only positions with "
            "allowed may start or end an answer.",
        ),
        Misconception(
            "end exclusive",
            end_exclusive,
            "Your second number is the position behind the span, as in a slice. Here it is the "
            "last token of the answer itself, as the model's end score means it.",
        ),
    ),
    hints=(
        "Two whole numbers come back, (first, last), both positions of the input, both part of the "
        "answer. A single token has first == last.",
        "Every pair with first <= last <= first + max_tokens - 1 is a candidate if both are "
        "allowed; its score is a start score plus an end score. Keep the highest.",
        "Two loops do: `for first in np.flatnonzero(allowed)`, and inside "
        "`for last in range(first, min(first + max_tokens, len(allowed)))`, if `allowed[last]`.",
    ),
)
