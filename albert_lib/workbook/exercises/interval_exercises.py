"""Exercises 6.8 and 6.10: an interval by resampling, and p-values of many questions at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.probing.corrections import holm
from albert_lib.probing.intervals import bootstrap_ends
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception

Values = np.ndarray


# -- 6.8: the bootstrap


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


def bootstrap_like(
    values: Values,
    rng: np.random.Generator,
    *,
    confidence: float,
    resamples: int,
    draw: Literal["replaced", "not replaced", "without the last", "one fewer"] = "replaced",
    of: Literal["means", "values", "medians"] = "means",
    ends: Literal["quantiles", "one-sided", "extremes", "two deviations"] = "quantiles",
    guarded: bool = True,
) -> tuple[float, float]:
    """The ends of the bootstrap interval with one part exchanged."""
    n = len(values)
    if n < 2 and guarded:
        return -math.inf, math.inf
    if draw == "not replaced":
        drawn = np.stack([rng.permutation(n) for _ in range(resamples)])
    elif draw == "without the last":
        drawn = rng.integers(max(1, n - 1), size=(resamples, n))
    else:
        drawn = rng.integers(n, size=(resamples, n - 1 if draw == "one fewer" and n > 1 else n))
    resampled = values[drawn]
    if of == "means":
        resampled = resampled.mean(axis=1)
    elif of == "medians":
        resampled = np.median(resampled, axis=1)
    if ends == "extremes":
        return float(resampled.min()), float(resampled.max())
    if ends == "two deviations":
        mean, margin = values.mean(), 2 * resampled.std()
        return float(mean - margin), float(mean + margin)
    outside = (1 - confidence) if ends == "one-sided" else (1 - confidence) / 2
    low, high = np.quantile(resampled, [outside, 1 - outside])
    return float(low), float(high)


BOOTSTRAP = Exercise(
    id="6.8",
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
            "You draw without replacement, so each resample is the same values in another order, "
            "all means are equal, and your interval has no width. Draw with replacement: some "
            "values twice, others not at all.",
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
            partial(bootstrap_like, guarded=False),
            "From a single value you make an interval of no width, as if nothing could be surer. "
            "Nothing is known about its spread: return -math.inf and math.inf.",
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


# -- 6.10: Holm's correction


def draw_p_values(rng: np.random.Generator) -> dict[str, Any]:
    """A few p-values, some of them small, some equal, in no order."""
    n = int(rng.integers(1, 9))
    values = rng.random(n) * rng.choice([0.02, 0.2, 1.0], size=n)
    return {"p_values": rng.permutation(values.round(3))}


def certain_and_equal(rng: np.random.Generator) -> Sequence[Arguments]:
    """One test alone, the two ends of the scale, equal ones, and one that would pass a smaller."""
    cases = ([0.04], [0.0, 1.0], [1.0, 0.0, 0.5], [0.3, 0.3], [0.02, 0.021, 0.022], [0.9, 0.1, 0.8])
    return [{"p_values": np.array(case)} for case in cases]


def holm_like(
    p_values: Values,
    *,
    factors: Literal["falling", "all", "rising", "divided"] = "falling",
    in_order: Literal["from the smallest", "not", "from the largest"] = "from the smallest",
    capped: bool = True,
    placed: Literal["back", "sorted", "by order"] = "back",
) -> Values:
    """Holm's p-values with one part exchanged."""
    n = len(p_values)
    order = np.argsort(p_values)
    many = {
        "falling": np.arange(n, 0, -1),
        "all": np.full(n, n),
        "rising": np.arange(1, n + 1),
        "divided": n / np.arange(1, n + 1),
    }[factors]
    stepped = p_values[order] * many
    if in_order == "from the smallest":
        stepped = np.maximum.accumulate(stepped)
    elif in_order == "from the largest":
        stepped = np.minimum.accumulate(stepped[::-1])[::-1]
    if capped:
        stepped = np.minimum(1.0, stepped)
    if placed == "sorted":
        return stepped
    if placed == "by order":
        return np.asarray(stepped[order])
    found = np.empty(n)
    found[order] = stepped
    return found


HOLM = Exercise(
    id="6.10",
    title="Many questions at once",
    difficulty=2,
    minutes=12,
    points=3,
    solution=holm,
    draw=draw_p_values,
    borders=certain_and_equal,
    leaves_inputs=True,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "Bonferroni",
            partial(holm_like, factors="all"),
            "You multiply every p-value by the number of tests: that is Bonferroni's way. It keeps "
            "the promise and finds less. Holm multiplies the smallest by n, the next by n - 1, "
            "and so on.",
        ),
        Misconception(
            "factors the wrong way round",
            partial(holm_like, factors="rising"),
            "You multiply the smallest p-value by 1 and the largest by n. It is the other way "
            "round: the smallest stands out of n tests and has to pass the hardest.",
        ),
        Misconception(
            "Benjamini and Hochberg",
            partial(holm_like, factors="divided", in_order="from the largest"),
            "That is Benjamini and Hochberg's way: it bounds the share of false findings among all "
            "findings. Holm bounds the chance of even one.",
        ),
        Misconception(
            "from the largest",
            partial(holm_like, in_order="from the largest"),
            "You go from the largest p-value down and take minima: Hochberg's way, whose promise "
            "needs an assumption about how the tests depend on one another. Holm's needs none: go "
            "up from the smallest, and let none come out below one that was smaller before.",
        ),
        Misconception(
            "not kept in order",
            partial(holm_like, in_order="not"),
            "Some of your values come out below one that was smaller before: its factor is lower. "
            "Holm stops at the first test that fails, so all that follow fail too: take the "
            "largest so far (np.maximum.accumulate).",
        ),
        Misconception(
            "above 1",
            partial(holm_like, capped=False),
            "Some of your values are above 1, and a p-value is a probability: cut them off there.",
        ),
        Misconception(
            "left sorted",
            partial(holm_like, placed="sorted"),
            "You return the values sorted, so they belong to other tests than they stand for. Put "
            "each back where its p-value came from.",
        ),
        Misconception(
            "sorted back with order",
            partial(holm_like, placed="by order"),
            "You go back with stepped[order], which sorts a second time. order says where each "
            "sorted value came from: assign, found[order] = stepped.",
        ),
    ),
    hints=(
        "An array of p-values comes in and one of the same length goes out, in the same order.",
        "Sort them. The smallest is multiplied by n, the next by n - 1, the largest by 1; none may "
        "come out below one before it, nor above 1. Then put each back in its place.",
        "`order = np.argsort(p_values)`, `stepped = np.maximum.accumulate(p_values[order] * "
        "np.arange(n, 0, -1))`, `found = np.empty(n)`, `found[order] = np.minimum(1.0, stepped)`.",
    ),
)
