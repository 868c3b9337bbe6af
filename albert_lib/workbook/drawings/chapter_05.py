"""Figures of chapter 5: steps per variable, the schedule, and loss curves with their marks."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albert_lib.training import History, warmup_linear
from albert_lib.workbook.style import COLORS

SMOOTHED_OVER = 25  # steps


def draw_relative_steps(adam: Mapping[str, float], lamb: Mapping[str, float]) -> Figure:
    """How far one step moves each variable, as a share of the variable's own length."""
    names = list(adam)
    figure, axes = plt.subplots(figsize=(7, 0.42 * len(names) + 1.2))
    rows = np.arange(len(names))
    axes.scatter([adam[name] for name in names], rows, marker="o", color=COLORS[0], label="Adam")
    axes.scatter([lamb[name] for name in names], rows, marker="D", color=COLORS[1], label="LAMB")
    axes.set_xscale("log")
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlabel("length of one step ÷ length of the variable")
    axes.legend(loc="lower right")
    return figure


def draw_schedule(peak: float, warmup_share: float, total_steps: int) -> tuple[Figure, str]:
    """The learning rate of every step, and the area under it: how far a run can walk in all."""
    warmup_steps = round(warmup_share * total_steps)
    steps = np.arange(total_steps)
    rates = np.array(
        [
            warmup_linear(step, peak=peak, warmup_steps=warmup_steps, total_steps=total_steps)
            for step in range(total_steps)
        ]
    )
    figure, axes = plt.subplots(figsize=(7, 3))
    axes.fill_between(steps, rates, color=COLORS[5], alpha=0.35)
    axes.plot(steps, rates, color=COLORS[0])
    axes.axvline(warmup_steps, color=COLORS[3], linestyle=":")
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.set_ylim(0, 0.045)
    axes.set_title(f"all rates together: {rates.sum():.1f}")
    alt = (
        f"The learning rate climbs in a straight line for {warmup_steps} steps to {peak:g}, then "
        f"falls in a straight line to 0 at step {total_steps}; the area under it is "
        f"{rates.sum():.1f}."
    )
    return figure, alt


def draw_curves(runs: Mapping[str, History], marks: Mapping[str, float]) -> Figure:
    """MLM losses of one run, or of several compared, against marks; and their accuracies."""
    figure, (loss, accuracy) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(1.5, 1))
    for number, (name, history) in enumerate(runs.items()):
        color, marker = COLORS[(0, 3)[number]], "oD"[number]
        if len(runs) == 1:
            training = smoothed(history.column("mlm_loss"))
            steps = np.arange(len(training)) + SMOOTHED_OVER
            label = f"training, mean of {SMOOTHED_OVER} steps"
            loss.plot(steps, training, color=COLORS[5], linestyle="-", label=label)
        loss.plot(
            *history.curve("held_out_mlm_loss"), marker=marker, markersize=4, color=color,
            linestyle="-", label=f"held-out, {name}",
        )  # fmt: skip
        for column, what, line in (
            ("held_out_sop_accuracy", "orders judged", "--"),
            ("held_out_mlm_accuracy", "pieces named", "-"),
        ):
            steps, values = history.curve(column)
            accuracy.plot(
                steps, 100 * values, marker=marker, markersize=4, color=color, linestyle=line,
                label=f"{what}, {name}",
            )  # fmt: skip
    longest = max(map(len, runs.values()))
    _draw_marks(loss, marks, longest)
    loss.set_xlabel("step")
    loss.set_ylabel("MLM loss, nats a piece")
    loss.legend(loc="center right", fontsize=9)
    _draw_marks(accuracy, {"a coin, for orders": 50}, longest)
    accuracy.set_ylim(0, 105)
    accuracy.set_xlabel("step")
    accuracy.set_ylabel("right on held-out text, %")
    accuracy.legend(loc="upper left", fontsize=8)
    return figure


def _draw_marks(axes: Axes, marks: Mapping[str, float], right: int) -> None:
    for name, value in marks.items():
        axes.axhline(value, color=COLORS[2], linestyle=":", linewidth=1.2)
        axes.annotate(
            name, (right, value), xytext=(0, 4), textcoords="offset points", ha="right", fontsize=9
        )


def smoothed(values: Float[np.ndarray, " steps"]) -> Float[np.ndarray, " windows"]:
    """The mean of every SMOOTHED_OVER neighbours: single batches are too noisy to read."""
    window = np.ones(SMOOTHED_OVER) / SMOOTHED_OVER
    return np.convolve(values, window, mode="valid")
