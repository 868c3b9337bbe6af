"""Telling English prose from everything else that stands in program documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from albert_lib.text.sentences import split_sentences

HEADING_RULE = re.compile(r"([=\-~^*#`'\"+._:])\1{2,}")  # a line such as ---------
FIELD = re.compile(r"(:\w[^:]*:(?!`)|@\w+|\.\. |\|)")  # :param x:  @return  .. directive  |table
BULLET = re.compile(r"([-*+•]|\(?\d+[.)]|\(?[a-z][.)])\s+")
SECTION_OF_LISTS = re.compile(
    r"(other )?(parameters|params|args|arguments|keyword arguments|keywords|kwargs|attributes|"
    r"returns?|yields?|receives|raises|warns|methods|examples?|usage|see also|references|"
    r"shape|inputs?|outputs?|todo|doctests?|authors?|copyright|license|internal)( \w+)?:*",
    re.IGNORECASE,
)

ROLE_WITH_TITLE = re.compile(r"(?::[\w:+.-]+:)?`([^`<>]+?)\s*<[^`<>]*>`_{0,2}")  # `title <target>`
ROLE = re.compile(r":[\w:+.-]+:`[~!]?([^`]*)`")  # :class:`name`
QUOTED_CODE = re.compile(r"``([^`]*)``|`([^`]*)`_{0,2}")
EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]+?)(?<=\S)\1(?![\w*])")
FOOTNOTE = re.compile(r"\s*\[[\w#*.]{1,12}\]_")

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+(?:['’-][A-Za-z]?[a-z]*)*|[A-Z]{1,6}s?")  # not camelCase
CODE = re.compile(r"[_=<>{}\[\]|\\/@#$%^~*+`]|\(\)|\w\.\w|\s[.,;:]|\.\.|---|::|\(\s|\w\(")
LATIN = re.compile(r"\b(e\.g|i\.e)\.")
FUNCTION_WORDS = frozenset(
    "the a an this that these those it its they them their there he she we you your our i his her "
    "of to in on at by for from with without into as than about over under between through "
    "and or but not no nor if when while because so then also only both either neither "
    "is are was were be been being has have had do does did will would can could may might must "
    "should shall which who whose what where how all any some each every other one such more most "
    "same see use used using does".split()
)


def prose_sentences(docstring: str) -> list[str]:
    """The sentences of a docstring that read like English, in order, without markup."""
    return [
        sentence
        for paragraph in paragraphs(inspect.cleandoc(docstring))
        for sentence in split_sentences(plain_text(paragraph))
        if reads_like_english(sentence)
    ]


def paragraphs(text: str) -> Iterator[str]:
    """Yield the running paragraphs of a cleaned docstring, each as one line.

    Left out: sections that are lists (parameters, returns, examples …), whatever is indented,
    headings, field lists, directives, tables and interpreter sessions. An item of a bulleted
    list is a paragraph.
    """
    in_list_section = False
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.splitlines() or [""]
        if is_heading(lines):
            in_list_section = SECTION_OF_LISTS.fullmatch(lines[0].strip()) is not None
            lines = lines[2:]
        elif SECTION_OF_LISTS.fullmatch(lines[0].strip()) and lines[0].strip().endswith(":"):
            continue  # "Args:" and what is indented under it
        if in_list_section:
            continue
        paragraph: list[str] = []
        for line in lines:
            stripped = line.strip()
            bullet = BULLET.match(stripped)
            if bullet or is_not_prose(line):
                yield " ".join(paragraph)
                paragraph = []
            if bullet:
                paragraph = [stripped[bullet.end() :]]
            elif line.startswith((" ", "\t")) and not paragraph:
                continue
            elif not is_not_prose(line):
                paragraph.append(stripped)
        yield " ".join(paragraph)


def is_heading(lines: list[str]) -> bool:
    """Whether a block begins with a title and a rule under it."""
    return len(lines) > 1 and HEADING_RULE.fullmatch(lines[1].strip()) is not None


def is_not_prose(line: str) -> bool:
    """Whether a line is a rule, a field, a directive, a table row or an interpreter prompt."""
    stripped = line.strip()
    return (
        stripped.startswith((">>>", "...", "$ ", "In [", "Out["))
        or FIELD.match(stripped) is not None
        or HEADING_RULE.fullmatch(stripped.replace(" ", "")) is not None
    )


def plain_text(paragraph: str) -> str:
    """Take reStructuredText's marks away and keep the words inside them."""
    text = ROLE_WITH_TITLE.sub(r"\1", paragraph)
    text = ROLE.sub(lambda match: match[1].rpartition(".")[2], text)
    text = QUOTED_CODE.sub(lambda match: match[1] or match[2] or "", text)
    text = EMPHASIS.sub(r"\2", text)
    return " ".join(FOOTNOTE.sub("", text).split())


def reads_like_english(sentence: str) -> bool:
    """Whether a sentence begins and ends like one, is made of plain words, and has grammar in it.

    It has 4 to 60 words, four in five of them plain; at least one in six is a function word (the,
    of, is …), which names, titles and lists of options lack; nothing in it looks like code.
    """
    if not sentence[0].isupper() or sentence.rstrip("\"')’”")[-1:] not in (".", "?", "!"):
        return False
    if CODE.search(LATIN.sub("", sentence)) or sentence.count("(") != sentence.count(")"):
        return False
    words = WORD.findall(sentence)
    if not 4 <= len(words) <= 60:
        return False
    n_plain = sum(PLAIN_WORD.fullmatch(word) is not None for word in words)
    n_function = sum(word.lower() in FUNCTION_WORDS for word in words)
    return n_plain >= 0.8 * len(words) and n_function >= len(words) / 6
