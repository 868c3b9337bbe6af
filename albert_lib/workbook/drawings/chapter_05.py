"""Figures of chapter 5: steps per variable, the schedule, loss curves with their marks, hearing."""

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
NO_CONTEXT = 1e-5  # relative change of a hidden state below which it is only rounding


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
            ("held_out_mlm_accuracy", "tokens named", "-"),
        ):
            steps, values = history.curve(column)
            accuracy.plot(
                steps, 100 * values, marker=marker, markersize=4, color=color, linestyle=line,
                label=f"{what}, {name}",
            )  # fmt: skip
    longest = max(int(history.rows[-1]["step"]) for history in runs.values())
    draw_marks(loss, marks, longest)
    loss.set_xlabel("step")
    loss.set_ylabel("MLM loss, nats a token")
    loss.legend(loc="center right", bbox_to_anchor=(1, 0.78), fontsize=9)
    draw_marks(accuracy, {"a coin, for orders": 50.0}, longest)
    accuracy.set_ylim(0, 105)
    accuracy.set_xlabel("step")
    accuracy.set_ylabel("right on held-out text, %")
    accuracy.legend(loc="upper left", fontsize=8)
    return figure


def draw_lookalikes(runs: Mapping[str, History], marks: Mapping[str, float]) -> Figure:
    """The training losses of runs that look alike, without their held-out values."""
    figure, axes = plt.subplots(figsize=(7, 3.4))
    for number, (name, history) in enumerate(runs.items()):
        training = smoothed(history.column("mlm_loss"))
        steps = np.arange(len(training)) + SMOOTHED_OVER
        axes.plot(steps, training, color=COLORS[(0, 1, 3)[number]], label=f"run {name}")
    draw_marks(axes, marks, max(map(len, runs.values())), offset=-13)
    axes.set_ylim(bottom=min(marks.values()) - 0.25)
    axes.set_xlabel("step")
    axes.set_ylabel(f"training MLM loss,\nmean of {SMOOTHED_OVER} steps, nats")
    axes.legend()
    return figure


def draw_copying_and_reading(history: History) -> Figure:
    """Answers at positions that show their token, which need only be copied, and at [MASK]."""
    figure, (shown, hidden) = plt.subplots(1, 2, figsize=(9, 3.2))
    steps, copied = history.curve("shown_accuracy")
    shown.plot(steps, 100 * copied, marker="o", markersize=3, color=COLORS[0])
    shown.set_ylim(0, 105)
    shown.set_title("where the token itself stands")
    shown.set_ylabel("copied, %")
    hidden.plot(*history.curve("known_text_loss"), marker="o", markersize=3, color=COLORS[0])
    unigram = float(history.column("unigram_entropy")[-1])
    draw_marks(hidden, {"unigram entropy": unigram}, int(steps[-1]))
    hidden.set_title("where [MASK] stands")
    hidden.set_ylabel("MLM loss, nats a token")
    for axes in (shown, hidden):
        axes.set_xlabel("step")
    return figure


def draw_context_sensitivity(runs: Mapping[str, History]) -> Figure:
    """How far a masked token's hidden state moves when all visible tokens are exchanged."""
    figure, axes = plt.subplots(figsize=(7, 3.2))
    for number, (name, history) in enumerate(runs.items()):
        color, marker = COLORS[(0, 3, 6)[number]], "oDs"[number]
        steps, sensitivity = history.curve("hearing")
        axes.plot(steps, sensitivity, marker=marker, markersize=4, color=color, label=name)
    axes.axhline(NO_CONTEXT, color=COLORS[2], linestyle=":", linewidth=1.2)
    axes.annotate(
        "no attention to context below", (0, NO_CONTEXT), xycoords=axes.get_yaxis_transform(),
        xytext=(4, 4), textcoords="offset points", fontsize=9,
    )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("change ÷ length\nof the hidden state")
    axes.legend(loc="center right")
    return figure


def draw_marks(axes: Axes, marks: Mapping[str, float], right: int, offset: int = 4) -> None:
    """A dotted line at each mark, its name above the line's end at `right`."""
    for name, value in marks.items():
        axes.axhline(value, color=COLORS[2], linestyle=":", linewidth=1.2)
        axes.annotate(
            name, (right, value), xytext=(0, offset), textcoords="offset points", ha="right",
            fontsize=9,
        )  # fmt: skip


def smoothed(values: Float[np.ndarray, " steps"]) -> Float[np.ndarray, " windows"]:
    """The mean of every SMOOTHED_OVER neighbours: single batches are too noisy to read."""
    window = np.ones(SMOOTHED_OVER) / SMOOTHED_OVER
    return np.convolve(values, window, mode="valid")


def draw_depth_and_rate(runs: Mapping[str, History], marks: Mapping[str, float]) -> Figure:
    """The training losses of runs of equal length, each from means of SMOOTHED_OVER steps.

    A history of all steps is averaged here; one of fewer rows was averaged when it was kept.
    """
    figure, axes = plt.subplots(figsize=(7, 3.6))
    for number, (name, history) in enumerate(runs.items()):
        steps, losses = history.curve("mlm_loss")
        if len(losses) == steps[-1]:
            steps, losses = steps[SMOOTHED_OVER - 1 :], smoothed(losses)
        axes.plot(
            steps, losses, color=COLORS[(0, 1, 3, 6, 4)[number]],
            linestyle=("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))[number],
            label=name,
        )  # fmt: skip
    longest = max(int(each.rows[-1]["step"]) for each in runs.values())
    draw_marks(axes, marks, longest, offset=-13)
    axes.set_ylim(top=max(marks.values()) + 2)  # what is above the marks all runs share
    axes.set_xlabel("step; the rate climbs with it")
    axes.set_ylabel(f"training MLM loss,\nmean of {SMOOTHED_OVER} steps, nats")
    axes.legend()
    return figure
