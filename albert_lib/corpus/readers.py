"""Reads text files, compressed or not, as streams of paragraphs: never whole in memory.

A reader yields parts of documents: some paragraphs, and whether the document ends with them. So
even a document need not fit in memory. Sentences are split later, in the processes that encode.

The last suffix (.gz, .bz2, .xz, .lzma) tells the compression; Python's standard library
decompresses the stream. Every error of a file becomes one TextError.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from albert_lib.corpus.layout import AUTO, PARAGRAPHS, WRAPPED, recognised_layout
from albert_lib.errors import TextError
from albert_lib.records import why
from albert_lib.text.sentence_marks import UNSPACED
from albert_lib.text.sentences import Document, split_sentences
from albert_lib.utf8 import decoded

LONGEST_LINE = 1 << 20
"""Bytes after which a line of plain text is cut, at a space if it has one."""

UNPACK: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".lzma": lzma.open,
}
# A line of these alone is blank to whoever looks at it: spaces, and marks without a width.
UNSEEN = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\xad\u061c\u1680\u180e\u2028\u2029\u202f\u205f\u3000\ufeff"
)
UNSEEN += "".join(
    map(chr, [*range(0x2000, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)])
)
PARAGRAPH_END = re.compile("\r\n|[\r\n\f\v\u2029]")  # a new page and Unicode's mark are one too
WITHOUT_SPACE = re.compile(rf"[{UNSPACED}\u3001-\u303F\uFF00-\uFF60]")  # nor its punctuation
LAYOUT_CHARACTERS = 1 << 22  # the beginning of a file, which decides its layout
PART_CHARACTERS = 1 << 18  # of one DocumentPart
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class Line(NamedTuple):
    """One line without its end, and the (compressed) bytes of the file read up to it."""

    text: str
    position: int


def kind_of(path: Path) -> str:
    """The suffix that tells what a file holds, without that of its compression.

    Example:
        >>> kind_of(Path("a.txt.xz")), kind_of(Path("b.jsonl"))
        ('.txt', '.jsonl')
    """
    return (path.with_suffix("") if path.suffix in UNPACK else path).suffix


def text_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a UTF-8 file, with any line endings; overlong lines in parts.

    Raises TextError when the file does not exist, is not UTF-8, or is a damaged archive.
    """
    done = 0
    for line, position in raw_lines(path, LONGEST_LINE):
        text = decoded(line, str(path), start=done, of=unpacked(path), marked=done == 0)
        done += len(line)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        for part in text.removesuffix("\n").split("\n"):
            yield Line(part if part.strip(UNSEEN) else "", position)


def raw_lines(path: Path, longest: int = -1) -> Iterator[tuple[bytes, int]]:
    """Yield the bytes of each line, its end included, and the bytes of the file read so far.

    Lines longer than `longest` bytes are split into parts; with -1, none are.
    """
    try:
        with path.open("rb") as file, UNPACK.get(path.suffix, lambda file: file)(file) as lines:
            kept = b""
            while block := lines.readline(longest):
                line, kept = kept + block, b""
                if len(block) == longest and not block.endswith(b"\n"):
                    line, kept = cut(line)
                yield line, file.tell()
            if kept:
                yield kept, file.tell()
    except FileNotFoundError:
        raise TextError(f"{path} does not exist; check the path.") from None
    except DAMAGED as problem:
        raise TextError(damaged(path, problem)) from None
    except OSError as problem:
        if problem.strerror is None:  # bz2's error for damaged data
            raise TextError(damaged(path, problem)) from None
        raise TextError(
            f"{path} cannot be read ({problem.strerror}); give a text file that you may open."
        ) from None


def cut(line: bytes) -> tuple[bytes, bytes]:
    """Split an overlong line after its last space, else between two characters.

    Example:
        >>> cut(b"the old mi")
        (b'the old ', b'mi')
    """
    end = line.rfind(b" ") + 1
    if end == 0:
        end = len(line)
        while end > 1 and line[end - 1] & 0xC0 == 0x80:  # inside a character of UTF-8
            end -= 1
        end -= end > 1 and line[end - 1] >= 0xC0
    return line[:end], line[end:]


def damaged(path: Path, problem: Exception) -> str:
    """The message for a file that cannot be decompressed to its end."""
    return (
        f"{path} is damaged or cut short ({str(problem).rstrip('.') or type(problem).__name__}); "
        f"copy or download it again."
    )


def unpacked(path: Path) -> str:
    """For a message: that a byte offset counts decompressed bytes, if the file is compressed."""
    return " of the decompressed text" if path.suffix in UNPACK else ""


def file_identity(path: Path) -> dict[str, int]:
    """Size in bytes and time of last change in ns, which identify a file's content."""
    try:
        state = os.stat(path)
    except OSError as problem:
        raise TextError(
            f"{path} cannot be read ({problem.strerror}); give a text file that you may open."
        ) from None
    return {"bytes": state.st_size, "changed_ns": state.st_mtime_ns}


class DocumentPart(NamedTuple):
    """Paragraphs of one document, whether it ends with them, and the bytes of the file read."""

    paragraphs: list[str]
    ends_document: bool
    position: int = 0


ReadingEvent = tuple[str | None, int]
"""A paragraph, or None where a document ends; and the bytes of the file read."""


def parts_of_text(path: Path, layout: str = AUTO) -> Iterator[DocumentPart]:
    """Read one text file, in one of the layouts of `read_text_file`, or whichever it is in."""
    lines = text_lines(path)
    if layout == AUTO:
        head = beginning_of(lines)
        layout = layout_of_lines(head)
        lines = chain(head, lines)
    if layout == WRAPPED:
        return gather(joined_lines(lines))
    if layout == PARAGRAPHS:
        return gather((text, position) for text, position in lines if text.strip())
    return gather((text if text.strip() else None, position) for text, position in lines)


def layout_of_file(path: Path) -> str:
    """The layout that is recognised in a text file. Errors are those of `text_lines`."""
    return layout_of_lines(beginning_of(text_lines(path)))


def layout_of_lines(lines: Iterable[Line]) -> str:
    """The layout that is recognised in lines."""
    return recognised_layout([[line.text for line in block] for block in blocks_of(lines)])


def beginning_of(lines: Iterator[Line]) -> list[Line]:
    """Take the lines that decide the layout: all of an ordinary file, the first of a big one."""
    head: list[Line] = []
    n_characters = 0
    for line in lines:
        head.append(line)
        n_characters += len(line.text) + 1
        if n_characters >= LAYOUT_CHARACTERS:
            break
    return head


def parts_of_jsonl(path: Path, field: str) -> Iterator[DocumentPart]:
    """Read one document a line from JSON objects that have their text under `field`."""
    return gather(events_of_jsonl(path, field))


def events_of_jsonl(path: Path, field: str) -> Iterator[ReadingEvent]:
    """Yield the lines of each object's text, then the end of its document."""
    for number, (line, position) in enumerate(raw_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number},"
        try:
            record = json.loads(decoded(line, where, marked=number == 1))
        except (ValueError, RecursionError) as problem:
            if isinstance(problem, TextError):
                raise
            raise TextError(
                f"{where} is not valid JSON ({why(problem)}); write one object a line."
            ) from None
        text = record.get(field) if isinstance(record, dict) else None
        if not isinstance(text, str):
            raise TextError(
                f'{where} has no text under "{field}"; name the right field with field=… or '
                f"--field."
            )
        yield from events_of(text, position)


def events_of(text: str, position: int = 0) -> Iterator[ReadingEvent]:
    r"""Yield the lines of a text, then the end of the document.

    Example:
        >>> list(events_of("The mill.\nA man.", position=16))
        [('The mill.', 16), ('A man.', 16), (None, 16)]
    """
    whole = text.encode("utf-8", "replace").decode()  # JSON allows half pairs
    for paragraph in PARAGRAPH_END.split(whole):
        yield paragraph, position
    yield None, position


def gather(events: Iterable[ReadingEvent]) -> Iterator[DocumentPart]:
    """Gather paragraphs into parts of documents, without blank paragraphs.

    Example:
        >>> list(gather([("The mill.", 9), (None, 10), ("  ", 12), (None, 13)]))
        [DocumentPart(paragraphs=['The mill.'], ends_document=True, position=10)]
    """
    paragraphs: list[str] = []
    n_characters = 0
    begun = False  # whether an earlier part of this document was yielded
    position = 0
    for text, position in events:
        if text is None:
            if paragraphs or begun:
                yield DocumentPart(paragraphs, True, position)
            paragraphs, n_characters, begun = [], 0, False
            continue
        if not text.strip():
            continue
        paragraphs += [part for part in PARAGRAPH_END.split(text) if part.strip()]
        n_characters += len(text)
        if n_characters >= PART_CHARACTERS:
            yield DocumentPart(paragraphs, False, position)
            paragraphs, n_characters, begun = [], 0, True
    if paragraphs or begun:
        yield DocumentPart(paragraphs, True, position)


def blocks_of(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the blocks of lines between blank lines."""
    for is_text, block in groupby(lines, key=lambda line: bool(line.text.strip())):
        if is_text:
            yield list(block)


def joined_lines(lines: Iterable[Line]) -> Iterator[ReadingEvent]:
    """Join the lines of each block into one paragraph; a very long block makes several."""
    block: list[str] = []
    n_characters = 0
    position = 0
    for text, position in lines:
        if text.strip():
            block.append(text)
            n_characters += len(text)
        if block and (not text.strip() or n_characters >= PART_CHARACTERS):
            yield one_line(block), position
            block, n_characters = [], 0
    if block:
        yield one_line(block), position


def one_line(lines: Sequence[str]) -> str:
    """One line of several, with a space between them in scripts that have spaces.

    Example:
        >>> one_line(["The old", "mill."]), one_line(["今日は", "雨です。"])
        ('The old mill.', '今日は雨です。')
    """
    pieces = [lines[0]]
    for before, line in pairwise(lines):
        ends, begins = before.rstrip()[-1:], line.lstrip()[:1]
        is_spaced = not (WITHOUT_SPACE.match(ends) and WITHOUT_SPACE.match(begins))
        pieces += [" ", line] if is_spaced else [line]
    return "".join(pieces)


def documents_of(parts: Iterable[DocumentPart]) -> Iterator[Document]:
    """Split the paragraphs of each document into sentences.

    Example:
        >>> list(documents_of([DocumentPart(["The mill is old. It is dry."], True)]))
        [['The mill is old.', 'It is dry.']]
    """
    document: Document = []
    for part in parts:
        for paragraph in part.paragraphs:
            document += split_sentences(paragraph)
        if part.ends_document:
            yield document
            document = []
