"""From which null score on a question of SQuAD 2.0 is left unanswered.

A model gives every question its best span and a null score, higher where an answer is less likely.
The threshold is the one at which the given questions score best, as in the official script's
search. What differs here:

- Candidates are the middles between two neighbouring null scores, and both infinities: leave
  everything or nothing unanswered. The script takes the scores themselves, goes through questions
  of one score one by one, and calls leaving everything unanswered 0.0; so it can report a best
  score that no threshold reaches. Here the threshold reaches what is reported.
- A question is left unanswered where its null score is greater than the threshold, while searching
  and while scoring (`score_squad`). The paper's code answers only below it, so that the question
  that set it falls on the other side.
- What a prediction gets is the same in the search and in the scoring. The script's search holds
  any text for wrong where there is no answer, its scoring not one that normalises to nothing.

Choose it on questions that the model was not trained on and is not reported on, such as some of the
training file's articles. Chosen on the dev set, as published scores are, it is part of the best
that could be reported there: say so beside the number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from albert_lib.finetuning.squad import SquadFile
from albert_lib.finetuning.squad_scoring import (
    SquadScores,
    null_score,
    score_questions,
    score_squad,
    score_without_answer,
)

Metric = Literal["exact_match", "f1"]
ROUNDING = 1e-9  # sums of scores that differ by no more are equal


@dataclass(frozen=True)
class NullThreshold:
    """A threshold, and what the questions score with it that it was chosen on.

    Example:
        >>> from albert_lib.finetuning import MeanScores, NullThreshold, SquadScores
        >>> mean = MeanScores(70.0, 75.0, n_questions=10)
        >>> NullThreshold(0.5, SquadScores("2.0", mean, mean, None)).scores.overall.f1
        75.0
    """

    value: float  # −inf: leave everything unanswered, inf: nothing
    scores: SquadScores


def choose_null_threshold(
    data: SquadFile,
    predictions: Mapping[str, str],
    null_scores: Mapping[str, float],
    metric: Metric = "f1",
) -> NullThreshold:
    """The threshold at which these questions score best; of several, the lowest.

    `predictions` are best spans, also of questions that will be left unanswered. The value goes
    to `score_squad`. Raises InputError for a missing prediction or null score, naming the
    question, and for version 1.1.

    Example:
        >>> from albert_lib.finetuning import Answer, SquadFile, SquadQuestion
        >>> from albert_lib.finetuning import choose_null_threshold
        >>> one = SquadQuestion("1", "It flows north.", "Where to?", (Answer("north", 9),))
        >>> none = SquadQuestion("2", "It flows north.", "How fast?", ())
        >>> predictions, null_scores = {"1": "North", "2": "north"}, {"1": -3.0, "2": 1.0}
        >>> chosen = choose_null_threshold(SquadFile("2.0", (one, none)), predictions, null_scores)
        >>> chosen.value, chosen.scores.overall.f1
        (-1.0, 100.0)
    """
    of_answers = score_questions(data, predictions)
    value = best_threshold(
        [null_score(data, question, null_scores) for question in data.questions],
        [getattr(of_answers[question.id], metric) for question in data.questions],
        [getattr(score_without_answer(question), metric) for question in data.questions],
    )
    return NullThreshold(value, score_squad(data, predictions, null_scores, value))


def best_threshold(
    null_scores: Sequence[float], answered: Sequence[float], unanswered: Sequence[float]
) -> float:
    """The lowest threshold at which the scores of all questions add up to the most.

    A question counts `unanswered` where its null score is greater than the threshold, else
    `answered`. −inf leaves everything unanswered, inf nothing.

    Example:
        >>> from albert_lib.finetuning.null_threshold import best_threshold
        >>> best_threshold([-3.0, 1.0], answered=[1.0, 0.0], unanswered=[0.0, 1.0])
        -1.0
    """
    total = 0.0  # beside that of leaving everything unanswered, while the threshold rises
    gains: dict[float, float] = defaultdict(float)  # by null score, from answering after all
    for score, if_answered, if_not in zip(null_scores, answered, unanswered, strict=True):
        gains[score] += if_answered - if_not
    best, value = total, -math.inf
    steps = sorted(gains)
    for score, following in zip(steps, [*steps[1:], math.inf], strict=True):
        total += gains[score]
        if total > best + ROUNDING:
            best, value = total, middle(score, following)
    return value


def middle(low: float, high: float) -> float:
    """A number from `low` on and below `high`, half-way where there is one.

    Example:
        >>> from albert_lib.finetuning.null_threshold import middle
        >>> middle(1.0, 2.0), middle(1.0, float("inf"))
        (1.5, inf)
    """
    if math.isinf(high):
        return high
    half = low / 2 + high / 2
    return half if low <= half < high else low
