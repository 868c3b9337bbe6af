"""Where one English sentence ends and the next begins."""

from __future__ import annotations

import re

Document = list[str]
"""The sentences of one text, in order."""

# The lookbehind and possessive "++" keep the search linear: without them "....…" is searched
# again from each of its marks.
ENDING = r"(?<![.?!…])[.?!…]++[\"'”’)\]]*+\s++"
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
    the next word need not have one. The rules are for English; where they fail, a sentence is
    too long rather than cut in two. Takes time in proportion to the
    length of the paragraph.

    Example:
        >>> split_sentences('Mr. Smith left at 3 p.m. yesterday. "Why?" she asked. Nobody knew.')
        ['Mr. Smith left at 3 p.m. yesterday.', '"Why?" she asked.', 'Nobody knew.']
    """
    ending = BEFORE_ANYTHING if paragraph.islower() else BEFORE_A_CAPITAL
    sentences = []
    start = 0
    for match in ending.finditer(paragraph):
        if match[0].rstrip() == "." and is_abbreviated(last_word(paragraph, start, match.start())):
            continue
        sentences.append(paragraph[start : match.end()].strip())
        start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def last_word(text: str, start: int, end: int) -> str:
    """The last word of text[start:end], without copying what stands before it.

    Example:
        >>> last_word("He saw Dr. Jones", 0, 9)
        'Dr'
    """
    while end > start and text[end - 1].isspace():
        end -= 1
    begin = end
    while begin > start and not text[begin - 1].isspace():
        begin -= 1
    return text[begin:end]


def is_abbreviated(word: str) -> bool:
    """Whether the word before a dot is one that the dot abbreviates.

    Example:
        >>> [is_abbreviated(word) for word in ("Dr", "J", "U.S", "I", "mill")]
        [True, True, True, False, False]
    """
    word = word.lstrip(OPENING_QUOTES)
    if word == "I":  # nearly always the pronoun: "not as tall as I."
        return False
    return word.lower() in ABBREVIATIONS or INITIALS.fullmatch(word) is not None
