"""Exercises 7.7 and 7.8: probabilities over a passage, and the best span."""

from __future__ import annotations

from functools import partial
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


def edge_scores(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One position; all allowed; the first alone, the last alone; equal scores."""
    scores = rng.normal(size=5)
    nothing = np.zeros(5, dtype=bool)
    first, last = nothing.copy(), nothing.copy()
    first[0] = last[-1] = True
    pairs = (
        (scores[:1], ~nothing[:1]),
        (scores, ~nothing),
        (scores, first),
        (scores, last),
        (np.full(5, -2.0), first | last),
    )
    return [{"scores": each.copy(), "allowed": allowed} for each, allowed in pairs]


def softmax(
    scores: Scores,
    allowed: Scores,
    *,
    masked: str = "before",
    turned: bool = False,
    largest_off: bool = True,
    exponential: bool = True,
) -> Scores:
    """`masked_softmax` with one part exchanged, or several."""
    if turned:
        allowed = ~allowed
    if masked == "as a score of 0":
        scores = scores * allowed
    within = allowed if masked == "before" else np.ones_like(allowed)
    with np.errstate(all="ignore"):
        if exponential:
            largest = scores[within].max(initial=-np.inf) if largest_off else 0.0
            weights = np.where(within, np.exp(scores - largest), 0.0)
        else:
            weights = np.where(within, scores - scores[within].min(initial=np.inf), 0.0)
        if not exponential and not weights.any():
            weights = within.astype(float)  # equal scores: even shares
        answer = weights / weights.sum()
    return np.asarray(answer * allowed if masked == "afterwards" else answer)


SOFTMAX = Exercise(
    id="7.7",
    title="Only within the passage",
    difficulty=1,
    minutes=10,
    points=2,
    solution=masked_softmax,
    draw=draw_scores,
    borders=edge_scores,
    leaves_inputs=True,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "over everything",
            partial(softmax, masked="never"),
            "You do not use `allowed`: question, [SEP] and [CLS] keep their part of the mass, and "
            "the passage gets what they leave.",
        ),
        Misconception(
            "set to zero afterwards",
            partial(softmax, masked="afterwards"),
            "Zero outside, but your probabilities do not sum to 1: you took the softmax over "
            "everything first and then threw some of it away. Mask before you divide.",
        ),
        Misconception(
            "scores set to zero",
            partial(softmax, masked="as a score of 0"),
            "You multiply the scores by the mask. A score of 0 is not a probability of 0: e⁰ is 1, "
            "and among negative scores it is even the favourite. Outside, the score is −∞.",
        ),
        Misconception(
            "mask inverted",
            partial(softmax, turned=True),
            "You have the mask the wrong way round: all of the mass lies where nothing is allowed. "
            "True means that an answer may stand there.",
        ),
        Misconception(
            "overflow",
            partial(softmax, largest_off=False),
            "Right for small scores, but e¹⁰⁰⁰ is infinite and inf/inf is nan; where all scores "
            "are far below 0, it is 0/0. Take the largest allowed score off all of them first: "
            "the quotient stays the same.",
        ),
        Misconception(
            "no exponential",
            partial(softmax, exponential=False),
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


def edge_passages(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One position; a passage from end to end; spans of one token; of more than there are."""
    starts, ends = rng.normal(scale=3.0, size=(2, 6))
    last = np.arange(6) == 5
    return [
        {"start_scores": starts[:n], "end_scores": ends[:n], "allowed": allowed, "max_tokens": most}
        for n, allowed, most in (
            (1, ~last[:1], 1),
            (6, last, 4),
            (6, ~last | last, 1),
            (6, ~last | last, 30),
        )
    ]


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
    borders=edge_passages,
    leaves_inputs=True,
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
