"""Ways to look for the best span that go wrong, and which rule an answer breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from albert_lib.workbook.exercise import Trial, apart

Scores = np.ndarray
Span = tuple[int, int]
Outside = float | Literal["its own"]


def span_like(
    starts: Scores,
    ends: Scores,
    allowed: Scores,
    max_tokens: int = 30,
    *,
    outside: tuple[Outside, Outside] = (-np.inf, -np.inf),
    weights: tuple[int, int] = (1, 1),
    ends_alone: bool = False,
    shortest: int = 1,
    longer: int = 0,
    counted_from: int | None = None,
    impossible: float = -np.inf,
    best: Literal["highest", "lowest", "lowest possible"] = "highest",
    returned: tuple[int, int] = (0, 1),
    behind: int = 0,
) -> Span:
    """`best_span` with one part exchanged, or several; `outside` is what starts and ends score."""
    starts = ends if ends_alone else starts
    one, other = (
        each if score == "its own" else np.where(allowed, each, score)
        for each, score in zip((starts, ends), outside, strict=True)
    )
    from_starts, from_ends = (
        np.where(np.isfinite(each), weight * np.nan_to_num(each), -np.inf)
        for weight, each in zip(weights, (one, other), strict=True)
    )
    sums = from_starts[:, None] + from_ends[None, :]
    first, last = np.indices(sums.shape)
    begun = first if counted_from is None else counted_from
    long = last - begun >= max_tokens + longer
    sums[(last - first + 1 < shortest) | long] = impossible
    if best == "lowest possible":
        sums = -np.where(np.isfinite(sums), sums, np.inf)
    chosen = sums.argmin() if best == "lowest" else sums.argmax()
    found = np.unravel_index(chosen, sums.shape)
    return int(found[returned[0]]), int(found[returned[1]]) + behind


def each_by_itself(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The best start and the best end, without a look at each other."""
    within = [np.where(allowed, scores, -np.inf) for scores in (starts, ends)]
    return int(within[0].argmax()), int(within[1].argmax())


def start_first(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The best start, then the best end that goes with it."""
    first, _ = each_by_itself(starts, ends, allowed)
    from_first = np.where(np.arange(len(starts)) == first, starts, -1e6)
    return span_like(from_first, ends, allowed, max_tokens)


def end_first(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The best end, then the best start that goes with it."""
    _, last = each_by_itself(starts, ends, allowed)
    to_last = np.where(np.arange(len(ends)) == last, ends, -1e6)
    return span_like(starts, to_last, allowed, max_tokens)


def whole_input(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """From the first position to the last, whatever they hold."""
    return 0, len(starts) - 1


def whole_passage(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """All that is allowed."""
    positions = np.flatnonzero(allowed)
    return int(positions[0]), int(positions[-1])


def backwards(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """All that is allowed, from its end."""
    first, last = whole_passage(starts, ends, allowed)
    return last, first


def first_token(starts: Scores, ends: Scores, allowed: Scores, max_tokens: int = 30) -> Span:
    """The first token of the passage."""
    first, _ = whole_passage(starts, ends, allowed)
    return first, first


def reaches_outside(trials: Sequence[Trial]) -> bool:
    """Whether a start or an end is no position that is allowed."""
    return any(not _allowed(each) for each in trials)


def ends_before_it_starts(trials: Sequence[Trial]) -> bool:
    """Whether a span's end comes before its start."""
    return any(each.answer[1] < each.answer[0] for each in trials)


def too_long(trials: Sequence[Trial]) -> bool:
    """Whether a span holds more tokens than it may."""
    return any(_tokens(each) > each.arguments["max_tokens"] for each in trials)


def another_is_better(trials: Sequence[Trial]) -> bool:
    """Whether every answer is a span that may be given, and some are not the best."""
    possible = all(
        _allowed(each) and 1 <= _tokens(each) <= each.arguments["max_tokens"] for each in trials
    )
    return possible and any(_sum(each, each.answer) < _sum(each, each.expected) for each in trials)


def which_is_better(trials: Sequence[Trial]) -> str:
    """The simplest answer that is beaten, and by what."""
    trial = apart(trials)[0]
    return (
        "Every one of your spans may be given, but another has a higher sum: on the simplest such "
        f"input yours, {trial.answer}, comes to {_sum(trial, trial.answer):.2f} and "
        f"{trial.expected} to {_sum(trial, trial.expected):.2f}. Which pairs do you leave out, and "
        "what do you compare?"
    )


def _allowed(trial: Trial) -> bool:
    allowed = trial.arguments["allowed"]
    return all(0 <= each < len(allowed) and allowed[each] for each in trial.answer)


def _tokens(trial: Trial) -> int:
    return int(trial.answer[1] - trial.answer[0] + 1)


def _sum(trial: Trial, span: Span) -> float:
    starts, ends, *_ = trial.arguments.values()
    return float(starts[span[0]] + ends[span[1]])
