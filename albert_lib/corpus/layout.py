"""How the lines of a text file make documents: said by the user, or recognised.

A file whose lines were broken to fit a page is told by what breaking looks like: a line stops in
mid-sentence and the next goes on in small letters, or each line is as full as the next word
allows. Punctuation alone does not tell: subtitles and children's speech have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from unicodedata import east_asian_width

from albert_lib.errors import TextError
from albert_lib.text.sentence_marks import CLOSERS, OPENERS, TERMINALS, UNSPACED
from albert_lib.text.width import display_width

AUTO, DOCUMENTS, PARAGRAPHS, WRAPPED = "auto", "documents", "paragraphs", "wrapped"
LAYOUTS = {
    DOCUMENTS: "a blank line ends a document, a line holds one or more whole sentences",
    PARAGRAPHS: "the file is one document, a line holds one or more whole sentences",
    WRAPPED: "the file is one document, lines break in mid-sentence, a blank line ends a paragraph",
}
"""What --layout takes besides "auto", and what each means."""

FINISHED = re.compile(rf"[{TERMINALS}…:;{CLOSERS}]$")  # a line after which another may begin
FIRST_LETTER = re.compile(rf"[{OPENERS}\s]*(\w)")
UNSPACED_LETTER = re.compile(rf"[{UNSPACED}]")
MEASURED_LINES = 2000  # of a file, at most
FEWEST_LINES = 3  # that must be full before their width counts as that of a page
NARROWEST_PAGE = 30  # columns
FULL = 0.9  # of the lines that are followed by another one
LONGEST_UNSPACED_WORD = {"W": 6, "other": 16}  # columns: of Chinese or Japanese, of Thai


def checked_layout(layout: str) -> str:
    """`layout` if it is "auto" or one of LAYOUTS; TextError otherwise.

    Example:
        >>> checked_layout("wrapped")
        'wrapped'
    """
    if layout != AUTO and layout not in LAYOUTS:
        raise TextError(f"layout is {layout!r}; make it {AUTO}, {' or '.join(LAYOUTS)}.")
    return layout


def recognised_layout(blocks: Sequence[Sequence[str]]) -> str:
    """Which of LAYOUTS the blocks of lines between blank lines have.

    Example:
        >>> recognised_layout([["The mill", "is old."], ["It is", "dry."]])
        'wrapped'
        >>> recognised_layout([["the mill", "it is dry"], ["a man"]])
        'documents'
        >>> recognised_layout([["It is."], ["So."]])
        'paragraphs'
    """
    if is_hard_wrapped(blocks):
        return WRAPPED
    return PARAGRAPHS if all(len(lines) <= 1 for lines in blocks) else DOCUMENTS


def is_hard_wrapped(blocks: Sequence[Sequence[str]]) -> bool:
    """Whether lines were broken to fit a page: most stop in mid-sentence, and it shows how.

    Example:
        >>> is_hard_wrapped([["The old", "mill is", "dry."]]), is_hard_wrapped([["It is.", "So."]])
        (True, False)
    """
    followed = [line.rstrip() for lines in blocks for line in lines[:-1]]
    unfinished = sum(FINISHED.search(line) is None for line in followed)
    if unfinished <= len(followed) / 2:
        return False
    return goes_on_small(blocks) or fills_a_page(blocks)


def goes_on_small(blocks: Iterable[Sequence[str]]) -> bool:
    """Whether most lines after the first of a block begin small, and first ones much less often.

    Example:
        >>> goes_on_small([["The old", "mill is", "dry."]]), goes_on_small([["old", "mill", "dry"]])
        (True, False)
    """
    firsts: list[bool] = []
    others: list[bool] = []
    for first, *rest in blocks:
        firsts.append(begins_small(first))
        others += map(begins_small, rest)
    share = sum(others) / max(1, len(others))
    return share > 0.5 and sum(firsts) / max(1, len(firsts)) < share / 2


def begins_small(line: str) -> bool:
    """Whether the first letter is small, of a script in which a sentence begins with a capital.

    Example:
        >>> [begins_small(line) for line in ("“is old", "Is", "2 mills", "है", "ძველი")]
        [True, False, False, False, False]
    """
    match = FIRST_LETTER.match(line)
    return match is not None and match[1].islower() and match[1].title() != match[1]


def fills_a_page(blocks: Iterable[Sequence[str]]) -> bool:
    """Whether nearly every line is so full that the next line's first word had no room in it.

    The width of the page is that of the widest lines but 2 %, in characters or in columns.

    Example:
        >>> import textwrap
        >>> text = "the old baker walks to the mill before dawn and sings of bread and water " * 3
        >>> fills_a_page([textwrap.wrap(text, 40)])
        True
        >>> fills_a_page([["the old baker walks to the mill", "he sings", "then all sleep", "so"]])
        False
    """
    sample: list[Sequence[str]] = []
    n_lines = 0
    for lines in blocks:
        sample.append(lines)
        n_lines += len(lines)
        if n_lines >= MEASURED_LINES:
            break
    texts = [[line.strip() for line in islice(lines, MEASURED_LINES)] for lines in sample]
    pairs = [pair for lines in texts for pair in pairwise(lines)]
    if len(pairs) < FEWEST_LINES:
        return False
    for width in (len, display_width):
        widths = sorted(width(line) for lines in texts for line in lines)
        page = widths[int(0.98 * (len(widths) - 1))]
        n_full = sum(width(line) + room_needed(after) > page for line, after in pairs)
        if page >= NARROWEST_PAGE and n_full >= FULL * len(pairs):
            return True
    return False


def room_needed(line: str) -> int:
    """The columns that the first word of a line takes behind another, with its space.

    Example:
        >>> room_needed("mill is old"), room_needed("今日は雨です")
        (5, 6)
    """
    word = line.partition(" ")[0]
    if UNSPACED_LETTER.match(word):
        longest = LONGEST_UNSPACED_WORD["W" if east_asian_width(word[0]) == "W" else "other"]
        return min(display_width(word), longest)
    return display_width(word) + 1
