"""Figures controlled by sliders, with a static output for pages without a kernel."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
from IPython.display import display
from matplotlib.figure import Figure

from albert_lib.workbook.canonical import WIDGET_VIEW
from albert_lib.workbook.dials import Choice, FloatSlider, IntSlider
from albert_lib.workbook.figures import as_png, image_html

WIDGET_MARK = 'class="albert-widget"'  # in the static HTML of a widget

Drawing = tuple[Figure, str] | str  # a figure with its alternative text, or plain text


def slider(
    label: str,
    start: float | int,
    low: float | int,
    high: float | int,
    step: float | int = 1,
) -> IntSlider | FloatSlider:
    """A labelled slider; of whole numbers if all four values are whole.

    With the focus on it (Tab), arrow keys move it by `step`, Page Up and Page Down by more, Home
    and End to its ends. A drag counts when it ends, not at every step.
    """
    whole = all(isinstance(value, int) for value in (start, low, high, step))
    kind = IntSlider if whole else FloatSlider
    return kind(description=label, min=low, max=high, step=step, value=start)


def choice(label: str, options: Sequence[Any], start: Any = None) -> Choice:
    """A labelled drop-down list; starts at the first option unless `start` is given.

    With the focus on it (Tab), arrow keys and first letters choose.
    """
    value = options[0] if start is None else start
    return Choice(options, value, description=label)


def explorer(draw: Callable[..., Drawing], **dials: ipywidgets.Widget) -> None:
    """Show the result of `draw`, and redraw it whenever a control changes.

    `draw` takes the controls' values by name and returns (figure, alternative text), or text. The
    first result is also an ordinary output, for pages without a kernel.

        explorer(draw_lengths, rate=slider("masking rate", 0.15, 0.05, 0.5, 0.05),
                 max_ngram=slider("longest span, words", 3, 1, 5))
    """
    screen = ipywidgets.HTML()

    def picture() -> dict[str, str]:
        return picture_bundle(draw(**{name: dial.value for name, dial in dials.items()}))

    first = picture()
    screen.value = first["text/html"]

    def redraw(_: object) -> None:
        # the value of an HTML widget, not an output: nbval compares outputs
        screen.value = picture()["text/html"]

    for dial in dials.values():
        dial.observe(redraw, names="value")
    settings = ", ".join(f"{dial.description} {_setting(dial)}" for dial in dials.values())
    display_widget(
        ipywidgets.VBox([*dials.values(), screen]),
        {
            **first,
            "text/html": f"{first['text/html']}\n<p>Drawn for {html.escape(settings)}.</p>",
            "text/plain": f"{first['text/plain']}\n[drawn for {settings}]",
        },
    )


def display_widget(widget: ipywidgets.Widget, stand_in: Mapping[str, str]) -> None:
    """Display `widget`, and its static output `stand_in` where no kernel runs.

    `stand_in` has text/plain and text/html, and image/png where there is a figure.
    """
    bundle: dict[str, Any] = dict(stand_in)
    bundle["text/html"] = f"<div {WIDGET_MARK}>{stand_in['text/html']}</div>"
    bundle[WIDGET_VIEW] = widget._repr_mimebundle_()[WIDGET_VIEW]
    alt = {"image/png": {"alt": stand_in["text/plain"]}} if "image/png" in stand_in else {}
    display(bundle, raw=True, metadata=alt)


def picture_bundle(drawing: Drawing) -> dict[str, str]:
    """A figure with its alternative text, or a text, by MIME type."""
    if isinstance(drawing, str):
        return {"text/html": f"<pre>{html.escape(drawing)}</pre>", "text/plain": drawing}
    figure, alt = drawing
    encoded = as_png(figure)
    return {"text/html": image_html(encoded, alt), "image/png": encoded, "text/plain": alt}


def _setting(dial: ipywidgets.Widget) -> str:
    readout = getattr(dial, "readout_format", None)
    return format(dial.value, readout) if readout else str(dial.value)
