"""What a threshold of no answer must keep: nothing scores more than it reaches."""

from __future__ import annotations

from collections.abc import Sequence

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
