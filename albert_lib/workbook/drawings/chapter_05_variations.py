"""Figure of chapter 5: what sharing costs and what pairs teach, above the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albert_lib.experiments.stored_variations import StoredVariations
from albert_lib.experiments.variations import Outcome
from albert_lib.workbook.drawings.chapter_05_floor import draw_score
from albert_lib.workbook.style import COLORS

SHARING = ("all", "attention", "ffn", "none")
PAIRS = ("sop", "nsp", "none")
MARKERS = "oDs^"
Kinds = Mapping[str, Sequence[Outcome]]


def draw_variations(variations: StoredVariations) -> Figure:
    """Held-out curves of every kind of model: a row for sharing, a row for the task of pairs.

    A line is the mean over seeds, the band around it reaches from the lowest to the highest.
    """
    rows = {
        "shared between layers": {kind: variations.of(kind, "sop") for kind in SHARING},
        "trained on pairs": {kind: variations.of("all", kind) for kind in PAIRS},
    }
    figure, grid = plt.subplots(2, 2, figsize=(9, 7), sharex=True)
    for (title, kinds), (loss, order) in zip(rows.items(), grid, strict=True):
        draw_kinds(loss, kinds, "held_out_mlm_loss", 1.0)
        draw_score(loss, variations.floor.mlm_loss, 1.0, "the ideal reader")
        loss.set_yscale("log")
        loss.set_ylim(0.09, 9)
        loss.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
        loss.minorticks_off()
        loss.set_ylabel("MLM loss, nats a token")
        loss.legend(title=title, fontsize=9, title_fontsize=9, loc="upper right")
        draw_kinds(order, kinds, "held_out_sop_accuracy", 100.0)
        draw_score(order, variations.floor.sop_accuracy, 100.0, "")
        order.axhline(50, color=COLORS[5], linestyle=":")
        order.annotate("a coin", (1, 50), xycoords=("axes fraction", "data"), xytext=(-3, 3),
                       textcoords="offset points", ha="right", fontsize=9)  # fmt: skip
        order.set_ylim(40, 103)
        order.set_ylabel("orders judged rightly, %")
    for axes in grid[1]:
        axes.set_xlabel("step")
    return figure


def draw_kinds(axes: Axes, kinds: Kinds, column: str, scale: float) -> None:
    """A line a kind, with the band of its seeds."""
    for (name, outcomes), color, marker in zip(kinds.items(), COLORS, MARKERS, strict=False):
        steps = outcomes[0].curve.curve(column)[0]
        values = scale * np.array([each.curve.column(column) for each in outcomes])
        axes.plot(steps, values.mean(axis=0), color=color, marker=marker, markersize=5, label=name)
        axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15)
