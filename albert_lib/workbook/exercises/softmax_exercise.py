"""Exercise 7.2: probabilities over a passage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.finetuning.passage_spans import masked_softmax
from albert_lib.workbook.exercise import Exercise, Misconception, Trial, apart

Scores = np.ndarray


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
    offset: Literal["largest", "nothing"] = "largest",
    outside: float = 0.0,
    growth: Literal["exponential", "shares", "differences", "falling"] = "exponential",
    total: Literal["sum", "nothing", "upside down", "whole"] = "sum",
) -> Scores:
    """`masked_softmax` with one part exchanged, or several."""
    if turned:
        allowed = ~allowed
    if masked == "as a score of 0":
        scores = scores * allowed
    within = allowed if masked == "before" else np.ones_like(allowed)
    largest = scores[within].max(initial=-np.inf)
    smallest = scores[within].min(initial=np.inf)
    with np.errstate(all="ignore"):
        raised = {
            "exponential": np.exp(scores - (largest if offset == "largest" else 0.0)),
            "shares": scores - smallest,
            "differences": scores - largest,
            "falling": np.exp(largest - scores),
        }[growth]
        weights = np.where(within, raised, outside)
        if growth == "shares" and not weights.any():
            weights = within.astype(float)  # equal scores: even shares
        answer = weights if total == "nothing" else weights / weights.sum()
        if total == "upside down":
            answer = weights.sum() / weights
        if total == "whole":
            answer = np.floor(answer)
    return np.asarray(answer * allowed if masked == "afterwards" else answer)


def halved(scores: Scores, allowed: Scores) -> Scores:
    """As if there were a second passage."""
    return masked_softmax(scores, allowed) / 2


def smallest_taken_off(scores: Scores, allowed: Scores) -> Scores:
    """The smallest score taken off in place of the largest."""
    with np.errstate(all="ignore"):
        weights = np.where(allowed, np.exp(scores - scores[allowed].min()), 0.0)
        return np.asarray(weights / weights.sum())


def overflows(trials: Sequence[Trial]) -> bool:
    """Whether scores far from 0 alone are wrong, and come out as nan or infinite."""
    wrong = apart(trials, 1e-9)
    large = [np.abs(each.arguments["scores"]).max() > 100 for each in wrong]
    return all(large) and any(not np.isfinite(each.answer).all() for each in wrong)


def in_proportion(trials: Sequence[Trial]) -> bool:
    """Whether every answer is the right one times a number above 0."""
    sums = [float(np.sum(each.answer)) for each in trials]
    return all(
        0 < total < np.inf and np.allclose(each.answer / total, each.expected, atol=1e-9)
        for each, total in zip(trials, sums, strict=True)
    )


def wrong_sum(trials: Sequence[Trial]) -> str:
    """To what the first wrong answer adds up."""
    total = float(np.sum(apart(trials, 1e-9)[0].answer))
    return (
        "Zero outside, and inside the right proportions, but your numbers add up to "
        f"{total:.3g} on the simplest such input. Divide each by the sum of all."
    )


SOFTMAX = Exercise(
    id="7.2",
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
            partial(softmax, offset="nothing"),
            "Right for small scores, but e¹⁰⁰⁰ is infinite and inf/inf is nan; where all scores "
            "are far below 0, it is 0/0. Take the largest allowed score off all of them first: "
            "the quotient stays the same.",
        ),
        Misconception(
            "no exponential",
            partial(softmax, growth="shares"),
            "Those are shares of the scores, not a softmax: the lowest one gets exactly 0, and "
            "adding a point to a score does not multiply its probability by e.",
        ),
        Misconception(
            "exponential left out",
            partial(softmax, growth="differences"),
            "You take the largest score off and leave the exponential out: the best position then "
            "has exactly 0. e⁰ is 1, and everything below the best is less.",
        ),
        Misconception(
            "lowest score first",
            partial(softmax, growth="falling"),
            "Your favourite is the lowest score: the sign in your exponential is turned. The "
            "largest score is taken off the others, not they off it.",
        ),
        Misconception(
            "1 outside",
            partial(softmax, outside=1.0),
            "Positions that are not allowed keep a weight of 1, as large as the best one's. They "
            "have none: begin with zeros.",
        ),
        Misconception(
            "upside down",
            partial(softmax, total="upside down"),
            "Your quotient is upside down, so the likeliest position has the smallest number and "
            "all outside are infinite. The sum stands below.",
        ),
        Misconception(
            "rounded down",
            partial(softmax, total="whole"),
            "You divide with //, which rounds every probability below 1 down to 0. Divide with /.",
        ),
        Misconception(
            "not divided by the sum",
            partial(softmax, total="nothing"),
            "Your numbers stand in the right proportions and do not add up to 1. Divide each by "
            "the sum of all.",
        ),
        Misconception(
            "sum that is not 1",
            halved,
            wrong_sum,
            in_proportion,
        ),
        Misconception(
            "large scores",
            smallest_taken_off,
            "Right for small scores, and not for large ones: e¹⁰⁰⁰ is infinite and inf/inf is nan. "
            "No exponent may be above 0: take the largest allowed score off all of them first.",
            overflows,
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
