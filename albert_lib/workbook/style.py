"""The style of all figures, readable with any colour vision and in grey print."""

from __future__ import annotations

import matplotlib
from cycler import cycler

COLORS = ("#0072B2", "#E69F00", "#000000", "#D55E00", "#CC79A7", "#56B4E9", "#009E73")
"""Okabe and Ito's palette, for any colour vision.

It is ordered so that neighbours also differ in lightness and can be told apart in grey print.
"""

LINES = ("-", "--", "-", "-.", "--", ":", "-.")  # for those who see no colours
DOTS_PER_INCH = 110


def use_style() -> None:
    """Use the workbook's style for every figure of this kernel."""
    matplotlib.rcParams.update(
        {
            "figure.figsize": (7.0, 3.6),
            "figure.dpi": DOTS_PER_INCH,
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINES),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.alpha": 0.3,
            "lines.linewidth": 2,
            "legend.frameon": False,
            "image.cmap": "cividis",  # lightness rises evenly, for any colour vision
            "svg.hashsalt": "albert",
        }
    )
