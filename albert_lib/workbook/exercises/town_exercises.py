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
    lean: Literal["half", "whole", "one side", "alike"] = "half",
    first: Literal["women", "men"] = "women",
    total: Literal["rows", "none", "both rows", "columns", "means", "largest"] = "rows",
    weighted: bool = True,
    dial: bool = True,
    exponential: bool = True,
) -> Table:
    """The town's probabilities with one part exchanged."""
    sides = {"half": (-0.5, 0.5), "whole": (-1, 1), "one side": (0, 1), "alike": (0.5, 0.5)}[lean]
    unscaled = (bias if dial else 1.0) * np.array(sides)[:, None] * leans
    unscaled = np.exp(unscaled) if exponential else 1 + unscaled
    if weighted:
        unscaled = weights * unscaled
    if first == "men":
        unscaled = unscaled[::-1]
    if total == "none":
        return unscaled
    if total == "means":
        return np.asarray(unscaled / unscaled.mean(axis=1, keepdims=True))
    if total == "largest":
        return np.asarray(unscaled / unscaled.max(axis=1, keepdims=True))
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
            "both rows lean alike",
            partial(town_like, lean="alike"),
            "Your two rows lean to the same side, so the town has no gap at any dial. The sign "
            "differs: minus for women, plus for men.",
        ),
        Misconception(
            "no exponential",
            partial(town_like, exponential=False),
            "You add the lean to 1 instead of taking its exponential: e to the lean. A large lean "
            "the other way would make a probability below 0.",
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
            "divided by the mean",
            partial(town_like, total="means"),
            "You divide each row by its mean, so it adds up to the number of occupations. Divide "
            "by its sum.",
        ),
        Misconception(
            "divided by the largest",
            partial(town_like, total="largest"),
            "You divide each row by its largest entry, which then is 1. Divide by the row's sum.",
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
    kind: Literal[
        "slope", "inverse", "correlation", "ratios", "sizes", "ddof", "sum", "covariance"
    ] = "slope",
    pooled: bool = True,
    sign: int = 1,
    upside_down: bool = False,
) -> float:
    """The slope with one part exchanged."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if not pooled:
            rows = zip(truth, measured, strict=True)
            return sign * float(
                np.mean([slope_like(*row, centred=centred, kind=kind) for row in rows])
            )
        if kind == "ratios":
            return float((measured / truth).mean())
        if kind == "sizes":
            return float(np.abs(measured).mean() / np.abs(truth).mean())
        x, y = (each - each.mean() if centred else each for each in (truth, measured))
        both, own, other = (x * y).sum(), (x * x).sum(), (y * y).sum()
        slope = {
            "slope": both / own,
            "inverse": both / other,
            "correlation": both / np.sqrt(own * other),
            "ddof": both / own * truth.size / (truth.size - 1),
            "sum": both,
            "covariance": both / truth.size,
        }[kind]
        return sign * float(1 / slope if upside_down else slope)


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
            "upside down",
            partial(slope_like, upside_down=True),
            "Your quotient is upside down: the truth's squares stand below, the products above.",
        ),
        Misconception(
            "sum of products",
            partial(slope_like, kind="sum"),
            "That is the sum of the products. It grows with every title and with the square of the "
            "dial; divide it by the sum of the truth's squares.",
        ),
        Misconception(
            "covariance",
            partial(slope_like, kind="covariance"),
            "That is the covariance, in nats squared. Divide it by the variance of the truth, and "
            "nats for a nat are left.",
        ),
        Misconception(
            "sign turned",
            partial(slope_like, sign=-1),
            "Your slope has the wrong sign: one of the two differences from the mean is taken the "
            "wrong way round.",
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
        "The least-squares line through all points: take the mean off the truth, multiply by what "
        "was measured, entry by entry, and divide the sum by the sum of the truth's squares (its "
        "mean taken off there too).",
        "`x = truth - truth.mean()`, `float((x * measured).sum() / (x * x).sum())`.",
    ),
)
