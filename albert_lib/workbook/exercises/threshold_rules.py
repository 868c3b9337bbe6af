"""What a threshold of no answer must keep: nothing scores more than it reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from albert_lib.workbook.exercise import Arguments, Fault, Trial

ROUNDING = 1e-9


def reached(arguments: Arguments, threshold: float) -> float:
    """The sum over all questions, with those above the threshold left unanswered."""
    return sum(
        if_not if score > threshold else if_answered
        for score, if_answered, if_not in zip(
            arguments["null_scores"], arguments["answered"], arguments["unanswered"], strict=True
        )
    )


def decides_like(wrong: Callable[..., float], trials: Sequence[Trial]) -> bool:
    """Whether thresholds leave the same questions unanswered as a mistake's, which loses by it."""
    loses = False
    for trial in trials:
        mistaken = wrong(**trial.arguments)
        if left(trial.arguments, trial.answer) != left(trial.arguments, mistaken):
            return False
        best = reached(trial.arguments, trial.expected)
        loses |= reached(trial.arguments, mistaken) < best - ROUNDING
    return loses


def left(arguments: Arguments, threshold: float) -> list[bool]:
    """Which questions are left unanswered."""
    return [score > threshold for score in arguments["null_scores"]]


def judge_thresholds(trials: Sequence[Trial]) -> Fault | None:
    """The smallest input on which another threshold reaches more."""
    poor = [
        trial
        for trial in trials
        if reached(trial.arguments, trial.answer)
        < reached(trial.arguments, trial.expected) - ROUNDING
    ]
    if not poor:
        return None
    trial = poor[0]
    return Fault(
        f"On {len(poor)} of {len(trials)} inputs another threshold scores more. On the simplest, "
        f"yours reaches {reached(trial.arguments, trial.answer):g}, and "
        f"{trial.expected:g} reaches {reached(trial.arguments, trial.expected):g}.",
        trial,
    )
