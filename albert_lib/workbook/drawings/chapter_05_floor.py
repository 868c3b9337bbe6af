"""Figure of chapter 5: curves of a model of the Town, and the floor under them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albert_lib.town import Estimate, Floor
from albert_lib.training import History
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

ERRORS = 2  # standard errors shown on either side of the ideal reader


def draw_above_floor(history: History, floor: Floor, marks: Mapping[str, float]) -> Figure:
    """Held-out losses and accuracies of a run, with what the ideal reader scores on them."""
    figure, (loss, accuracy) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(1.5, 1))
    steps, values = history.curve("held_out_mlm_loss")
    loss.plot(steps, values, marker="o", markersize=4, color=COLORS[0], label="the model")
    draw_score(loss, floor.mlm_loss, 1.0, "the ideal reader")
    for name, value in marks.items():
        loss.axhline(value, color=COLORS[5], linestyle=":")
        loss.annotate(name, (steps[-1], value), xytext=(0, 3), textcoords="offset points",
                      ha="right", fontsize=9)  # fmt: skip
    loss.set_ylim(bottom=0)
    loss.set_ylabel("MLM loss, nats a token")
    loss.legend(loc="center right")
    for column, score, marker, what, color in (
        ("held_out_mlm_accuracy", floor.mlm_accuracy, "o", "tokens predicted", COLORS[0]),
        ("held_out_sop_accuracy", floor.sop_accuracy, "D", "orders judged", COLORS[3]),
    ):
        steps, values = history.curve(column)
        accuracy.plot(steps, 100 * values, marker=marker, markersize=4, color=color, label=what)
        draw_score(accuracy, score, 100.0, "", color)
    accuracy.set_ylim(0, 103)
    accuracy.set_ylabel("right on held-out days, %")
    accuracy.legend(loc="lower right")
    for axes in (loss, accuracy):
        axes.set_xlabel("step")
    return figure


def draw_score(axes: Axes, score: Estimate, scale: float, label: str, color: str = "black") -> None:
    """A line at a score, in a band of two standard errors on either side."""
    axes.axhline(scale * score.mean, color=color, linestyle="--", label=label or None)
    low, high = score.mean - ERRORS * score.error, score.mean + ERRORS * score.error
    axes.axhspan(scale * low, scale * high, color=color, alpha=0.15)


def draw_answers(
    words: list[str],
    perfect: Float[np.ndarray, " words"],
    model: Float[np.ndarray, " words"],
    text: str,
) -> tuple[Figure, str]:
    """What two readers predict for the masked token of a text: bars side by side, a pair a word."""
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(words) + 1.2))
    rows = np.arange(len(words))
    axes.barh(rows - 0.19, perfect, 0.36, color=COLORS[1], label="the ideal reader")
    axes.barh(rows + 0.19, model, 0.36, color=COLORS[0], hatch="//", label="the model")
    axes.set_yticks(rows, words)
    axes.invert_yaxis()
    axes.set_xlabel("probability")
    axes.set_title("\n".join(textwrap.wrap(text, 78)), fontsize=9, loc="left")
    axes.legend(loc="lower right")
    told = ", ".join(
        f"{word} {ideal:.2f} and {guessed:.2f}"
        for word, ideal, guessed in zip(words, perfect, model, strict=True)
    )
    return figure, f"{text} The ideal reader's probabilities and the model's: {here(told)}."
