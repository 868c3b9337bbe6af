"""Prints numbers that differ between machines so that nbval still finds equal outputs.

nbval compares everything a cell prints except the text in `(here: …)`, which
tests/notebooks/nbval.cfg replaces on both sides.
"""

from __future__ import annotations

from typing import SupportsFloat

from albert_lib.errors import AlbertLibError

REMEDY = (
    "Restart the kernel and run all cells; if it stays outside, run `python -m albert_lib doctor`."
)


class NumberError(AlbertLibError, ValueError):
    """The lower end of a band is above its upper end."""


def here(value: object) -> str:
    """`(here: value)`: a value measured on this machine, which nbval does not compare."""
    text = str(value).replace("(", "[").replace(")", "]").replace("\n", " ")
    return f"(here: {text})"


def band(
    name: str,
    value: SupportsFloat,
    low: float | int,
    high: float | int,
    unit: str = "",
    *,
    digits: int = 2,
    remedy: str = REMEDY,
) -> None:
    """Print whether `value` lies in the promised band; inside it, the text is always the same.

    >>> band("held-out MLM loss", 5.43, 4.9, 6.1, "nats")
    held-out MLM loss: inside the promised 4.90 to 6.10 nats (here: 5.43)
    """
    value = float(value)
    if not low <= high:
        raise NumberError(f"The band of {name!r} runs from {low} to {high}; give low first.")
    promised = f"{low:,.{digits}f} to {high:,.{digits}f} {unit}".rstrip()
    shown = here(f"{value:,.{digits}f}")
    if low <= value <= high:
        print(f"{name}: inside the promised {promised} {shown}")
    else:
        side = "below" if value < low else "above" if value > high else "not a number, outside"
        print(f"{name}: {side} the promised {promised} {shown}. {remedy}")
