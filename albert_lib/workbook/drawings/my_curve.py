"""The figure of a learner's own ALBERT: its losses while it is trained, against the marks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from albert_lib.workbook.measured import here
from albert_lib.workbook.my_training import TrainedCurve
from albert_lib.workbook.style import COLORS

SMOOTHED = 10  # steps


def draw_my_curve(curve: TrainedCurve) -> tuple[Figure, str]:
    """The MLM loss of every step and its running mean, with ln V and the unigram entropy."""
    figure, axes = plt.subplots(figsize=(7, 3.6))
    steps = 1 + np.arange(curve.steps)
    axes.plot(steps, curve.mlm_loss, color=COLORS[5], linewidth=1, linestyle="-", label="each step")
    width = min(SMOOTHED, max(1, curve.steps // 5))
    means = np.convolve(curve.mlm_loss, np.ones(width) / width, mode="valid")
    axes.plot(steps[width - 1 :], means, color=COLORS[0], linestyle="-", label=f"mean of {width}")
    # Each name stands where the curve does not come: it falls on the left and ends on the right.
    marks = (
        ("ln V: knows nothing", curve.uniform, COLORS[2], (1, 3, "right", "bottom")),
        ("unigram: knows frequencies", curve.unigram, COLORS[3], (0, -4, "left", "top")),
    )
    for name, height, color, (side, away, horizontal, vertical) in marks:
        axes.axhline(height, color=color, linestyle="--", linewidth=1.2)
        axes.annotate(name, (side * curve.steps, height), xytext=(0, away),
                      textcoords="offset points", ha=horizontal, va=vertical, fontsize=9,
                      color=color)  # fmt: skip
    axes.set_ylim(bottom=min(curve.unigram, min(curve.mlm_loss)) - 0.35)
    axes.set_xlabel("step")
    axes.set_ylabel("MLM loss, nats a token")
    axes.set_title("Your ALBERT")
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.88))
    found = here(f"{curve.steps} steps, from {curve.first:.2f} to {curve.last:.2f} nats")
    return figure, (
        "The MLM loss of your ALBERT over the steps of its training, against two dashed marks: "
        f"it begins near the upper, ln V, and falls towards the lower, the unigram entropy {found}"
    )
