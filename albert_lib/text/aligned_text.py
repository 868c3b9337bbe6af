r"""Normalised text that knows, for each of its characters, the slice of the original it stands for.

`normalize` throws away where things were: two spaces become one, ½ becomes three characters, an
accent disappears. A task whose answer is a piece of the text needs the way back. Here every step
of `normalize` is a list of edits (replace this slice by that string), and an edit carries the
original positions along. The text that comes out is the one that `normalize` returns; the tests
hold the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from albert_lib.text.normalize import remove_accents, repair_surrogates

SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
WHITE_SPACE = re.compile(r"\s+")
WRITTEN_QUOTES = re.compile("``|''")
NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Edit(NamedTuple):
    """Text from `start` up to `end` is replaced.

    Example:
        >>> Edit(3, 4, "1⁄2")
        Edit(start=3, end=4, replacement='1⁄2')
    """

    start: int
    end: int
    replacement: str


@dataclass(frozen=True)
class AlignedText:
    """A text, and for each of its characters a slice of the original that it came from.

    Example:
        >>> aligned = AlignedText.unchanged("a  ½").edit([Edit(1, 3, " "), Edit(3, 4, "1⁄2")])
        >>> aligned.text
        'a 1⁄2'
        >>> list(zip(aligned.starts, aligned.ends))
        [(0, 1), (1, 3), (3, 4), (3, 4), (3, 4)]
    """

    text: str
    starts: list[int]  # of each character's slice; never falling
    ends: list[int]  # likewise; each beyond its start

    @classmethod
    def unchanged(cls, text: str) -> AlignedText:
        """The original itself: each character stands for itself."""
        return cls(text, list(range(len(text))), list(range(1, len(text) + 1)))

    def cut(self, start: int, end: int) -> AlignedText:
        """The characters from `start` up to `end`; what is left out stands for nothing."""
        here = slice(start, end)
        return AlignedText(self.text[here], self.starts[here], self.ends[here])

    def edit(self, edits: Iterable[Edit]) -> AlignedText:
        """Replace slices, given from left to right; the rest stays.

        Each new character stands for all that its slice stood for. What is deleted belongs to the
        character before it, as an accent does to its letter (at the very start, to nothing).
        """
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, replacement in edits:
            parts += [self.text[done:start], replacement]
            starts += self.starts[done:start]
            ends += self.ends[done:start]
            if replacement:
                starts += [self.starts[start]] * len(replacement)
                ends += [self.ends[end - 1]] * len(replacement)
            elif ends:
                ends[-1] = self.ends[end - 1]
            done = end
        text = "".join([*parts, self.text[done:]])
        return AlignedText(text, starts + self.starts[done:], ends + self.ends[done:])


def align_normalized(
    text: str, *, lowercase: bool = True, keep_accents: bool = False, replace_quotes: bool = True
) -> AlignedText:
    r"""Do what `normalize` does with the same arguments, and say where each character came from.

    Example:
        >>> aligned = align_normalized(" The  CAFE\u0301")
        >>> aligned.text
        'the cafe'
        >>> aligned.starts[4], aligned.ends[7]  # "CAFE\u0301" with its accent
        (6, 11)
    """
    aligned = AlignedText.unchanged(text)
    if not text.isascii():
        aligned = aligned.edit(edits(SURROGATES, aligned.text, repair_surrogates))
    aligned = join_white_space(aligned)
    if replace_quotes:
        aligned = aligned.edit(edits(WRITTEN_QUOTES, aligned.text, lambda quotes: '"'))
    if not keep_accents and not text.isascii():
        # One character at a time is the same as all at once: NFKD then only moves marks past
        # other marks, and marks are dropped.
        aligned = aligned.edit(edits(NOT_ASCII, aligned.text, remove_accents))
    return lower(aligned) if lowercase else aligned


def edits(pattern: re.Pattern[str], text: str, replace: Callable[[str], str]) -> Iterator[Edit]:
    """The edits that put `replace(match)` in place of every match that it changes.

    Example:
        >>> list(edits(WRITTEN_QUOTES, "``a", lambda quotes: '"'))
        [Edit(start=0, end=2, replacement='"')]
    """
    for match in pattern.finditer(text):
        replacement = replace(match[0])
        if replacement != match[0]:
            yield Edit(match.start(), match.end(), replacement)


def join_white_space(aligned: AlignedText) -> AlignedText:
    r"""Cut white space off the ends, and make every other run of it one space.

    Example:
        >>> join_white_space(AlignedText.unchanged("\ta \n b "))
        AlignedText(text='a b', starts=[1, 2, 5], ends=[2, 5, 6])
    """
    start = len(aligned.text) - len(aligned.text.lstrip())
    aligned = aligned.cut(start, len(aligned.text.rstrip()))
    return aligned.edit(edits(WHITE_SPACE, aligned.text, lambda run: " "))


def lower(aligned: AlignedText) -> AlignedText:
    """Lower-case the text as a whole, since Σ at the end of a word is ς and elsewhere σ.

    Example:
        >>> lower(AlignedText.unchanged("ΑΣ")).text
        'ας'
    """
    lowered = aligned.text.lower()
    if len(lowered) != len(aligned.text):  # İ becomes two characters, no other becomes none or more
        aligned = aligned.edit(edits(NOT_ASCII, aligned.text, str.lower))
    return AlignedText(lowered, aligned.starts, aligned.ends)
