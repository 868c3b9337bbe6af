"""Exercise 6.5: an interval by resampling."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.probing.intervals import bootstrap_ends
from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial, apart

Values = np.ndarray


def draw_values(rng: np.random.Generator) -> dict[str, Any]:
    """The gaps of a few templates, often lopsided, and how to resample them."""
    n = int(rng.integers(1, 9))
    values = rng.normal(size=n) + rng.exponential(2.0, size=n) * (rng.random() < 0.5)
    return {
        "values": values.round(2),
        "rng": np.random.default_rng(int(rng.integers(1_000_000))),
        "confidence": float(rng.choice([0.5, 0.8, 0.9, 0.95])),
        "resamples": int(rng.choice([1, 10, 50, 200])),
    }


def one_value_and_equal_ones(rng: np.random.Generator) -> Sequence[Arguments]:
    """A single value, which has no spread, two, and several that are equal."""
    return [
        {"values": np.array(values), "rng": np.random.default_rng(number), "confidence": 0.9}
        | {"resamples": 20}
        for number, values in enumerate(([1.5], [0.0, 1.0], [2.0, 2.0, 2.0]))
    ]


Draw = Literal["replaced", "not replaced", "without the last", "one fewer"]
Ends = Literal[
    "quantiles",
    "one-sided",
    "extremes",
    "two deviations",
    "high too far",
    "low too far",
    "thirds",
]


def positions(n: int, rng: np.random.Generator, resamples: int, draw: Draw) -> Values:
    """Which of `n` values each resample holds."""
    if draw == "not replaced":
        return np.stack([rng.permutation(n) for _ in range(resamples)])
    if draw == "without the last":
        return rng.integers(max(1, n - 1), size=(resamples, n))
    return rng.integers(n, size=(resamples, n - 1 if draw == "one fewer" and n > 1 else n))


def bootstrap_like(
    values: Values,
    rng: np.random.Generator,
    *,
    confidence: float,
    resamples: int,
    draw: Draw = "replaced",
    of: Literal["means", "values", "medians", "sums", "columns", "one mean"] = "means",
    ends: Ends = "quantiles",
    known: Literal["of two and more", "never", "of one alone"] = "of two and more",
    alone: float = math.inf,
    fewest: int = 2,
    exchanged: bool = False,
) -> tuple[float, float]:
    """The ends of the bootstrap interval with one part exchanged."""
    n = len(values)
    if {"never": True, "of one alone": n > 1}.get(known, n < fewest):
        return (alone, -alone) if exchanged else (-alone, alone)
    drawn = positions(n, rng, resamples, draw)
    resampled = values[drawn]
    if of != "values":
        summary = np.median if of == "medians" else np.mean
        axis = {"columns": 0, "one mean": None}.get(of, 1)
        resampled = summary(resampled, axis=axis)
        if of == "sums":
            resampled = resampled * drawn.shape[1]
    if ends == "extremes":
        return float(resampled.min()), float(resampled.max())
    if ends == "two deviations":
        mean, margin = values.mean(), 2 * resampled.std()
        return float(mean - margin), float(mean + margin)
    outside = (1 - confidence) / {"one-sided": 1, "thirds": 3}.get(ends, 2)
    lower, upper = float(ends != "low too far"), float(ends != "high too far")
    low, high = np.quantile(resampled, [lower * outside, 1 - upper * outside]).tolist()
    return (high, low) if exchanged else (low, high)


def only_this_end(trials: Sequence[Trial], place: int) -> bool:
    """The other end is right everywhere."""
    other = 1 - place
    return all(same(each.expected[other], each.answer[other], 1e-9) for each in trials)


def levels(trial: Trial) -> list[tuple[float, float]] | None:
    """Which quantiles of the resamples' means either end is, from one to another where many are.

    None where an end lies outside.
    """
    values, rng, _, resamples = copy.deepcopy(tuple(trial.arguments.values()))
    means = np.sort(values[rng.integers(len(values), size=(resamples, len(values)))].mean(axis=1))
    found = []
    for end in trial.answer:
        if not means[0] - 1e-9 <= end <= means[-1] + 1e-9:
            return None
        equal = np.flatnonzero(abs(means - end) < 1e-9)
        between = float(np.interp(end, means, np.arange(resamples)))
        places = (equal[0], equal[-1]) if len(equal) else (between, between)
        most = max(1, resamples - 1)
        found.append((0.0, 1.0) if resamples == 1 else (places[0] / most, places[1] / most))
    return found


def other_levels(trials: Sequence[Trial]) -> list[Trial]:
    """The wrong answers, if all are quantiles of the right means that lie evenly, else none."""
    wrong = apart(trials, 1e-9)
    for trial in wrong:
        found = levels(trial) if len(trial.arguments["values"]) > 1 else None
        if found is None:
            return []
        (least, most), (other_least, other_most) = found
        if not max(least, 1 - other_most) <= min(most, 1 - other_least) + 1e-6:
            return []
    return wrong


def which_levels(trials: Sequence[Trial]) -> str:
    """The quantiles that were answered, where the means tell them best."""
    wrong = [(each, levels(each) or []) for each in other_levels(trials)]
    trial, found = min(wrong, key=lambda each: sum(most - least for least, most in each[1]))
    low, high = (sum(places) / 2 for places in found)
    return (
        "Your ends are quantiles of the right means, but not the ones asked for: at a confidence "
        f"of {trial.arguments['confidence']:g} yours are those at {low:.2f} and {high:.2f}. On "
        "either side lies half of 1 - confidence."
    )


def only_a_single_value(trials: Sequence[Trial]) -> bool:
    """Everything is right but for samples of one value."""
    return all(len(each.arguments["values"]) == 1 for each in apart(trials, 1e-9))


BOOTSTRAP = Exercise(
    id="6.5",
    title="Drawn again and again",
    difficulty=2,
    minutes=15,
    points=3,
    solution=bootstrap_ends,
    draw=draw_values,
    borders=one_value_and_equal_ones,
    leaves_inputs=True,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "drawn without replacement",
            partial(bootstrap_like, draw="not replaced"),
            "Your interval has no width: both ends are the sample's own mean. So it comes out "
            "where resamples are drawn without replacement, as the same values in another order. "
            "Draw with replacement: some values twice, others not at all.",
        ),
        Misconception(
            "last value never drawn",
            partial(bootstrap_like, draw="without the last"),
            "Your last value is never drawn: the upper end of rng.integers doesn't belong to it. "
            "rng.integers(len(values), ...) gives 0 to len(values) - 1.",
        ),
        Misconception(
            "one value fewer",
            partial(bootstrap_like, draw="one fewer"),
            "Your resamples hold one value fewer than the sample, so their means spread more. "
            "A resample is as large as the sample.",
        ),
        Misconception(
            "quantiles of the values",
            partial(bootstrap_like, of="values"),
            "You take the quantiles of the single values: that is where a template lies, and it "
            "stays as wide however many there are. Take the mean of each resample first.",
        ),
        Misconception(
            "medians",
            partial(bootstrap_like, of="medians"),
            "You take the median of each resample, and the interval is about the mean.",
        ),
        Misconception(
            "all of it on each side",
            partial(bootstrap_like, ends="one-sided"),
            "You leave 1 - confidence outside on each side, twice as much as promised: at 95 % it "
            "is 2.5 % on either side.",
        ),
        Misconception(
            "smallest and largest",
            partial(bootstrap_like, ends="extremes"),
            "You return the smallest and the largest mean. They move apart with every further "
            "resample; the quantiles settle.",
        ),
        Misconception(
            "two standard deviations",
            partial(bootstrap_like, ends="two deviations"),
            "You go two standard deviations of the means to either side. That assumes a bell, and "
            "always 95 %. The percentile interval takes its ends where the means themselves lie.",
        ),
        Misconception(
            "one value",
            partial(bootstrap_like, fewest=0),
            "From a single value you make an interval of no width, as if nothing could be surer. "
            "Nothing is known about its spread: return -math.inf and math.inf.",
        ),
        Misconception(
            "two values",
            partial(bootstrap_like, fewest=3),
            "Your ends are infinite for two values too. Two have a spread, if a poor one: only a "
            "single value has none.",
        ),
        Misconception(
            "sums",
            partial(bootstrap_like, of="sums"),
            "You add up each resample. The interval is about the mean: divide by how many values "
            "a resample has.",
        ),
        Misconception(
            "means over the resamples",
            partial(bootstrap_like, of="columns"),
            "You average over the resamples, a mean for every position in the sample. It is the "
            "other way: one mean a resample, so over axis 1.",
        ),
        Misconception(
            "one mean of all",
            partial(bootstrap_like, of="one mean"),
            "Both of your ends are the same: you take one mean over all resamples together. Each "
            "resample has a mean of its own, so over axis 1, and the interval is made of these.",
        ),
        Misconception(
            "always infinite",
            partial(bootstrap_like, known="never"),
            "Your ends are infinite, whatever the values. Only a single value has no spread; from "
            "two on, draw.",
        ),
        Misconception(
            "condition turned round",
            partial(bootstrap_like, known="of one alone"),
            "You have the condition the wrong way round: your ends are infinite where there are "
            "values to draw from, and finite for a single one.",
        ),
        Misconception(
            "ends exchanged",
            partial(bootstrap_like, exchanged=True),
            "Your ends are exchanged: the low one comes first.",
        ),
        Misconception(
            "high end",
            partial(bootstrap_like, ends="high too far"),
            "Your low end is right, and the high one isn't: it is the quantile at 1 - outside of "
            "the same means.",
            partial(only_this_end, place=1),
        ),
        Misconception(
            "low end",
            partial(bootstrap_like, ends="low too far"),
            "Your high end is right, and the low one isn't: it is the quantile at outside, "
            "(1 - confidence) / 2, of the same means.",
            partial(only_this_end, place=0),
        ),
        Misconception(
            "a single value",
            partial(bootstrap_like, alone=0.0),
            "Your interval is right but for a single value. Its spread is unknown, so the ends are "
            "-math.inf and math.inf.",
            only_a_single_value,
        ),
        Misconception(
            "other quantiles",
            partial(bootstrap_like, ends="thirds"),
            which_levels,
            lambda trials: bool(other_levels(trials)),
        ),
    ),
    hints=(
        "An array of values comes in, and a tuple of two floats goes out. rng.integers(n, "
        "size=(resamples, n)) is a table of positions, a row a resample.",
        "Every resample is as large as the sample and drawn from it with replacement. Take the "
        "mean of each, and of those means the two quantiles between which `confidence` of them "
        "lie. A single value has no spread: infinite ends.",
        "`means = values[rng.integers(n, size=(resamples, n))].mean(axis=1)`, then "
        "`np.quantile(means, [outside, 1 - outside])` with `outside = (1 - confidence) / 2`.",
    ),
)
