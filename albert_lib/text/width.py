"""How wide a text is in columns of fixed width, as a terminal shows it."""

from __future__ import annotations

import unicodedata


def display_width(text: str) -> int:
    r"""The width of a text in a terminal, in columns: 2 for 日, 0 for a combining accent.

    Example:
        >>> [display_width(text) for text in ("mill", "日本", "e\u0301")]
        [4, 4, 1]
    """
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
