"""Exercise 6.3: a town whose bias is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.town.world import leaning_probabilities
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial

Table = np.ndarray


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
    lean: Literal["half", "whole", "one side", "alike", "none", "thirds"] = "half",
    first: Literal["women", "men"] = "women",
    total: Literal[
        "rows", "none", "both rows", "columns", "means", "largest", "upside down", "multiplied"
    ] = "rows",
    weighted: bool = True,
    dial: bool = True,
    growth: Literal["exponential", "1 plus", "lean itself"] = "exponential",
) -> Table:
    """The town's probabilities with one part exchanged."""
    sides = {"half": (-0.5, 0.5), "whole": (-1, 1), "one side": (0, 1), "alike": (0.5, 0.5)}
    sides |= {"none": (0, 0), "thirds": (-1 / 3, 2 / 3)}
    exponent = (bias if dial else 1.0) * np.array(sides[lean])[:, None] * leans
    unscaled = {"exponential": np.exp(exponent), "1 plus": 1 + exponent}.get(growth, exponent)
    if weighted:
        unscaled = weights * unscaled
    if first == "men":
        unscaled = unscaled[::-1]
    if total == "none":
        return unscaled
    if total == "multiplied":
        return np.asarray(unscaled * unscaled.sum(axis=1, keepdims=True))
    if total == "upside down":
        return np.asarray(unscaled.sum(axis=1, keepdims=True) / unscaled)
    if total == "means":
        return np.asarray(unscaled / unscaled.mean(axis=1, keepdims=True))
    if total == "largest":
        return np.asarray(unscaled / unscaled.max(axis=1, keepdims=True))
    axis = {"rows": 1, "columns": 0, "both rows": None}[total]
    return np.asarray(unscaled / unscaled.sum(axis=axis, keepdims=True))


def shares_of_the_lean(trials: Sequence[Trial]) -> tuple[float, float] | None:
    """Which share of bias · lean each row's logarithms hold, if it is the same everywhere."""
    found: list[tuple[float, float]] = []
    for trial in trials:
        weights, leans, bias = trial.arguments.values()
        rows = np.asarray(trial.answer)
        if not np.all(rows > 0) or not np.allclose(rows.sum(axis=1), 1):
            return None
        heights, exponents = np.log(rows / weights), bias * (leans - leans.mean())
        heights = heights - heights.mean(axis=1, keepdims=True)
        if exponents.any():
            women, men = (heights @ exponents / (exponents @ exponents)).tolist()
            found.append((women, men))
        shares = np.array(found[0] if found else (0.0, 0.0))
        if not np.allclose(heights, shares[:, None] * exponents, atol=1e-6):
            return None
    return found[0] if found else None


def other_shares(trials: Sequence[Trial]) -> bool:
    """Whether both rows lean as they should but for the share of it."""
    shares = shares_of_the_lean(trials)
    return shares is not None and not np.allclose(shares, (-0.5, 0.5), atol=1e-6)


def which_shares(trials: Sequence[Trial]) -> str:
    """The shares that were measured in these answers."""
    women, men = shares_of_the_lean(trials) or (0.0, 0.0)
    return (
        f"Your rows hold {women + 0.0:.3g} and {men + 0.0:.3g} times bias · lean in their "
        "exponentials. It is half of the lean on either side: -0.5 for women, 0.5 for men."
    )


def in_proportion(trials: Sequence[Trial]) -> bool:
    """Whether each row is the right one times a number."""
    with np.errstate(all="ignore"):
        quotients = [np.asarray(each.answer / each.expected) for each in trials]
    return all(
        np.isfinite(each).all() and np.allclose(each, each[:, :1], rtol=1e-6) for each in quotients
    )


def wrong_sums(trials: Sequence[Trial]) -> str:
    """To what the first wrong rows add up."""
    women, men = next(
        sums
        for each in trials
        if not np.allclose(sums := np.asarray(each.answer).sum(axis=1), 1, atol=1e-6)
    )
    return (
        "Within each row your numbers stand in the right proportion, but they do not add up to 1: "
        f"on the simplest such input, to {women:.3g} and {men:.3g}. Divide each row by its own sum."
    )


DIAL = Exercise(
    id="6.3",
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
            partial(town_like, growth="1 plus"),
            "You add the lean to 1 instead of taking its exponential: e to the lean. A large lean "
            "the other way would make a probability below 0.",
        ),
        Misconception(
            "the lean itself",
            partial(town_like, growth="lean itself"),
            "You multiply the weights by the lean itself, so an occupation without a lean is never "
            "had, and some probabilities are below 0. Multiply by e to the lean: at 0 that is 1.",
        ),
        Misconception(
            "leans left out",
            partial(town_like, lean="none"),
            "Both of your rows are the plain weights, wherever the dial stands. An occupation's "
            "own lean belongs into its exponential.",
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
        Misconception(
            "quotient upside down",
            partial(town_like, total="upside down"),
            "Your quotient is upside down, so the rarest occupation comes out as the most common. "
            "The row's sum stands below.",
        ),
        Misconception(
            "other shares of the lean",
            partial(town_like, lean="thirds"),
            which_shares,
            other_shares,
        ),
        Misconception(
            "rows that do not add up to 1",
            partial(town_like, total="multiplied"),
            wrong_sums,
            in_proportion,
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
