"""Where one English sentence ends and the next begins."""

from __future__ import annotations

import re

Document = list[str]
"""The sentences of one text, in order."""

ENDING = r"[.?!…]+[\"'”’)\]]*\s+"
BEFORE_A_CAPITAL = re.compile(ENDING + r"(?=[\"'“‘(\[]*[^\W_a-z])")
BEFORE_ANYTHING = re.compile(ENDING + r"(?=\S)")
OPENING_QUOTES = "\"'“‘(["
INITIALS = re.compile(r"[A-Z]|[^\W\d_](\.[^\W\d_])+")  # J (as in J. Smith), e.g, U.S
ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st mt ft rev hon gen col capt lt sgt maj gov sen rep pres jr sr messrs mme "
    "vs cf al approx ca fig figs eq eqs sec vol vols ch pp ed eds trans no nos op ser "
    "b c d p r v jan feb mar apr jun jul aug sep sept oct nov dec inc ltd co corp dept univ".split()
)


def split_sentences(paragraph: str) -> list[str]:
    """Cut a paragraph into sentences, without the white space between them.

    A sentence ends at . ? or ! before white space and a capital letter, digit or quotation mark,
    unless the dot belongs to an abbreviation or an initial. In a text without any capital letter
    the next word need not have one. The rules are for English and right most of the time; where
    they are not, a sentence is too long rather than cut in two.
    """
    ending = BEFORE_ANYTHING if paragraph.islower() else BEFORE_A_CAPITAL
    sentences = []
    start = 0
    for match in ending.finditer(paragraph):
        if match[0].rstrip() == "." and is_abbreviated(paragraph[start : match.start()]):
            continue
        sentences.append(paragraph[start : match.end()].strip())
        start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def is_abbreviated(before_the_dot: str) -> bool:
    """Whether the word before a dot is one that the dot merely shortens."""
    words = before_the_dot.rsplit(maxsplit=1)
    word = words[-1].lstrip(OPENING_QUOTES) if words else ""
    if word == "I":  # nearly always the pronoun: "not as tall as I."
        return False
    return word.lower() in ABBREVIATIONS or INITIALS.fullmatch(word) is not None
