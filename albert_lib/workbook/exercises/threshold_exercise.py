"""Exercise 7.6: from which null score on a question is left unanswered."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.finetuning.null_threshold import best_threshold
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.threshold_rules import decides_like, judge_thresholds

Points = Sequence[float]


def draw_null_scores(rng: np.random.Generator) -> dict[str, Any]:
    """Null scores in whole points, so that some are equal, and what each question would get."""
    n = int(rng.integers(4, 11))
    impossible = rng.random(n) < rng.choice([0.2, 0.5, 0.9])
    null_scores = np.round(rng.normal(loc=-4.0, scale=2.0, size=n) + 3 * impossible)
    answered = np.where(impossible, 0.0, rng.choice([0.0, 0.5, 1.0], size=n, p=[0.2, 0.2, 0.6]))
    return {
        "null_scores": null_scores.tolist(),
        "answered": answered.tolist(),
        "unanswered": impossible.astype(float).tolist(),
    }


def few_questions(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One question of either kind; all answerable, none; equal scores."""
    return [
        {"null_scores": scores, "answered": answered, "unanswered": unanswered}
        for scores, answered, unanswered in (
            ([-3.0], [1.0], [0.0]),
            ([-3.0], [0.0], [1.0]),
            ([-4.0, -1.0, 2.0], [1.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
            ([-4.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
            ([0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
        )
    ]


def one_by_one(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Questions of one score are taken one after another, as in the official script."""
    total = best = sum(unanswered)
    value = -math.inf
    for i in sorted(range(len(null_scores)), key=lambda i: null_scores[i]):
        total += answered[i] - unanswered[i]
        if total > best:
            best, value = total, null_scores[i]
    return value


def zero_for_everything(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Leaving everything unanswered is called 0.0."""
    value = best_threshold(null_scores, answered, unanswered)
    return 0.0 if value == -math.inf else value


def never_silent(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Everything is answered."""
    return math.inf


def always_zero(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """No search: the best span against [CLS], even."""
    return 0.0


def searched(
    null_scores: Points,
    answered: Points,
    unanswered: Points,
    *,
    gain: Literal["difference", "answered alone", "sum", "turned"] = "difference",
    equal: Literal["together", "the last alone"] = "together",
    order: Literal["rising", "falling"] = "rising",
    step: Literal["added up", "by itself"] = "added up",
    above: Literal["the best", "0"] = "the best",
    nothing: float = -math.inf,
    best_returned: bool = False,
) -> float:
    """The search in steps with one part exchanged, or several."""
    gains: dict[float, float] = {}
    for score, if_answered, if_not in zip(null_scores, answered, unanswered, strict=True):
        change = {
            "answered alone": if_answered,
            "sum": if_answered + if_not,
            "turned": if_not - if_answered,
        }.get(gain, if_answered - if_not)
        gains[score] = change + (gains.get(score, 0.0) if equal == "together" else 0.0)
    total, best, value = 0.0, 0.0, nothing
    for score in sorted(gains, reverse=order == "falling"):
        total = gains[score] + (total if step == "added up" else 0.0)
        if total > (best if above == "the best" else 0.0):
            best, value = total, score
    return best if best_returned else value


def only_below(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """The search for a rule that answers below the threshold, and not at it."""

    def total(value: float) -> float:
        return sum(
            if_answered if score < value else if_not
            for score, if_answered, if_not in zip(null_scores, answered, unanswered, strict=True)
        )

    return max([*sorted(set(null_scores)), math.inf], key=total)


def always_silent(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """Nothing is answered."""
    return -math.inf


def turned_round(null_scores: Points, answered: Points, unanswered: Points) -> float:
    """The search for a rule that leaves low scores unanswered."""
    return -best_threshold([-score for score in null_scores], answered, unanswered)


def mistake(name: str, wrong: Callable[..., float], message: str) -> Misconception:
    """A misconception that shows by which questions are answered, wherever a threshold lies."""
    return Misconception(name, wrong, message, symptom=partial(decides_like, wrong))


THRESHOLD = Exercise(
    id="7.6",
    title="When to say nothing",
    difficulty=2,
    minutes=15,
    points=3,
    solution=best_threshold,
    draw=draw_null_scores,
    borders=few_questions,
    leaves_inputs=True,
    judge=judge_thresholds,
    misconceptions=(
        mistake(
            "one by one",
            one_by_one,
            "You go through questions of one null score one after another and stop between them. "
            "No threshold can do that: it lets all of them answer, or none. Take them together.",
        ),
        mistake(
            "zero for everything",
            zero_for_everything,
            "Where leaving everything unanswered is best you return 0.0. With null scores below 0 "
            "that answers everything. The threshold that answers nothing is -inf.",
        ),
        mistake(
            "never silent",
            never_silent,
            "Yours answers every question. Each unanswerable one then counts 0, although silence "
            "would have been right.",
        ),
        mistake(
            "always zero",
            always_zero,
            "You return 0 and search nothing. 0 means that the best span and [CLS] are even, and "
            "no one has told the model that these two scores are to be compared.",
        ),
        mistake(
            "only below",
            only_below,
            "Your search answers below the threshold, the rule answers at it too: the question "
            "that set your threshold falls on the other side when it is applied.",
        ),
        mistake(
            "turned round",
            turned_round,
            "You leave the low null scores unanswered. A high null score says that there is no "
            "answer; those are to be left.",
        ),
        mistake(
            "always silent",
            always_silent,
            "Yours leaves every question unanswered. It has to be given up where answering brings "
            "more: add up, at each score, what answers gain over silence.",
        ),
        mistake(
            "the last of equal scores",
            partial(searched, equal="the last alone"),
            "Of several questions with one null score you count the last alone. A threshold lets "
            "all of them answer, so what they bring is added up.",
        ),
        mistake(
            "gains turned round",
            partial(searched, gain="turned"),
            "You count what silence brings over an answer, and take the threshold where that is "
            "most: the worst one. An answer brings `answered` less `unanswered`.",
        ),
        mistake(
            "silence brings nothing",
            partial(searched, gain="answered alone"),
            "You count what an answer brings and not what silence would have brought, so every "
            "further answer seems to pay. Take `unanswered` off.",
        ),
        mistake(
            "added to silence",
            partial(searched, gain="sum"),
            "You add what an answer brings to what silence brings. A question gets one of the two: "
            "the difference is what an answer gains.",
        ),
        mistake(
            "answers where silence is best",
            partial(searched, nothing=math.inf),
            "Where no threshold beats leaving everything unanswered you answer everything. Begin "
            "with -inf: that is the threshold which leaves everything.",
        ),
        mistake(
            "from the top",
            partial(searched, order="falling"),
            "You go through the null scores from the highest down, as if a threshold let those "
            "above it answer. It is the low ones that answer first: sort upwards.",
        ),
        mistake(
            "each score by itself",
            partial(searched, step="by itself"),
            "You compare what each null score brings by itself. A threshold lets all lower ones "
            "answer too: add them up on the way.",
        ),
        mistake(
            "the last that pays",
            partial(searched, above="0"),
            "You keep the last threshold that is better than silence, not the best. Compare with "
            "the best so far, and remember it.",
        ),
        Misconception(
            "the total for the threshold",
            partial(searched, best_returned=True),
            "You return how much the best threshold gains over silence. Return the threshold.",
        ),
    ),
    hints=(
        "One number comes back; it may be -inf or inf. A question is left unanswered where its "
        "null score is greater than it.",
        "Only the order of the null scores matters, so a handful of candidates is enough: -inf, "
        "and each null score itself. Add up what each would bring.",
        "`max([-math.inf, *sorted(null_scores)], key=total)` with a function total(t) that adds "
        "`unanswered[i]` where `null_scores[i] > t` and `answered[i]` elsewhere.",
    ),
)
