"""Figures of notebook 06: fills, lists that are cut off, forests of intervals, false positives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albert_lib.probing import Interval, ProbeRow
from albert_lib.workbook.style import COLORS

Scored = Sequence[tuple[str, float]]  # words with their probabilities, likeliest first

BLUE, ORANGE, BLACK, VERMILION = COLORS[:4]
GREY = "0.5"
GAP = "log-probability gap, nats"


def fills_figure(panels: Mapping[tuple[str, str], Scored]) -> Figure:
    """Bars of the likeliest fills: one panel for each (prompt, model), a row of panels a prompt.

    What is printed on a card is grey; models at hand keep their colours from figure to figure.
    """
    prompts = list(dict.fromkeys(prompt for prompt, _ in panels))
    models = list(dict.fromkeys(model for _, model in panels))
    figure, grid = plt.subplots(
        len(prompts),
        len(models),
        figsize=(3.1 * len(models) + 0.8, 2.1 * len(prompts) + 0.5),
        squeeze=False,
        sharex=True,
    )
    at_hand = [model for model in models if not model.startswith("the card")]
    colors = dict(zip(at_hand, (BLUE, ORANGE, VERMILION), strict=False))
    for axes, (prompt, model) in zip(grid.flat, panels, strict=True):
        words, scores = zip(*panels[prompt, model], strict=True)
        places = np.arange(len(words))
        axes.barh(places, scores, color=colors.get(model, GREY), height=0.65)
        axes.set_yticks(places, [_visible(word) for word in words])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=4)
        if prompt == prompts[0]:
            axes.set_title(model)
        if prompt == prompts[-1]:
            axes.set_xlabel("probability")
    for axes, prompt in zip(grid[:, 0], prompts, strict=True):
        axes.set_ylabel(_folded(prompt), labelpad=8, fontsize=10)
    return figure


def ranks_figure(lists: Mapping[str, Scored], shown: int = 5) -> Figure:
    """Probability against rank, one panel a prompt, with a line where a short list is cut off."""
    figure, grid = plt.subplots(
        len(lists), 1, figsize=(7.6, 2.3 * len(lists)), squeeze=False, sharex=True, sharey=True
    )
    for axes, (prompt, words), color in zip(grid.flat, lists.items(), (BLUE, ORANGE), strict=False):
        ranks = np.arange(1, len(words) + 1)
        scores = [score for _, score in words]
        axes.bar(ranks, scores, color=[color if rank <= shown else "0.72" for rank in ranks])
        for rank, (word, score) in zip(ranks, words, strict=True):
            axes.annotate(
                _visible(word),
                (rank, score),
                xytext=(0, 3),
                textcoords="offset points",
                rotation=60,
                ha="left",
                va="bottom",
                rotation_mode="anchor",
                fontsize=9,
            )
        axes.axvline(shown + 0.5, color=BLACK, linestyle="--", linewidth=1.5)
        axes.set_title(prompt, loc="right", fontsize=11, y=0.86)
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("probability")
        axes.margins(y=0.45)
    grid[-1, 0].set_xlabel(f"rank; the usual list ends after {shown}")
    grid[-1, 0].set_xticks(ranks)
    return figure


def bounds_figure(bounds: Mapping[str, tuple[float, float]]) -> Figure:
    """What is known of each word's gap: a point, or an arrow that begins where knowledge ends."""
    figure, axes = plt.subplots(figsize=(7.0, 3.7))
    reach = 0.45 + max(abs(end) for ends in bounds.values() for end in ends if math.isfinite(end))
    for place, (low, high) in enumerate(bounds.values()):
        if low == high:
            axes.plot(low, place, "D", color=BLACK, markersize=7)
            continue
        start, end = (low, reach) if math.isfinite(low) else (high, -reach)
        open_question = low < 0 < high
        axes.annotate(
            "",
            xy=(end, place),
            xytext=(start, place),
            arrowprops={
                "arrowstyle": "-|>",
                "color": ORANGE if open_question else BLUE,
                "linewidth": 2.5,
                "linestyle": "--" if open_question else "-",
                "shrinkA": 0,
            },
        )
        axes.plot(start, place, "|", color=ORANGE if open_question else BLUE, markersize=14)
        if open_question:
            axes.annotate(
                "either sign", (end, place), xytext=(-4, 5), textcoords="offset points", ha="right"
            )
    axes.axvline(0, color=BLACK, linewidth=1.2)
    axes.set_xlim(-reach, reach)
    axes.set_yticks(range(len(bounds)), list(bounds))
    axes.invert_yaxis()
    axes.set_xlabel(f"{GAP}\n← likelier beside woman · likelier beside man →")
    return figure


def forest_figure(
    row: ProbeRow,
    texts: Sequence[str],
    axis: str = GAP,
    title: str = "",
    truth: float | None = None,
) -> Figure:
    """One row a template, and under them the mean with its interval; the truth where known."""
    figure, axes = plt.subplots(figsize=(7.6, 0.29 * len(texts) + 1.7))
    _forest(axes, row, BLUE)
    _truth(axes, truth)
    axes.set_yticks([*range(len(texts)), len(texts) + 0.4], [*texts, "mean and interval"])
    axes.get_yticklabels()[-1].set_fontweight("bold")
    axes.set_xlabel(axis)
    axes.set_title(title or row.label)
    _centre(axes)
    return figure


def log_odds_figure(
    contexts: tuple[ProbeRow, ProbeRow],
    difference: ProbeRow,
    names: tuple[str, str],
    texts: Sequence[str],
) -> Figure:
    """Left, the log-odds of two fills in two contexts; right, their difference; a row a text."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9.6, 0.27 * len(texts) + 2.1), sharey=True, width_ratios=(1.15, 1)
    )
    for row, name, color, marker in zip(contexts, names, (BLUE, ORANGE), "os", strict=True):
        _forest(left, row, color, marker, label=name)
    left.set_yticks([*range(len(texts)), len(texts) + 0.4], [*texts, "mean and interval"])
    left.get_yticklabels()[-1].set_fontweight("bold")
    left.set_title("in one context each")
    left.set_xlabel(f"log-odds of {contexts[0].label}, nats")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
    _forest(right, difference, BLACK, "D")
    right.set_title("the difference")
    right.set_xlabel("difference of the log-odds, nats")
    _centre(right)
    left.locator_params(axis="x", nbins=5)
    right.locator_params(axis="x", nbins=5)
    return figure


def many_figure(
    rows: Sequence[ProbeRow], widened: Sequence[Interval] = (), axis: str = GAP, title: str = ""
) -> Figure:
    """A mean and its interval for each of many rows, in order of the mean.

    `widened`, one a row, is drawn thin behind it. Rows whose interval leaves out 0 are filled.
    """
    order = sorted(range(len(rows)), key=lambda index: rows[index].interval.mean)
    figure, axes = plt.subplots(figsize=(7.0, (0.155 if len(rows) > 40 else 0.2) * len(rows) + 1.5))
    for place, index in enumerate(order):
        interval = rows[index].interval
        color = VERMILION if interval.excludes() else GREY
        if widened:
            wide = widened[index]
            axes.plot([wide.low, wide.high], [place, place], "-", color=color, linewidth=1)
        axes.plot([interval.low, interval.high], [place, place], "-", color=color, linewidth=3.5)
        face = color if interval.excludes() else "white"
        axes.plot(interval.mean, place, "o", color=color, markerfacecolor=face, markersize=6)
    axes.axvline(0, color=BLACK, linewidth=1.2)
    axes.set_yticks(range(len(rows)), [rows[index].label for index in order], fontsize=8.5)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.set_xlabel(axis)
    axes.set_title(title)
    _centre(axes)
    return figure


def false_positives_figure(found: Mapping[str, Int[np.ndarray, "studies"]]) -> Figure:
    """How many studies have 0, 1, 2, … false positives, one set of bars for each way of testing."""
    figure, axes = plt.subplots(figsize=(7.0, 3.3))
    most = max(int(counts.max()) for counts in found.values())
    width = 0.8 / len(found)
    for index, ((name, counts), color) in enumerate(
        zip(found.items(), (ORANGE, BLUE), strict=False)
    ):
        shares = np.bincount(counts, minlength=most + 1) / len(counts)
        places = np.arange(most + 1) + (index - (len(found) - 1) / 2) * width
        axes.bar(places, shares, width, color=color, label=name)
    axes.set_xticks(range(most + 1))
    axes.set_xlabel("intervals that leave out 0, although nothing is there")
    axes.set_ylabel("share of studies")
    axes.grid(axis="x", visible=False)
    axes.legend()
    return figure


def seeds_figure(
    rows: Sequence[ProbeRow],
    over_seeds: Interval,
    title: str,
    below: str = "over seeds",
    truth: float | None = None,
) -> Figure:
    """The interval of every seed, and below them the one over seeds; the truth where known."""
    figure, axes = plt.subplots(figsize=(7.0, 0.3 * len(rows) + 1.7))
    for place, row in enumerate(rows):
        interval = row.interval
        color = VERMILION if interval.excludes() else GREY
        axes.plot([interval.low, interval.high], [place, place], "-", color=color, linewidth=3.5)
        axes.plot(interval.mean, place, "o", color=color)
    _mean(axes, over_seeds, len(rows) + 0.4, BLACK)
    axes.axvline(0, color=BLACK, linewidth=1.2)
    axes.set_yticks([*range(len(rows)), len(rows) + 0.4], [*(row.label for row in rows), below])
    axes.get_yticklabels()[-1].set_fontweight("bold")
    axes.invert_yaxis()
    _truth(axes, truth)
    axes.set_xlabel(GAP)
    axes.set_title(title)
    _centre(axes)
    return figure


def scale_figure(groups: Mapping[tuple[str, str], Sequence[ProbeRow]]) -> Figure:
    """The sizes of many gaps on one logarithmic scale: a strip of dots for each (model, pair).

    On the right of each strip: how many of its intervals leave out 0.
    """
    figure, axes = plt.subplots(figsize=(8.6, 0.42 * len(groups) + 1.9))
    models = list(dict.fromkeys(model for model, _ in groups))
    rng = np.random.default_rng(0)
    smallest = 1e-4  # whatever is smaller is drawn here: a tenth of a thousandth is nothing
    for place, ((model, _), rows) in enumerate(groups.items()):
        sizes = np.maximum([abs(row.interval.mean) for row in rows], smallest)
        heights = place + rng.uniform(-0.2, 0.2, len(rows))
        color = COLORS[models.index(model)]
        axes.plot(sizes, heights, "o", color=color, alpha=0.55, markersize=4.5)
        middle = np.median(sizes)
        axes.plot([middle, middle], [place - 0.36, place + 0.36], "-", color=color, linewidth=3)
        beyond = sum(row.interval.excludes() for row in rows)
        axes.annotate(
            f"{beyond} of {len(rows)}",
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            annotation_clip=False,
        )
    axes.annotate(
        "leave\nout 0", (1.02, -0.75), xycoords=("axes fraction", "data"), annotation_clip=False
    )
    for size, words in ((0.01, "1 % likelier"), (0.0953, "10 %"), (math.log(2), "twice")):
        axes.axvline(size, color=BLACK, linestyle=":", linewidth=1.2)
        axes.annotate(words, (size, -0.62), xytext=(3, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(smallest * 0.8, max(2.0, axes.get_xlim()[1]))
    axes.set_yticks(range(len(groups)), [f"{model}: {pair}" for model, pair in groups])
    axes.set_ylim(len(groups) - 0.45, -1.0)
    axes.set_xlabel("size of the mean gap, nats (logarithmic); one dot an occupation")
    return figure


def in_words(panels: Mapping[tuple[str, str], Scored]) -> str:
    """What `fills_figure` shows, for its alternative text: the words, likeliest first."""
    return "; ".join(
        f"{prompt} {model}: {' '.join(_visible(word) for word, _ in words)}"
        for (prompt, model), words in panels.items()
    )


def ends_in_words(rows: Sequence[ProbeRow]) -> str:
    """The two ends of `many_figure`, for its alternative text."""
    low, *_, high = sorted(rows, key=lambda row: row.interval.mean)
    return f"from {low.label}, {low.interval}, to {high.label}, {high.interval}"


def _forest(axes: Axes, row: ProbeRow, color: str, marker: str = "o", label: str = "") -> None:
    axes.plot(row.values, np.arange(len(row.values)), marker, color=color, label=label or None)
    _mean(axes, row.interval, len(row.values) + 0.4, color)
    axes.axvline(0, color=BLACK, linewidth=1.2)
    axes.set_ylim(len(row.values) + 1.0, -0.7)


def _mean(axes: Axes, interval: Interval, place: float, color: str) -> None:
    axes.plot([interval.low, interval.high], [place, place], "-", color=color, linewidth=4)
    axes.plot(interval.mean, place, "D", color=color, markersize=9, markeredgecolor="white")


def _truth(axes: Axes, truth: float | None) -> None:
    if truth is not None:
        axes.axvline(truth, color=VERMILION, linestyle="--")
        axes.annotate(
            "truth", (truth, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
            textcoords="offset points", ha="center", color=VERMILION, fontsize=9,
        )  # fmt: skip


def _centre(axes: Axes) -> None:
    """Give 0 the middle, so that the side a value lies on is seen before it is read."""
    reach = max(abs(end) for end in axes.get_xlim())
    axes.set_xlim(-reach, reach)
    axes.locator_params(axis="x", nbins=6)


def _visible(word: str) -> str:
    return word.strip() or "▁"  # a word mark on its own decodes to nothing


def _folded(prompt: str, longest: int = 20) -> str:
    lines = [""]
    for word in prompt.split():
        if len(lines[-1]) + len(word) > longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
