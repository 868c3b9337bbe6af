"""Exercises 6.6 and 6.7: a town whose bias is known, and a probe held against it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.experiments.calibration import calibration_slope
from albert_lib.town.world import leaning_probabilities
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception

Table = np.ndarray


# -- 6.6: the dial


def draw_town(rng: np.random.Generator) -> dict[str, Any]:
    """A few occupations with their weights and leans, and a setting of the dial."""
    n = int(rng.integers(1, 6))
    return {
        "weights": rng.choice([0.5, 1.0, 2.0, 3.0], size=n),
        "leans": rng.choice([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], size=n),
        "bias": float(rng.choice([0.0, 0.25, 0.5, 0.75, 1.0])),
    }


def ends_of_the_dial(rng: np.random.Generator) -> Sequence[Arguments]:
    """The dial at 0 and at 1, for a pair of occupations, and for a single one."""
    pair = {"weights": np.array([1.0, 1.0]), "leans": np.array([2.0, -2.0])}
    alone = {"weights": np.array([2.0]), "leans": np.array([3.0])}
    return [{**town, "bias": bias} for town in (pair, alone) for bias in (0.0, 1.0)]


def town_like(
    weights: Table,
    leans: Table,
    *,
    bias: float,
    lean: Literal["half", "whole", "one side"] = "half",
    first: Literal["women", "men"] = "women",
    total: Literal["rows", "none", "both rows", "columns"] = "rows",
    weighted: bool = True,
    dial: bool = True,
) -> Table:
    """The town's probabilities with one part exchanged."""
    sides = {"half": [[-0.5], [0.5]], "whole": [[-1.0], [1.0]], "one side": [[0.0], [1.0]]}[lean]
    unscaled = np.exp((bias if dial else 1.0) * np.array(sides) * leans)
    if weighted:
        unscaled = weights * unscaled
    if first == "men":
        unscaled = unscaled[::-1]
    if total == "none":
        return unscaled
    axis = {"rows": 1, "columns": 0, "both rows": None}[total]
    return np.asarray(unscaled / unscaled.sum(axis=axis, keepdims=True))


DIAL = Exercise(
    id="6.6",
    title="A town with a dial",
    difficulty=2,
    minutes=10,
    points=2,
    solution=leaning_probabilities,
    draw=draw_town,
    borders=ends_of_the_dial,
    leaves_inputs=True,
    tolerance=1e-7,
    misconceptions=(
        Misconception(
            "whole lean on either side",
            partial(town_like, lean="whole"),
            "You give each side the whole lean, so the gap between the two comes out twice too "
            "large. Half of it on either side makes bias · lean together.",
        ),
        Misconception(
            "lean on one side",
            partial(town_like, lean="one side"),
            "You let the men's row lean and leave the women's as the weights have it. The Town "
            "is even-handed: half of the lean on either side, minus for women, plus for men.",
        ),
        Misconception(
            "rows exchanged",
            partial(town_like, first="men"),
            "Your rows are exchanged, or the signs: the women's row comes first, and a lean above "
            "0 is towards men.",
        ),
        Misconception(
            "not normalised",
            partial(town_like, total="none"),
            "Those are proportions, and each row has a sum of its own. Divide each by its sum: a "
            "person has exactly one occupation.",
        ),
        Misconception(
            "normalised together",
            partial(town_like, total="both rows"),
            "All your numbers together add up to 1. P(occupation | gender) is given the gender: "
            "each of the two rows adds up to 1.",
        ),
        Misconception(
            "normalised by occupation",
            partial(town_like, total="columns"),
            "Your columns add up to 1, which is P(gender | occupation): who is it, if it is a "
            "baker? P(occupation | gender) is asked for: divide each row by its sum.",
        ),
        Misconception(
            "weights left out",
            partial(town_like, weighted=False),
            "You leave the weights out: at dial 0 all occupations come out equally common. "
            "Multiply each exponential by its weight.",
        ),
        Misconception(
            "dial left out",
            partial(town_like, dial=False),
            "Your town is the same wherever the dial stands. Multiply the leans by bias: at 0 the "
            "two rows are equal.",
        ),
    ),
    hints=(
        "Two arrays with an entry an occupation come in, and one array of two rows goes out: "
        "(2, occupations), women first. Each row adds up to 1.",
        "In a row stands weight times the exponential of ± bias times half of the lean, divided "
        "by the row's sum.",
        "`np.stack([weights * np.exp(side * bias * leans / 2) for side in (-1, 1)])`, then "
        "divide by `.sum(axis=1, keepdims=True)`.",
    ),
)


# -- 6.7: the slope


def draw_readings(rng: np.random.Generator) -> dict[str, Any]:
    """Models of towns at several settings of the dial: true gaps, and what a probe read of each."""
    models, titles = int(rng.integers(1, 5)), int(rng.integers(2, 7))
    leans = rng.choice([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], size=titles)
    leans[:2] = rng.choice([-3.0, -1.0, 2.0, 3.0], size=2, replace=False)
    dials = rng.choice([0.0, 0.25, 0.5, 1.0], size=models)
    dials[0] = rng.choice([0.5, 1.0])
    truth = rng.permutation(dials)[:, None] * leans
    noise = rng.normal(scale=0.2, size=truth.shape)
    slope, shift = rng.choice([0.1, 0.4, 0.75, 1.0]), rng.choice([0.0, -0.5, 0.8])
    return {"truth": truth, "measured": slope * truth + shift + noise}


def true_and_blind(rng: np.random.Generator) -> Sequence[Arguments]:
    """A probe that reads true, one that is shifted, and one that reads nothing."""
    truth = np.array([[2.0, -1.0]])
    return [
        {"truth": truth, "measured": measured}
        for measured in (truth.copy(), truth + 3.0, np.zeros((1, 2)))
    ]


def slope_like(
    truth: Table,
    measured: Table,
    *,
    centred: bool = True,
    kind: Literal["slope", "inverse", "correlation", "ratios", "sizes", "ddof"] = "slope",
    pooled: bool = True,
) -> float:
    """The slope with one part exchanged."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if not pooled:
            rows = zip(truth, measured, strict=True)
            return float(np.mean([slope_like(x, y, centred=centred, kind=kind) for x, y in rows]))
        if kind == "ratios":
            return float((measured / truth).mean())
        if kind == "sizes":
            return float(np.abs(measured).mean() / np.abs(truth).mean())
        x, y = (each - each.mean() if centred else each for each in (truth, measured))
        both, own, other = (x * y).sum(), (x * x).sum(), (y * y).sum()
        return float(
            {
                "slope": both / own,
                "inverse": both / other,
                "correlation": both / np.sqrt(own * other),
                "ddof": both / own * truth.size / (truth.size - 1),
            }[kind]
        )


SLOPE = Exercise(
    id="6.7",
    title="How much of a nat",
    difficulty=2,
    minutes=12,
    points=2,
    solution=calibration_slope,
    draw=draw_readings,
    borders=true_and_blind,
    leaves_inputs=True,
    tolerance=1e-6,
    misconceptions=(
        Misconception(
            "line through 0",
            partial(slope_like, centred=False),
            "Your line is forced through 0. A probe that reads everything half a nat too high then "
            "gets another slope, which is no matter of size: take the means off both sides first.",
        ),
        Misconception(
            "axes exchanged",
            partial(slope_like, kind="inverse"),
            "You divide by the spread of what was measured: true nats for a nat that is read. The "
            "truth lies on the horizontal axis, so its squares stand below.",
        ),
        Misconception(
            "correlation",
            partial(slope_like, kind="correlation"),
            "That is the correlation, which never leaves -1 to 1 and is the same for a probe that "
            "reads half: multiply every reading by 2 and see. The slope has only the truth's "
            "squares below.",
        ),
        Misconception(
            "mean of quotients",
            partial(slope_like, kind="ratios"),
            "You average reading / truth over the titles. Where the truth is near 0 the quotient "
            "is noise blown up, and at 0 it is infinite. In a least-squares line such points weigh "
            "next to nothing.",
        ),
        Misconception(
            "quotient of sizes",
            partial(slope_like, kind="sizes"),
            "You compare mean sizes, so noise counts as reading, and a probe with all signs turned "
            "would read true. Multiply each reading by its truth: signs then matter.",
        ),
        Misconception(
            "n - 1 over n",
            partial(slope_like, kind="ddof"),
            "You mix two conventions: np.cov divides by n - 1 and np.var by n, so your slope is "
            "n / (n - 1) times too steep. Use one of them in both places.",
        ),
        Misconception(
            "mean of slopes",
            partial(slope_like, pooled=False),
            "You take a slope a model and average. At dial 0 all truths of a model are 0 and it "
            "has no slope (0/0), and one at a low dial would count as much as one at dial 1. One "
            "line through all points together.",
        ),
    ),
    hints=(
        "Two tables of one shape, (models, titles), come in, and one float goes out. All entries "
        "are points of one picture, truth across and reading up.",
        "The least-squares line through all points: take its mean off each table, multiply the "
        "two entry by entry, and divide the sum by the sum of the truth's squares.",
        "`x = truth - truth.mean()`, `y = measured - measured.mean()`, "
        "`float((x * y).sum() / (x * x).sum())`.",
    ),
)
