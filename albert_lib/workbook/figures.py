"""`show`: display a figure with its alternative text."""

from __future__ import annotations

import base64
import html
import io

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.style import DOTS_PER_INCH


class FigureError(AlbertLibError, ValueError):
    """A figure has no alternative text."""


def show(figure: Figure, alt: str) -> None:
    """Display `figure` with `alt`, one or two sentences that say what it shows, and close it.

    `alt` is compared by nbval like any text: numbers that depend on the machine go through
    `here`. Raises FigureError when it is empty.
    """
    encoded = as_png(figure)
    display(
        {"text/html": image_html(encoded, alt), "image/png": encoded, "text/plain": alt},
        raw=True,
        metadata={"image/png": {"alt": alt}},
    )


def as_png(figure: Figure) -> str:
    """The figure as base64-encoded PNG; closes the figure, so that no cell shows it again."""
    buffer = io.BytesIO()
    # the "Software" entry would make the file differ between versions of matplotlib
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def image_html(encoded: str, alt: str) -> str:
    """An <img> of a base64-encoded PNG.

    JupyterLab drops alternative text in output metadata, but not in an <img>.
    """
    if not alt.strip():
        raise FigureError("This figure has no alternative text; say in a sentence what it shows.")
    return (
        f'<img alt="{html.escape(alt)}" style="max-width:100%" '
        f'src="data:image/png;base64,{encoded}">'
    )
