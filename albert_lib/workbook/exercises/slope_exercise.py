"""Exercise 6.4: how much of a known gap a probe reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.experiments.calibration import calibration_slope
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial

Table = np.ndarray


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


Kind = Literal[
    "slope",
    "inverse",
    "correlation",
    "ratios",
    "sizes",
    "ddof",
    "sum",
    "covariance",
    "mean above",
    "mean below",
    "product",
    "readings alone",
    "truth alone",
    "not squared",
]


def quotient(x: Table, y: Table, kind: Kind) -> float:
    """What is made of the differences `x` of the truth and `y` of what was measured."""
    if kind == "ratios":
        return float((y / x).mean())
    if kind == "sizes":
        return float(np.abs(y).mean() / np.abs(x).mean())
    both, own, other, n = (x * y).sum(), (x * x).sum(), (y * y).sum(), x.size
    found = {
        "inverse": both / other,
        "correlation": both / np.sqrt(own * other),
        "ddof": both / own * n / (n - 1),
        "sum": both,
        "covariance": both / n,
        "mean above": both / n / own,
        "mean below": both / own * n,
        "product": both * own,
        "readings alone": y.sum() / own,
        "truth alone": x.sum() / own,
        "not squared": both / x.sum(),
    }
    return float(found.get(kind, both / own))


def slope_like(
    truth: Table,
    measured: Table,
    *,
    centre: Literal["mean", "none", "added", "sum"] = "mean",
    kind: Kind = "slope",
    whole: bool = False,
    pooled: bool = True,
    sign: int = 1,
    upside_down: bool = False,
) -> float:
    """The slope with one part exchanged."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if not pooled:
            rows = zip(truth, measured, strict=True)
            return sign * float(
                np.mean([slope_like(*row, centre=centre, kind=kind) for row in rows])
            )
        off = {"mean": truth.mean(), "added": -truth.mean(), "sum": truth.sum()}.get(centre, 0.0)
        x, y = truth, measured
        if kind not in ("ratios", "sizes"):
            x = truth - off
            y = (
                measured - measured.mean()
                if centre == "mean" and kind != "readings alone"
                else measured
            )
        slope = quotient(x, y, kind)
        slope = float(np.floor(slope)) if whole else slope
        return sign * float(np.divide(1, slope) if upside_down else slope)


def beyond_all_measure(trials: Sequence[Trial]) -> bool:
    """Whether answers are infinite, nan or huge, as of a division by what is 0 but for rounding."""
    huge = [not abs(each.answer) < 1e6 for each in trials]
    return 2 * sum(huge) > len(huge)


SLOPE = Exercise(
    id="6.4",
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
            partial(slope_like, centre="none"),
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
        Misconception(
            "mean added",
            partial(slope_like, centre="added"),
            "You add the mean of the truth where it is to be taken off: the points then lie twice "
            "as far from 0 as before, and your line is bent towards 0.",
        ),
        Misconception(
            "sum taken off",
            partial(slope_like, centre="sum"),
            "You take the sum of the truth off each entry. Take the mean off: what is left then "
            "adds up to 0.",
        ),
        Misconception(
            "mean over sum",
            partial(slope_like, kind="mean above"),
            "You divide a mean of products by a sum of squares, which is too little by the number "
            "of points. Sum over sum, or mean over mean.",
        ),
        Misconception(
            "sum over mean",
            partial(slope_like, kind="mean below"),
            "You divide a sum of products by a mean of squares, which is too much by the number of "
            "points. Sum over sum, or mean over mean.",
        ),
        Misconception(
            "multiplied by the squares",
            partial(slope_like, kind="product"),
            "You multiply by the sum of the truth's squares. Divide by it: nats for a nat are "
            "left.",
        ),
        Misconception(
            "readings alone",
            partial(slope_like, kind="readings alone"),
            "You add up the readings, whichever truth they belong to. Multiply each by its own "
            "truth, less the mean, before you add.",
        ),
        Misconception(
            "truth alone",
            partial(slope_like, kind="truth alone"),
            "What was measured is not in your answer: the differences of the truth from its mean "
            "add up to 0, whatever the probe read. Multiply each by what was measured.",
        ),
        Misconception(
            "rounded down",
            partial(slope_like, whole=True),
            "You round the slope down to a whole number, as // does. Divide with /.",
        ),
        Misconception(
            "divided by 0",
            partial(slope_like, kind="not squared"),
            "Some of your slopes are infinite or beyond all measure. The differences from the mean "
            "add up to 0: square each of them before you add.",
            beyond_all_measure,
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
