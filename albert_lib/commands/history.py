"""history: the rows of a run as a table for other programs, and its curves as a figure."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from albert_lib.commands.diagnose import saved_history
from albert_lib.report_folder import folder_to_replace, new_report
from albert_lib.training import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HISTORY_FILES = LOG, CURVES = "history.csv", "history.png"
PANELS = (  # title, unit, columns with their names
    (
        "loss",
        "nats",
        {
            "loss": "sum, training",
            "mlm_loss": "MLM, training",
            "held_out_mlm_loss": "MLM, held out",
        },
    ),
    (
        "accuracy on held-out text",
        "fraction",
        {"held_out_mlm_accuracy": "MLM", "held_out_sop_accuracy": "SOP"},
    ),
    ("learning rate", "", {"learning_rate": "learning rate"}),
)
POINTS = 300  # of a curve of every step: more are averaged, window by window


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("run", type=Path, help="folder of a run, the --output of pretrain")
    parser.add_argument("--output", type=Path, required=True, help=f"folder for {LOG} and {CURVES}")


def run(options: argparse.Namespace) -> int:
    """Write the rows of the newest undamaged checkpoint."""
    folder_to_replace(options.output, HISTORY_FILES)
    history = saved_history(options.run)
    with new_report(options.output, HISTORY_FILES) as unfinished:
        write_rows(history, unfinished / LOG)
        draw_history(history).savefig(unfinished / CURVES, dpi=150)
    print(f"{options.output}: {LOG} and {CURVES}, {len(history):,} steps")
    return 0


def write_rows(history: History, file: Path) -> None:
    """Write a line a step; a column that a step doesn't have is empty there."""
    with file.open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, history.columns())
        writer.writeheader()
        writer.writerows(history.rows)


def averaged(
    steps: np.ndarray, values: np.ndarray, points: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Return means over windows of equal length, where there are more values than `points`.

    Example:
        >>> averaged(np.arange(1, 7), np.array([1.0, 3.0, 5.0, 7.0, 9.0, 11.0]), points=3)
        (array([1.5, 3.5, 5.5]), array([ 2.,  6., 10.]))
    """
    if len(values) <= points:
        return steps, values
    windows = np.array_split(np.arange(len(values)), points)
    means = [np.array([each[window].mean() for window in windows]) for each in (steps, values)]
    return means[0], means[1]


def draw_history(history: History) -> Figure:
    """Draw losses, held-out accuracies and the learning rate, a panel each, over the steps.

    Example:
        >>> rows = [{"step": 1, "mlm_loss": 6.0, "learning_rate": 0.1}]
        >>> [axes.get_title() for axes in draw_history(History(rows)).axes]
        ['loss', 'learning rate']
    """
    # here and not at the top: most who run a command draw nothing
    from matplotlib.figure import Figure

    present = set(history.columns())
    panels = [panel for panel in PANELS if present & panel[2].keys()] or [PANELS[0]]
    figure = Figure(figsize=(7.2, 2.6 * len(panels)), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (title, unit, columns) in zip(grid, panels, strict=True):
        for name, label in columns.items():
            if name in present:
                axes.plot(*averaged(*history.curve(name)), label=label)
        axes.set_title(title)
        axes.set_ylabel(unit)
        axes.grid(alpha=0.3)
        if len(axes.lines) > 1:
            axes.legend()
    grid[-1].set_xlabel("step")
    return figure
