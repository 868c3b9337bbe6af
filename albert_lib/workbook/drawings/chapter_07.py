"""Figures of chapter 7, sentiment: batches, the learning rate, scores, what is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from albert_lib.finetuning.batch_order import padding_share
from albert_lib.finetuning.recipes import FinetuningRecipe
from albert_lib.paper import DownstreamRow
from albert_lib.probing import Interval
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK, VERMILION, PINK, SKY = COLORS[:6]
TASKS = {
    "squad1_f1": "SQuAD 1.1\nF1",
    "squad2_f1": "SQuAD 2.0\nF1",
    "mnli": "MNLI\naccuracy",
    "sst2": "SST-2\naccuracy",
    "race": "RACE\naccuracy",
}
MARKS = "osD^"
Ways = Mapping[str, Int[np.ndarray, "batches rows"]]


def draw_padding(lengths: Sequence[int], ways: Ways) -> tuple[Figure, str]:
    """A bar a batch, as many tokens high as it is padded to; what is padding stands on top."""
    sizes = np.asarray(lengths)
    figure, panels = plt.subplots(1, len(ways), figsize=(4.3 * len(ways), 3.2), sharey=True)
    for axes, (name, batches) in zip(np.atleast_1d(panels), ways.items(), strict=True):
        table = sizes[batches]
        tokens, padded = table.sum(axis=1), table.max(axis=1) * table.shape[1]
        steps = np.arange(1, len(batches) + 1)
        axes.bar(steps, tokens, color=BLUE, label="tokens")
        axes.bar(steps, padded - tokens, bottom=tokens, color=ORANGE, hatch="//", label="padding")
        axes.set_xticks(range(5, len(batches) + 1, 5))
        share = padding_share(lengths, batches)
        axes.set(title=f"{name}: {100 * share:.0f} % padding", xlabel="step of an epoch")
    np.atleast_1d(panels)[0].set_ylabel("positions of the batch")
    np.atleast_1d(panels)[0].legend(loc="lower left", frameon=True)
    shares = ", ".join(f"{name} {100 * padding_share(lengths, ways[name]):.0f} %" for name in ways)
    alt = (
        "A bar for each batch of an epoch, its tokens below and its padding on top. "
        f"The share of padding: {shares}."
    )
    return figure, alt


def draw_learning_rate(recipe: FinetuningRecipe) -> tuple[Figure, str]:
    """The rate of every step, Google's, beside one that falls from where warm-up ends."""
    steps = np.arange(recipe.steps + 1)
    rates = np.array([recipe.learning_rate_at(int(step)) for step in steps])
    warm = recipe.warmup_steps
    joined = recipe.learning_rate * np.minimum(
        steps / max(1, warm), (recipe.steps - steps) / max(1, recipe.steps - warm)
    )
    figure, axes = plt.subplots(figsize=(7.0, 3.2))
    axes.plot(steps, joined, color=ORANGE, linestyle="--", label="falling from the end of warm-up")
    axes.plot(steps[:warm], rates[:warm], color=BLUE, linestyle="-", label="Google's")
    axes.plot(steps[warm:], rates[warm:], color=BLUE, linestyle="-")
    axes.plot([warm - 1, warm], rates[[warm - 1, warm]], "o", color=BLACK, markersize=4)
    axes.annotate(
        f"{rates[warm - 1]:.4g}, one step later {rates[warm]:.4g}",
        (warm, rates[warm - 1]),
        xytext=(14, -2),
        textcoords="offset points",
    )
    axes.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
    axes.legend(loc="lower left", bbox_to_anchor=(0.12, 0.02))
    alt = (
        f"The learning rate of {recipe.task}'s recipe against the step. It rises in a straight "
        f"line for {warm:,} steps, drops at once from {rates[warm - 1]:.4g} to {rates[warm]:.4g}, "
        f"and falls in a straight line to 0 at {recipe.steps:,}. A dashed line has no drop."
    )
    return figure, alt


def draw_learning_curves(
    curves: Mapping[str, Mapping[int, Interval]], levels: Mapping[str, float]
) -> tuple[Figure, str]:
    """Accuracy with its interval against the number of sentences, and levels to compare with."""
    figure, axes = plt.subplots(figsize=(7.0, 3.8))
    for number, (name, scores) in enumerate(curves.items()):
        sizes = np.array(list(scores)) * (1 + 0.04 * (number - (len(curves) - 1) / 2))
        means = np.array([100 * score.mean for score in scores.values()])
        below = means - [100 * score.low for score in scores.values()]
        above = [100 * score.high for score in scores.values()] - means
        axes.errorbar(
            sizes, means, yerr=[below, above], marker=MARKS[number], capsize=4, label=name
        )
    for level, style in zip(levels, (":", "--", "-."), strict=False):
        axes.axhline(100 * levels[level], color=BLACK, linestyle=style, linewidth=1)
        axes.annotate(
            level,
            (1.0, 100 * levels[level]),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    ticks = sorted({size for scores in curves.values() for size in scores})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="sentences trained on (logarithmic)", ylabel="right on the test, percent")
    axes.legend(loc="upper left")
    found = "; ".join(
        f"{name} {', '.join(f'{100 * score.mean:.0f} at {n}' for n, score in scores.items())}"
        for name, scores in curves.items()
    )
    alt = (
        f"Accuracy on the test against the number of training sentences, a line each for "
        f"{' and '.join(curves)}, with 95 % intervals; level lines for {' and '.join(levels)}. "
        f"{here(found)}"
    )
    return figure, alt


def draw_scores(scores: Mapping[str, Interval], chance: float = 0.5) -> tuple[Figure, str]:
    """A mark with its interval for each way of getting an answer, the first on top."""
    figure, axes = plt.subplots(figsize=(7.0, 0.9 + 0.42 * len(scores)))
    for place, score in enumerate(scores.values()):
        ends = [[100 * (score.mean - score.low)], [100 * (score.high - score.mean)]]
        axes.errorbar([100 * score.mean], [place], xerr=ends, fmt="o", color=BLUE, capsize=4)
        axes.annotate(f"{100 * score.mean:.0f}", (100 * score.mean, place), xytext=(0, 6),
                      textcoords="offset points", ha="center", fontsize=9)  # fmt: skip
    axes.axvline(100 * chance, color=BLACK, linestyle=":")
    axes.set_yticks(range(len(scores)), list(scores))
    axes.set(ylim=(len(scores) - 0.4, -0.7), xlabel="right on the test, percent")
    found = ", ".join(f"{name} {100 * score.mean:.0f}" for name, score in scores.items())
    alt = (
        f"Accuracies on the test with 95 % intervals, a line each: {', '.join(scores)}. A dotted "
        f"line marks chance, {100 * chance:.0f} %. {here(found)}"
    )
    return figure, alt


def draw_forgetting(losses: Sequence[float]) -> tuple[Figure, str]:
    """The loss of pretraining against how many applications of the layer have its new weights."""
    counts = range(len(losses))
    figure, axes = plt.subplots(figsize=(6.4, 3.3))
    axes.bar(counts, np.asarray(losses) - losses[0], color=[SKY, *[BLUE] * (len(losses) - 1)])
    axes.axhline(0, color=BLACK, linewidth=1)
    axes.set_xticks(list(counts))
    axes.set(
        xlabel="applications of the layer that have the fine-tuned weights, from the last",
        ylabel="MLM loss, nats more",
    )
    rises = ", ".join(f"{loss - losses[0]:+.2f}" for loss in losses)
    alt = (
        "Bars: by how many nats the loss of masked tokens changes when the last 0, 1, … and "
        f"finally all {len(losses) - 1} applications of the layer take the fine-tuned weights. "
        f"{here(rises)}"
    )
    return figure, alt


def draw_results(rows: Sequence[DownstreamRow], own: Interval, own_name: str) -> tuple[Figure, str]:
    """The card's scores of version 2, a mark a size, and one's own on another test, set apart."""
    figure, axes = plt.subplots(figsize=(8.0, 4.0))
    shown = [row for row in rows if row.version == "v2"]
    for number, row in enumerate(shown):
        values = [getattr(row, task) for task in TASKS]
        places = np.arange(len(TASKS)) + 0.12 * (number - (len(shown) - 1) / 2)
        axes.plot(places, values, MARKS[number], color=COLORS[number], label=f"{row.model}-v2")
    ends = [[100 * (own.mean - own.low)], [100 * (own.high - own.mean)]]
    axes.axvline(len(TASKS) - 0.5, color=BLACK, linewidth=1)
    axes.errorbar([len(TASKS)], [100 * own.mean], yerr=ends, fmt="X", color=PINK,
                  markersize=9, capsize=4, label=own_name)  # fmt: skip
    axes.set_xticks(range(len(TASKS) + 1), [*TASKS.values(), "ANOTHER TEST:\n120 sentences"])
    axes.set(ylabel="percent", ylim=(45, 100), xlim=(-0.5, len(TASKS) + 0.5))
    axes.legend(loc="lower left", ncols=2, fontsize=9)
    alt = (
        "Five columns of marks, the published scores of four sizes of version 2 on SQuAD 1.1, "
        "SQuAD 2.0, MNLI, SST-2 and RACE; base is lowest everywhere and xxlarge highest, and the "
        "sizes lie furthest apart on RACE. Behind a line, by itself, the score of this notebook "
        f"on its own 120 sentences, which is another test. {here(f'{100 * own.mean:.0f} %')}"
    )
    return figure, alt
