"""Where one sentence ends and the next begins."""

from __future__ import annotations

import re
import unicodedata

from albert_lib.text.sentence_marks import ASCII_TERMINALS, CLOSERS, OPENERS, TERMINALS, UNSPACED

Document = list[str]
"""The sentences of one text, in order."""

# The lookbehind and possessive "++" keep the search linear: without them "....…" is searched
# again from each of its marks. In ASCII an end has white space behind it; elsewhere it need not,
# and in French the quotation mark after it has a space before.
ASCII_ENDING = re.compile(r"(?<![.?!])([.?!]++)([\"')\]]*+)\s++")
BEFORE_A_CAPITAL = re.compile(ASCII_ENDING.pattern + r"(?=[\"'(\[]*[A-Z0-9])")  # for speed
ENDING = re.compile(
    rf"(?<![{TERMINALS}…])([{TERMINALS}…]++)([{CLOSERS}]*+(?:[ \u00a0\u202f]»(?=\s))?+)\s*+"
)
BEGINNING = re.compile(rf"[{OPENERS}]*+([^\W_])")
OPENER = re.compile(rf"[{OPENERS}]")
CONTINUES = re.compile(r"[,;:\-–—،؛、，；：・]")  # what follows belongs to the same sentence
AMBIGUOUS = ASCII_TERMINALS + "…"
UNSPACED_LETTER = re.compile(rf"[{UNSPACED}]")
OPENING_QUOTES = "\"'“‘(["
INITIALS = re.compile(r"[^\W\d_](\.[^\W\d_])+")  # e.g, U.S
ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st mt ft rev hon gen col capt lt sgt maj gov sen rep pres jr sr messrs mme "
    "vs cf al approx ca fig figs eq eqs sec vol vols ch pp ed eds trans no nos op ser "
    "b c d p r v jan feb mar apr jun jul aug sep sept oct nov dec inc ltd co corp dept univ".split()
)


def split_sentences(paragraph: str) -> list[str]:
    """Cut a paragraph into sentences, without the white space between them.

    A sentence ends at . ? or ! before white space and a capital letter, digit or quotation mark,
    unless the dot belongs to an abbreviation or an initial. In a text without any capital letter
    the next word need not have one, nor in a script that has none. The marks of other scripts
    (Unicode's Sentence_Terminal: 。 । ؟ ։ and 160 more) end a sentence with or without a space.
    The abbreviations are English. Where the rules fail, a sentence is too long rather than cut in
    two. Takes time in proportion to the length of the paragraph.

    Example:
        >>> split_sentences('Mr. Smith left at 3 p.m. yesterday. "Why?" she asked. Nobody knew.')
        ['Mr. Smith left at 3 p.m. yesterday.', '"Why?" she asked.', 'Nobody knew.']
        >>> split_sentences("雨です。明日は？ बारिश होती है। हम चलते हैं।")
        ['雨です。', '明日は？', 'बारिश होती है।', 'हम चलते हैं।']
    """
    wants_capital = not paragraph.islower()
    ending = ENDING
    if paragraph.isascii():
        ending = BEFORE_A_CAPITAL if wants_capital else ASCII_ENDING
        wants_capital = False  # the pattern has seen to it
    sentences = []
    start = 0
    for match in ending.finditer(paragraph):
        if match.end() < len(paragraph) and ends_sentence(paragraph, match, start, wants_capital):
            sentences.append(paragraph[start : match.end()].strip())
            start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def ends_sentence(text: str, match: re.Match[str], start: int, wants_capital: bool) -> bool:
    """Whether a sentence that began at `start` ends with the marks that were found.

    Example:
        >>> text = "v. 2.0。 次"
        >>> [ends_sentence(text, match, 0, True) for match in ENDING.finditer(text)]
        [False, False, True]
    """
    marks, closers = match.groups()
    after = match.end()
    if after == match.end(2):
        return ends_without_space(
            text[match.start() - 1 : match.start()], marks, closers, text[after]
        )
    if marks[-1] not in AMBIGUOUS:
        return CONTINUES.match(text, after) is None
    if wants_capital and not begins_sentence(text, after):
        return False
    is_dot = marks == "." and not closers
    return not (is_dot and is_abbreviated(last_word(text, start, match.start())))


def ends_without_space(before: str, marks: str, closers: str, after: str) -> bool:
    """Whether marks with no white space behind them end a sentence, between two characters.

    「行く。」と言った goes on, 「行く。」「来る。」 does not.

    Example:
        >>> ends_without_space("す", "。", "", "明"), ends_without_space("3", "．", "", "5")
        (True, False)
        >>> ends_without_space("く", "。", "」", "と"), ends_without_space("a", ".", "", "b")
        (False, False)
    """
    if closers:
        return marks[-1] not in AMBIGUOUS and OPENER.match(after) is not None
    if marks[-1] not in AMBIGUOUS:
        return CONTINUES.match(after) is None and not (before.isdigit() and after.isdigit())
    is_unspaced = UNSPACED_LETTER.match(after) is not None
    return is_unspaced and (
        marks[-1] in "?!" or (marks == "." and UNSPACED_LETTER.match(before) is not None)
    )


def begins_sentence(text: str, place: int) -> bool:
    """Whether a digit or a letter stands there that is not small, after quotation marks.

    Example:
        >>> [begins_sentence(text, 0) for text in ("(He", "he", "«Il", "été", "2", "वह", "- He")]
        [True, False, True, False, True, True, False]
    """
    match = BEGINNING.match(text, place)
    if match is None:
        return False
    letter = match[1]
    return not letter.islower() or letter.title() == letter  # Georgian words begin small


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
    is_initial = len(word) == 1 and (
        word.isupper() or unicodedata.bidirectional(word) in ("R", "AL")  # Arabic د. is Dr.
    )
    return is_initial or word.lower() in ABBREVIATIONS or INITIALS.fullmatch(word) is not None
