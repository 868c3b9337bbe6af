"""A text cut at the special pieces, such as [MASK], that are written in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from albert_lib.text.vocabulary import SPECIAL_PIECES

WRITTEN_SPECIALS = re.compile("(" + "|".join(map(re.escape, SPECIAL_PIECES)) + ")")


class Part(NamedTuple):
    """A stretch of a text: normalised and still to be cut, or a special piece as written."""

    text: str
    is_special: bool


def parts_of(text: str, normalize: Callable[[str], str]) -> list[Part]:
    """Cut a text at its special pieces; those stay as written, the rest is normalised.

    They are looked for first, as in `tokenizers`: what only becomes one by normalising, as <PAD>
    does in lower case, is text.
    """
    parts = []
    for place, written in enumerate(WRITTEN_SPECIALS.split(text)):
        is_special = place % 2 == 1  # between any two special pieces stands a text, even if ""
        part = written if is_special else normalize(written)
        if part:
            parts.append(Part(part, is_special))
    return parts
