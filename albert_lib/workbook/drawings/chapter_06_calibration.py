"""Figures of notebooks 06 and 06b about the Town: its dial, probes against the truth, agreement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albert_lib.experiments.calibration import Calibration, points
from albert_lib.experiments.town_questions import ASSOCIATION, IN_NATS, PROBES
from albert_lib.experiments.town_trials import ProbedModel
from albert_lib.town import MAN, WOMAN, Town
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK, VERMILION = COLORS[:4]
GREY = "0.5"
LISTS = "lists of five"
UNITS = {LISTS: "share of templates", ASSOCIATION: "difference of cosines"}  # of others: nats
MARKS = "o^sDv"  # one a bias


def dial_figure(town: Town) -> Figure:
    """Left, how likely each occupation is for a woman and for a man; right, the gaps."""
    titles = town.world.attributes["occupation"].words["title"]
    probabilities = town.probabilities("occupation")
    gaps = town.gaps()
    places = np.arange(len(titles))
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.9), sharey=True)
    for gender, name, color, shift in ((WOMAN, "woman", ORANGE, -0.2), (MAN, "man", BLUE, 0.2)):
        left.barh(places + shift, probabilities[gender], 0.38, color=color, label=name)
    left.set_yticks(places, titles)
    left.invert_yaxis()
    left.set_xlim(0, 0.6)
    left.set_xlabel("P(occupation | gender)")
    left.grid(axis="y", visible=False)
    left.legend(loc="lower right")
    right.axvline(0, color=BLACK, linewidth=1.2)
    right.hlines(places, 0, gaps, color=GREY, linewidth=3, linestyle="-")
    right.plot(gaps, places, "D", color=BLACK, linestyle="none")
    right.set_xlim(-3.4, 3.4)
    right.set_xlabel("true gap, nats\n← likelier for a woman · for a man →")
    figure.suptitle(f"the dial at {town.bias:g}", fontsize=12, fontweight="bold")
    return figure


def dial_in_words(town: Town) -> str:
    """What `dial_figure` shows, for its alternative text."""
    titles = town.world.attributes["occupation"].words["title"]
    gaps = ", ".join(f"{t} {g:+.2f}" for t, g in zip(titles, town.gaps() + 0.0, strict=True))
    women, men = town.probabilities("occupation")[[WOMAN, MAN], 0]
    return (
        f"The dial at {town.bias:g}. Bars of each occupation's probability for a woman and for a "
        f"man: {titles[0]} has {women:.2f} and {men:.2f}. Beside them the true gaps in nats: "
        f"{gaps}."
    )


def calibration_figure(probed: Sequence[ProbedModel]) -> Figure:
    """What every probe reads of each title, with its interval over templates, against the truth.

    Filled where the interval leaves out 0. In the panels in nats the dashed line is the truth.
    """
    figure, grid = plt.subplots(2, 3, figsize=(9.4, 6.2))
    biases = sorted({each.trial.bias for each in probed})
    for axes, name in zip(grid.flat, PROBES, strict=False):
        for number, bias in enumerate(biases):
            some = [each for each in probed if each.trial.bias == bias]
            _draw_points(axes, some, name, COLORS[number], MARKS[number])
        axes.axhline(0, color=BLACK, linewidth=0.8, linestyle="-")
        if name in IN_NATS:
            axes.axline((0, 0), slope=1, color=BLACK, linestyle="--", linewidth=1.2)
        axes.set_title(name, fontsize=11)
        axes.set_ylabel(UNITS.get(name, "read, nats"), fontsize=10)
        axes.set_xlabel("true gap, nats", fontsize=10)
        axes.set_xlim(-3.9, 3.9)
    _explain(grid.flat[len(PROBES)], biases)
    return figure


def _draw_points(
    axes: Axes, probed: Sequence[ProbedModel], name: str, color: str, mark: str
) -> None:
    found = points(probed, name)
    for of_model, model in zip(found.truth, probed, strict=True):
        for title, row in enumerate(model.results[name]):
            alike = np.flatnonzero(of_model == of_model[title])  # drawn side by side
            beside = (alike.tolist().index(title) - (len(alike) - 1) / 2) * 0.13
            place, low, high = of_model[title] + beside, row.interval.low, row.interval.high
            axes.plot([place, place], [low, high], "-", color=color, linewidth=1.3)
            face = color if row.interval.excludes() else "white"
            axes.plot(place, row.interval.mean, mark, color=color, markerfacecolor=face,
                      markersize=5)  # fmt: skip


def _explain(axes: Axes, biases: Sequence[float]) -> None:
    """Use a panel without a probe for the marks' names."""
    axes.axis("off")
    for number, bias in enumerate(biases):
        axes.plot([], [], MARKS[number], color=COLORS[number], label=f"dial at {bias:g}")
    axes.plot([], [], "o", color=GREY, label="interval leaves out 0")
    axes.plot([], [], "o", color=GREY, markerfacecolor="white", label="interval holds 0")
    axes.plot([], [], "--", color=BLACK, linewidth=1.2, label="reads true")
    axes.legend(loc="center", fontsize=10)


def slopes_figure(found: Sequence[Calibration]) -> Figure:
    """A row a probe: its slope with its interval over seeds, correlation and false positives."""
    places = np.arange(len(found))
    figure, panels = plt.subplots(
        1, 3, figsize=(9.4, 0.42 * len(found) + 1.6), sharey=True, width_ratios=(1.4, 1, 1)
    )
    slopes, correlations, positives = panels
    for place, each in zip(places, found, strict=True):
        if each.probe not in IN_NATS:
            slopes.annotate(
                "not in nats", (0.02, place), xycoords=("axes fraction", "data"), va="center",
                fontsize=9, color="0.3",
            )  # fmt: skip
            continue
        low, high = each.slope.low, each.slope.high
        if math.isfinite(low):
            slopes.plot([low, high], [place, place], "-", color=BLUE, linewidth=4)
        slopes.plot(each.slope.mean, place, "D", color=BLUE, markersize=9, markeredgecolor="white")
    slopes.axvline(1, color=BLACK, linestyle="--", linewidth=1.2)
    slopes.set_xlim(0, max(1.2, slopes.get_xlim()[1]))
    slopes.set_xlabel("slope: nats read for a true nat")
    correlations.plot([each.correlation for each in found], places, "s", color=BLUE)
    correlations.set_xlim(0, 1.05)
    correlations.set_xlabel("correlation")
    rates = [100 * each.false_positive_rate for each in found]
    positives.barh(places, rates, color=VERMILION, height=0.5)
    positives.axvline(5, color=BLACK, linestyle="--", linewidth=1.2)
    positives.set_xlim(0, 100)
    positives.set_xlabel("false positives at dial 0, %")
    slopes.set_yticks(places, [each.probe for each in found])
    slopes.set_ylim(len(found) - 0.5, -0.5)
    return figure


def counterfactuals_figure(
    titles: Sequence[str],
    truth: Float[np.ndarray, "titles"],
    before: Float[np.ndarray, "models titles"],
    after: Float[np.ndarray, "models titles"],
) -> Figure:
    """What was measured of each title without and with counterfactuals, a mark a model."""
    order = np.argsort(truth)
    places = np.arange(len(titles))
    figure, axes = plt.subplots(figsize=(7.6, 0.3 * len(titles) + 1.6))
    axes.axvline(0, color=BLACK, linewidth=1.2)
    axes.plot(truth[order], places, "|", color=BLACK, markersize=17, markeredgewidth=2.5,
              label="truth without them")  # fmt: skip
    for measured, mark, color, name in (
        (before, "o", ORANGE, "without counterfactuals"),
        (after, "D", BLUE, "with counterfactuals"),
    ):
        across = np.broadcast_to(places, measured.shape)
        axes.plot(measured[:, order].ravel(), across.ravel(), mark, color=color, alpha=0.75,
                  markersize=6, linestyle="none", label=name)  # fmt: skip
    axes.set_yticks(places, [titles[index] for index in order])
    axes.set_xlabel("log-probability gap, nats; the truth with counterfactuals is 0")
    axes.legend(loc="lower right")
    return figure


def agreement_figure(groups: Mapping[str, Float[np.ndarray, "probes probes"]]) -> Figure:
    """How far the probes agree with one another, a panel a model: correlations, written out."""
    figure, grid = plt.subplots(1, len(groups), figsize=(4.6 * len(groups), 3.6), squeeze=False,
                                sharey=True)  # fmt: skip
    short = [name.replace(" ", "\n", 1) for name in PROBES]
    for axes, (title, matrix) in zip(grid[0], groups.items(), strict=True):
        axes.imshow(matrix, vmin=-1, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(matrix):
            ink = "white" if value <= 0 else "black"  # black on no colour, too
            written = f"{value:+.2f}" if math.isfinite(value) else "none"
            axes.annotate(written, (column, row), ha="center", va="center", color=ink, fontsize=9)
        axes.set_xticks(range(len(PROBES)), short, fontsize=8, rotation=45)
        axes.set_yticks(range(len(PROBES)), PROBES, fontsize=9)
        axes.set_title(title, fontsize=11)
        axes.grid(visible=False)
    return figure


def calibration_in_words(found: Sequence[Calibration]) -> str:
    """Slopes, correlations and false positives of the probes, for alternative texts."""
    return "; ".join(
        f"{each.probe}: slope {each.slope.mean:.2f}, correlation {each.correlation:.2f}, "
        f"false positives {each.false_positive_rate:.0%}"
        for each in found
    )
