"""Exercises of chapter 5: pretraining."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.training.recipe import warmup_linear
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial, apart
from albert_lib.workbook.exercises.lamb_exercise import LAMB
from albert_lib.workbook.exercises.loop_exercise import TRAINING_STEPS
from albert_lib.workbook.exercises.loss_exercises import BITS, PERPLEXITY


def a_step(step: int, peak: float, warmup_steps: int, total_steps: int) -> dict[str, Any]:
    """The arguments of the schedule in their order."""
    names = ("step", "peak", "warmup_steps", "total_steps")
    return dict(zip(names, (step, peak, warmup_steps, total_steps), strict=True))


def draw_schedule_step(rng: np.random.Generator) -> dict[str, Any]:
    """A step of a short run, often one where the line bends or ends."""
    total = int(rng.integers(1, 13)) if rng.random() < 0.7 else int(rng.integers(100, 1001))
    warmup = int(rng.choice([0, 1, total // 2, total, int(rng.integers(total + 1))]))
    bends = [0, 1, warmup - 1, warmup, warmup + 1, total - 1, total, total + 1]
    step = int(rng.choice(bends)) if rng.random() < 0.5 else int(rng.integers(total + 1))
    return a_step(max(0, step), float(rng.choice([1.0, 0.25, 0.00176])), warmup, total)


def schedule_ends(rng: np.random.Generator) -> Sequence[Arguments]:
    """First and last steps: of a run without warm-up, with one step of it, and with no more."""
    return [a_step(step, 1.0, warmup, 4) for warmup in (0, 1, 4) for step in (0, 1, 2, 3, 4, 5)] + [
        a_step(0, 1.0, 0, 1),
        a_step(0, 1.0, 1, 1),
        a_step(1, 1.0, 1, 1),
    ]


def schedule_like(
    step: int,
    *,
    peak: float,
    warmup_steps: int,
    total_steps: int,
    first: int = 0,
    climb: Literal["line", "none", "square"] = "line",
    fall: Literal["line", "none", "from the start", "late", "early", "cosine"] = "line",
    stops_at_zero: bool = True,
    scaled: bool = True,
    climb_ends: float = 1.0,
    fall_begins: float = 1.0,
    after: float = 0.0,
) -> float:
    """The schedule with one part exchanged."""
    step += first
    peak = peak if scaled else 1.0
    if step < warmup_steps and climb != "none":
        share = step / warmup_steps
        return climb_ends * peak * (share * share if climb == "square" else share)
    if fall == "none":
        return peak
    if step >= total_steps and after:
        return after * peak
    peak = fall_begins * peak
    done, length = step - warmup_steps, total_steps - warmup_steps
    if fall == "from the start" or climb == "none":
        done, length = step, total_steps
    elif fall == "late":
        length = total_steps
    elif fall == "early":
        length -= 1
    left = (length - done) / max(1, length)
    if stops_at_zero:
        left = max(0.0, left)
    if fall == "cosine":
        left = (1 - math.cos(math.pi * left)) / 2
    return peak * left


def phase(trial: Trial) -> str:
    """Where in its run a step lies: in the climb, the fall, or behind the end."""
    step, end = trial.arguments["step"], trial.arguments["total_steps"]
    if step < trial.arguments["warmup_steps"]:
        return "climb"
    return "fall" if step < end else "end"


def wrong_in(trials: Sequence[Trial], *phases: str) -> bool:
    """Whether just these phases hold wrong answers."""
    return {phase(each) for each in apart(trials, 1e-9)} == set(phases)


def first_wrong_rate(trials: Sequence[Trial]) -> str:
    """The simplest wrong rate beside the right one."""
    for trial in apart(trials, 1e-9):
        step, peak, warmup, total = trial.arguments.values()
        return (
            f"With a peak of {peak:g}, {warmup} steps of warm-up and {total} in all, the rate of "
            f"step {step} is {trial.expected:.4g}, and yours {trial.answer:.4g}. "
        )
    return ""


def a_rate_below_zero(trials: Sequence[Trial]) -> str:
    """The first negative rate that was answered, and where."""
    for trial in trials:
        if trial.answer < 0:
            step, total = trial.arguments["step"], trial.arguments["total_steps"]
            return f", at step {step} of {total} to {trial.answer:.3g}"
    return ""


def part(
    name: str, phases: tuple[str, ...], wrong: Callable[..., float], beginning: str, rule: str
) -> Misconception:
    """A misconception about some phases of the schedule, where all others are right."""
    return Misconception(
        name,
        wrong,
        lambda trials: f"{beginning} {first_wrong_rate(trials)}{rule}",
        lambda trials: wrong_in(trials, *phases),
    )


SCHEDULE = Exercise(
    id="5.2",
    title="Up and down again",
    difficulty=1,
    minutes=10,
    points=2,
    solution=warmup_linear,
    draw=draw_schedule_step,
    borders=schedule_ends,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "counted from 1",
            partial(schedule_like, first=1),
            "You count the steps from 1. Step 0 is the first here, and its rate is 0; the peak "
            "stands at step warmup_steps and the 0 at total_steps.",
        ),
        Misconception(
            "no warm-up",
            partial(schedule_like, climb="none"),
            "Your rate begins at the peak and falls from there: the warm-up is missing. Below "
            "warmup_steps the rate is that share of the peak which step is of warmup_steps.",
        ),
        Misconception(
            "warm-up by the square",
            partial(schedule_like, climb="square"),
            "Your warm-up starts flat and steepens. It is a straight line: half-way through, "
            "half of the peak.",
        ),
        Misconception(
            "fall from step 0",
            partial(schedule_like, fall="from the start"),
            "Your line falls from step 0 on, under the warm-up, so that the rate drops when the "
            "warm-up ends: from the peak to (1 - warmup_steps / total_steps) of it. Google's own "
            "code does this too. Here the fall begins at the peak: only the steps after the "
            "warm-up count.",
        ),
        Misconception(
            "fall too slow",
            partial(schedule_like, fall="late"),
            "You spread the fall over total_steps steps, but warmup_steps of them are gone when "
            "it begins: at the last step your rate is still above 0. Divide by total_steps - "
            "warmup_steps.",
        ),
        Misconception(
            "fall one step too soon",
            partial(schedule_like, fall="early"),
            "Your rate is 0 one step before total_steps, so the run's last step moves nothing. "
            "The line ends at total_steps, which is the first step that isn't taken.",
        ),
        Misconception(
            "no fall",
            partial(schedule_like, fall="none"),
            "Your rate stays at the peak when the warm-up is over. From there it falls in a "
            "straight line, to 0 at total_steps.",
        ),
        Misconception(
            "cosine",
            partial(schedule_like, fall="cosine"),
            "That is the cosine schedule, which many later models use. ALBERT's falls in a "
            "straight line.",
        ),
        Misconception(
            "below zero",
            partial(schedule_like, stops_at_zero=False),
            lambda trials: (
                "Your line goes on below zero when the run is over"
                f"{a_rate_below_zero(trials)}, and a step at a negative rate climbs. From "
                "total_steps on the rate is 0."
            ),
        ),
        Misconception(
            "peak left out",
            partial(schedule_like, scaled=False),
            "Your rate is a share, from 0 to 1. Multiply it by the peak.",
        ),
        part(
            "climb",
            ("climb",),
            partial(schedule_like, climb_ends=0.5),
            "Your warm-up is wrong, and everything behind it right.",
            "It is the peak times that share of the warm-up which is done, step / warmup_steps.",
        ),
        part(
            "fall",
            ("fall",),
            partial(schedule_like, fall_begins=0.5),
            "Your fall is wrong, and everything else right.",
            "It is the peak times that share of the steps behind the warm-up which is left.",
        ),
        part(
            "end",
            ("end",),
            partial(schedule_like, after=0.1),
            "Your rate is right until the run is over, and wrong from there.",
            "From total_steps on it is 0.",
        ),
        part(
            "fall and end",
            ("end", "fall"),
            partial(schedule_like, fall_begins=0.5, after=0.1),
            "Your warm-up is right, and all that follows it wrong.",
            "From the peak at warmup_steps the rate falls in a straight line to 0 at total_steps, "
            "where it stays.",
        ),
    ),
    hints=(
        "One number comes back, a float. Four numbers come in; step counts from 0 and may lie "
        "behind the end of the run.",
        "Two straight lines that meet at the peak. Below warmup_steps: which share of the warm-up "
        "is done? From there on: which share of the steps after the warm-up is left? Mind a "
        "warm-up of 0 steps, and one that is the whole run.",
        "`peak * step / warmup_steps` where `step < warmup_steps`, else `peak * max(0, "
        "total_steps - step) / max(1, total_steps - warmup_steps)`.",
    ),
)

EXERCISES = (LAMB, SCHEDULE, TRAINING_STEPS, PERPLEXITY, BITS)
