"""Sliders, choices, answer buttons and steps made of the browser's own, labelled controls.

ipywidgets has them too, but without names for a screen reader, and JupyterLab takes arrow keys,
letters and Enter away from them. What the browser shows is in dials.js, and how it looks in
dials.css; here are the values, which are traits as those of any widget:

    rate = FloatSlider(description="masking rate", value=0.15, min=0.05, max=0.6, step=0.05)
    rate.observe(lambda change: print(change["new"]), names="value")
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

HERE = Path(__file__).parent


class Dial(anywidget.AnyWidget):
    """What all controls share: a name, and the script and the looks in the browser."""

    _esm = HERE / "dials.js"
    _css = HERE / "dials.css"
    kind = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)


class _Slider(Dial):
    kind = traitlets.Unicode("slider").tag(sync=True)
    decimals = traitlets.Int(0).tag(sync=True)

    @property
    def readout_format(self) -> str:
        """How Python's `format` writes the value as the browser does."""
        return f".{self.decimals}f"

    @traitlets.validate("value")
    def _within_bounds(self, proposal: dict[str, Any]) -> Any:
        return min(max(proposal["value"], self.min), self.max)


class IntSlider(_Slider):
    """A slider over the whole numbers from `min` to `max`; `value` is an int."""

    min = traitlets.Int(0).tag(sync=True)
    max = traitlets.Int(100).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    value = traitlets.Int(0).tag(sync=True)


class FloatSlider(_Slider):
    """A slider from `min` to `max`, read to two decimals; `value` is a float."""

    # the browser sends 1.0 as 1, of which a Float makes a float again
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.1).tag(sync=True)
    value = traitlets.Float(0.0).tag(sync=True)
    decimals = traitlets.Int(2).tag(sync=True)


class Choice(Dial):
    """A drop-down list of `options`, any objects; `value` is the chosen one, `index` its place.

    Raises traitlets.TraitError for a value that is not among the options.
    """

    kind = traitlets.Unicode("choice").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)  # what the browser sees of options
    index = traitlets.Int(0).tag(sync=True)
    options = traitlets.Tuple()
    value = traitlets.Any()

    def __init__(self, options: Any, value: Any, **traits: Any) -> None:
        options = tuple(options)
        super().__init__(
            options=options,
            labels=[str(option) for option in options],
            value=value,
            **traits,
        )

    @traitlets.validate("value")
    def _among_options(self, proposal: dict[str, Any]) -> Any:
        if proposal["value"] not in self.options:
            raise traitlets.TraitError(
                f"{proposal['value']!r} is not among the options of {self.description!r}: "
                f"{', '.join(self.labels)}."
            )
        return proposal["value"]

    @traitlets.observe("value")
    def _find_place(self, change: dict[str, Any]) -> None:
        self.index = self.options.index(change["new"])

    @traitlets.observe("index")
    def _take_option(self, change: dict[str, Any]) -> None:
        self.value = self.options[change["new"]]


class AnswerButtons(Dial):
    """A question (`description`), a button for each of `labels`, and room for what is said.

    `pressed` is the place of the button that was pressed last, -1 before any was; `said` is HTML
    that a screen reader reads out when it changes.
    """

    kind = traitlets.Unicode("buttons").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pressed = traitlets.Int(-1).tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)


class Steps(Dial):
    """Buttons for what may come next, others after every step; their group is `description`.

    `pressed` is the place of the button that was pressed, and -1 again once whoever observes it
    has been told, so that a button can be pressed twice. `said` is text that a screen reader reads
    out when it changes.
    """

    kind = traitlets.Unicode("steps").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pressed = traitlets.Int(-1).tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)

    def on_press(self, press: Callable[[int], None]) -> None:
        """Call `press` with the place of each button that is pressed."""

        def released(change: dict[str, Any]) -> None:
            if change["new"] >= 0:
                press(change["new"])
                self.pressed = -1

        self.observe(released, names="pressed")
