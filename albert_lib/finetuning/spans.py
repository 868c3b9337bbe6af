"""From the scores of every start and end to the answer: the best span that an answer can be.

A span is possible if it starts and ends in the passage, does not end before it starts, is not too
long, holds at least one character, and starts where no other window shows its first token in better
context. Google's code takes the twenty best starts and the twenty best ends first and asks this
afterwards, and may be left without any. Here all possible spans are compared, so the best one is
always found, and there is one wherever the passage has a token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from albert_lib.errors import InputError
from albert_lib.finetuning.windows import SpanWindow
from albert_lib.text.aligned_tokens import AlignedTokens

MAX_TOKENS = 30  # of an answer; with 8,000 pieces one in a hundred of SQuAD's is longer
N_BEST = 20


class SpanScore(NamedTuple):
    """The tokens of a passage from `first` to `last`, both included, and a score.

    Example:
        >>> SpanScore(3, 4, score=7.5).score
        7.5
    """

    first: int
    last: int
    score: float


@dataclass(frozen=True)
class RankedAnswer:
    """A slice of the original passage, with its score and its probability among the n best.

    Example:
        >>> RankedAnswer("Sheep", 17, 22, score=5.5, probability=1.0).text
        'Sheep'
    """

    text: str
    start: int
    end: int
    score: float  # that of its start and that of its end, added
    probability: float


@dataclass(frozen=True)
class SpanPrediction:
    """The n best answers to a question, the best first, and the score of giving none.

    Attributes:
        answers: None of them empty, no text twice; there are none for a passage without tokens.
        null_score: Start and end at [CLS], the least over the windows: every window must prefer
            to say nothing.

    Example:
        >>> best = RankedAnswer("Sheep", 17, 22, score=5.5, probability=1.0)
        >>> prediction = SpanPrediction((best,), null_score=4.5)
        >>> prediction.text(), prediction.text(threshold=-2.0), prediction.null_margin
        ('Sheep', '', -1.0)
    """

    answers: tuple[RankedAnswer, ...]
    null_score: float

    @property
    def null_margin(self) -> float:
        """By how much no answer beats the best one; infinite where there is no other."""
        return self.null_score - self.answers[0].score if self.answers else math.inf

    @property
    def null_probability(self) -> float:
        """The margin as a number from 0 to 1, 0.5 for a tie: SQuAD 2.0's `na_prob`.

        Example:
            >>> SpanPrediction((), null_score=4.5).null_probability
            1.0
        """
        return 0.5 + 0.5 * math.tanh(self.null_margin / 2)  # the logistic function; no overflow

    def text(self, threshold: float = math.inf) -> str:
        """The best answer; "" where the null margin is above the threshold, or there is none.

        Without a threshold something is always answered, as SQuAD 1.1 wants it.
        """
        return "" if not self.answers or self.null_margin > threshold else self.answers[0].text


def predict_span(
    windows: Sequence[SpanWindow],
    start_scores: Sequence[Float[np.ndarray, "..."]],
    end_scores: Sequence[Float[np.ndarray, "..."]],
    *,
    max_tokens: int = MAX_TOKENS,
    n_best: int = N_BEST,
) -> SpanPrediction:
    """The best answers to one question.

    Args:
        windows: All windows of the question.
        start_scores: Of each window, one score a position; padding behind the input is not read.
        end_scores: Likewise.
        max_tokens: Of an answer, at most.
        n_best: Spans that are kept, before a text that comes again is left out.

    Raises:
        InputError: when there are no windows, they are of several questions, scores are too few or
            not finite, or `max_tokens` or `n_best` is below 1.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> windows = example_windows()
        >>> scores = [np.zeros(len(window.input_ids)) for window in windows]
        >>> scores[1][7] = 3.0
        >>> prediction = predict_span(windows, scores, scores, max_tokens=2)
        >>> prediction.text(), prediction.answers[0].score, prediction.null_score
        ('Sheep', 6.0, 0.0)
    """
    check_question(windows, max_tokens, n_best)
    _check_scores(windows, start_scores, end_scores)
    found: list[SpanScore] = []
    null_scores = []
    for window, starts, ends in zip(windows, start_scores, end_scores, strict=True):
        found += best_spans(window, starts, ends, max_tokens=max_tokens, n_best=n_best)
        null_scores.append(float(starts[0]) + float(ends[0]))
    return SpanPrediction(rank_answers(windows[0].passage, found, n_best), min(null_scores))


def is_possible(
    window: SpanWindow,
    first: Int[np.ndarray, "spans"],
    last: Int[np.ndarray, "spans"],
    max_tokens: int = MAX_TOKENS,
) -> Bool[np.ndarray, "spans"]:
    """Which spans an answer can be, by the positions of their first and last token in the input.

    For searches that propose spans themselves; `best_spans` looks at all.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> window = example_windows()[1]  # [CLS] who ? [SEP] old mill . Sheep [SEP]
        >>> is_possible(window, np.array([7, 7, 4, 0]), np.array([7, 6, 4, 0])).tolist()
        [True, False, False, False]
    """
    length = len(window.best_context)
    start, end = first - window.offset, last - window.offset
    inside = (start >= 0) & (end < length) & (start <= end) & (end - start < max_tokens)
    if not length:
        return inside
    start, end = np.clip(start, 0, length - 1), np.clip(end, 0, length - 1)
    seen = np.searchsorted(window.passage.visible, np.arange(length + 1) + window.first)
    return inside & window.best_context[start] & (seen[end + 1] > seen[start])


def best_spans(
    window: SpanWindow,
    start_scores: Float[np.ndarray, "..."],
    end_scores: Float[np.ndarray, "..."],
    *,
    max_tokens: int = MAX_TOKENS,
    n_best: int = N_BEST,
) -> list[SpanScore]:
    """The n best possible spans of one window, the best first; of equals, the one further left.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> window = example_windows()[1]
        >>> scores = np.arange(9.0)
        >>> best_spans(window, scores, scores, max_tokens=2, n_best=1)
        [SpanScore(first=5, last=5, score=14.0)]
    """
    length = len(window.best_context)
    width = min(max_tokens, length)
    first = np.repeat(np.arange(length), width) + window.offset
    last = first + np.tile(np.arange(width), length)
    possible = is_possible(window, first, last, max_tokens)
    first, last = first[possible], last[possible]
    scores = start_scores[first].astype(np.float64) + end_scores[last]
    return highest_spans(window, first, last, scores, n_best)


def highest_spans(
    window: SpanWindow,
    first: Int[np.ndarray, "spans"],
    last: Int[np.ndarray, "spans"],
    scores: Float[np.ndarray, "spans"],
    n_best: int,
) -> list[SpanScore]:
    """The n best of the spans between positions of a window, in tokens of the passage.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> first = last = np.array([7, 4])
        >>> highest_spans(example_windows()[1], first, last, np.array([1.0, 2.0]), n_best=1)
        [SpanScore(first=2, last=2, score=2.0)]
    """
    if len(scores) > n_best:  # sort few of them
        least = np.partition(scores, -n_best)[-n_best]
        enough = scores >= least
        first, last, scores = first[enough], last[enough], scores[enough]
    order = np.argsort(-scores, kind="stable")[:n_best]
    shift = window.first - window.offset
    return [SpanScore(int(first[i]) + shift, int(last[i]) + shift, float(scores[i])) for i in order]


def rank_answers(
    passage: AlignedTokens, found: Sequence[SpanScore], n_best: int
) -> tuple[RankedAnswer, ...]:
    """The n best of spans of one passage as answers, of equals the first; each text only once.

    Probabilities are those of a softmax over the answers that are returned.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> passage = example_windows()[0].passage
        >>> spans = [SpanScore(1, 2, 0.0), SpanScore(2, 2, 0.0), SpanScore(2, 2, -1.0)]
        >>> [(answer.text, answer.probability) for answer in rank_answers(passage, spans, n_best=3)]
        [('the old', 0.5), ('old', 0.5)]
    """
    best: dict[str, tuple[int, int, float]] = {}
    for span in sorted(found, key=lambda span: -span.score)[:n_best]:
        start, end = passage.characters_of(span.first, span.last)
        best.setdefault(passage.text[start:end], (start, end, span.score))
    weights = softmax([score for _, _, score in best.values()])
    return tuple(
        RankedAnswer(text, start, end, score, weight)
        for (text, (start, end, score)), weight in zip(best.items(), weights, strict=True)
    )


def softmax(scores: Sequence[float]) -> list[float]:
    """Scores, the highest first, as probabilities.

    Example:
        >>> softmax([1000.0, 1000.0])
        [0.5, 0.5]
    """
    weights = [math.exp(score - scores[0]) for score in scores]
    return [weight / sum(weights) for weight in weights]


def check_question(windows: Sequence[SpanWindow], max_tokens: int, n_best: int) -> None:
    """Raise InputError unless windows are those of one question, and the limits at least 1.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> check_question(example_windows(), MAX_TOKENS, N_BEST)
    """
    if min(max_tokens, n_best) < 1:
        raise InputError(f"max_tokens is {max_tokens} and n_best {n_best}; make both at least 1.")
    if len({window.question for window in windows}) != 1:
        raise InputError("Give windows of exactly one question, and all of them.")


def _check_scores(
    windows: Sequence[SpanWindow],
    start_scores: Sequence[Float[np.ndarray, "..."]],
    end_scores: Sequence[Float[np.ndarray, "..."]],
) -> None:
    """Raise InputError for scores that `predict_span` cannot answer from."""
    if not len(windows) == len(start_scores) == len(end_scores):
        raise InputError(
            f"There are {len(windows)} windows, but {len(start_scores)} rows of start scores and "
            f"{len(end_scores)} of end scores; give one of each for every window."
        )
    for window, *scores in zip(windows, start_scores, end_scores, strict=True):
        for row in scores:
            needed = len(window.input_ids)
            if row.ndim != 1 or len(row) < needed:
                raise InputError(
                    f"Scores of shape {row.shape} are not one for each of {needed} tokens."
                )
            passage = slice(window.offset, window.offset + len(window.best_context))
            if not (np.isfinite(row[0]) and np.isfinite(row[passage]).all()):
                raise InputError(
                    f"Scores of question {window.question} at [CLS] or in its passage are NaN or "
                    f"infinite; find out where in the model that begins."
                )
