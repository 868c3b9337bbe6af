"""Documents as streams of paragraphs, so that even a document need not fit in memory.

A reader yields parts: some paragraphs, and whether the document ends with them. Sentences are
cut later, by whoever has time for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

from albert_lib.corpus.packed import Line, raw_lines, text_lines
from albert_lib.errors import TextError
from albert_lib.text.sentences import Document, split_sentences

UNFINISHED = re.compile(r"[^.?!:;\"'”’)\]…]$")  # how a line ends that goes on below
LAYOUT_CHARACTERS = 1 << 22  # the first part of a file, by which its layout is told
PART_CHARACTERS = 1 << 18  # after so many, a document's paragraphs are handed on


class Part(NamedTuple):
    """Paragraphs of one document, whether it ends with them, and the bytes of the file read."""

    paragraphs: list[str]
    ends_document: bool
    position: int = 0


Event = tuple[str | None, int]
"""A paragraph, or None where a document ends; and the bytes of the file read."""


def parts_of_text(path: Path) -> Iterator[Part]:
    """Read one text file, in whichever of the layouts of `read_text_file` it is.

    The first LAYOUT_CHARACTERS tell which: an ordinary file whole, a big one by its beginning.
    """
    lines = text_lines(path)
    head: list[Line] = []
    n_characters = 0
    for line in lines:
        head.append(line)
        n_characters += len(line.text) + 1
        if n_characters >= LAYOUT_CHARACTERS:
            break
    blocks = [[line.text for line in block] for block in blocks_of(head)]
    stream = chain(head, lines)
    if is_hard_wrapped(blocks):
        return gather(joined_lines(stream))
    if all(len(lines) <= 1 for lines in blocks):
        return gather((text, position) for text, position in stream if text.strip())
    return gather((text if text.strip() else None, position) for text, position in stream)


def parts_of_jsonl(path: Path, field: str) -> Iterator[Part]:
    """Read one document a line from JSON objects that have their text under `field`."""
    return gather(events_of_jsonl(path, field))


def events_of_jsonl(path: Path, field: str) -> Iterator[Event]:
    """Yield the lines of each object's text, then the end of its document."""
    for number, (line, position) in enumerate(raw_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number},"
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            raise TextError(f"{where} is not UTF-8; save the file again as UTF-8.") from None
        except json.JSONDecodeError as problem:
            raise TextError(
                f"{where} is not valid JSON ({problem.msg}); write one object a line."
            ) from None
        text = record.get(field) if isinstance(record, dict) else None
        if not isinstance(text, str):
            raise TextError(
                f'{where} has no text under "{field}"; name the right field with field=… or '
                f"--field."
            )
        yield from events_of(text, position)


def events_of(text: str, position: int = 0) -> Iterator[Event]:
    """Yield the lines of a text, then the end of the document."""
    whole = text.encode("utf-8", "replace").decode()  # JSON allows half pairs
    for paragraph in whole.splitlines():
        yield paragraph, position
    yield None, position


def gather(events: Iterable[Event]) -> Iterator[Part]:
    """Put paragraphs together to parts; leave out what is blank, documents of it too."""
    paragraphs: list[str] = []
    n_characters = 0
    begun = False  # whether an earlier part of this document was handed on
    position = 0
    for text, position in events:
        if text is None:
            if paragraphs or begun:
                yield Part(paragraphs, True, position)
            paragraphs, n_characters, begun = [], 0, False
            continue
        if not text.strip():
            continue
        paragraphs += text.splitlines()  # a form feed ends a line too
        n_characters += len(text)
        if n_characters >= PART_CHARACTERS:
            yield Part(paragraphs, False, position)
            paragraphs, n_characters, begun = [], 0, True
    if paragraphs or begun:
        yield Part(paragraphs, True, position)


def blocks_of(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the runs of lines between blank ones."""
    for is_text, block in groupby(lines, key=lambda line: bool(line.text.strip())):
        if is_text:
            yield list(block)


def joined_lines(lines: Iterable[Line]) -> Iterator[Event]:
    """Put the lines of a block together to one paragraph; an endless one is cut after a line."""
    block: list[str] = []
    n_characters = 0
    position = 0
    for text, position in lines:
        if text.strip():
            block.append(text)
            n_characters += len(text)
        if block and (not text.strip() or n_characters >= PART_CHARACTERS):
            yield " ".join(block), position
            block, n_characters = [], 0
    if block:
        yield " ".join(block), position


def is_hard_wrapped(blocks: Iterable[list[str]]) -> bool:
    """Whether most lines that have another one below them stop in mid-sentence."""
    followed = [line.rstrip() for lines in blocks for line in lines[:-1]]
    unfinished = sum(UNFINISHED.search(line) is not None for line in followed)
    return unfinished > len(followed) / 2


def documents_of(parts: Iterable[Part]) -> Iterator[Document]:
    """Cut the paragraphs of each document into sentences."""
    document: Document = []
    for part in parts:
        for paragraph in part.paragraphs:
            document += split_sentences(paragraph)
        if part.ends_document:
            yield document
            document = []
