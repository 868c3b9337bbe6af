"""Text files, packed or not, as streams of lines: never whole in memory.

Packing is told by the last suffix (.gz, .bz2, .xz, .lzma) and undone on the way by Python's own
library. Every error of a file becomes one TextError.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from albert_lib.errors import TextError

LONGEST_LINE = 1 << 20
"""Bytes after which a line of plain text is cut, at a space if it has one."""

UNPACK: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".lzma": lzma.open,
}
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class Line(NamedTuple):
    """One line, without its end, and how many bytes of the file (packed) were read up to it."""

    text: str
    position: int


def kind_of(path: Path) -> str:
    """The suffix that tells what a file holds, without the one of its packing: a.txt.xz → .txt."""
    return (path.with_suffix("") if path.suffix in UNPACK else path).suffix


def text_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a UTF-8 file, whichever line ends it has; overlong ones in parts.

    Raises TextError when the file is not there, is not UTF-8, or its packing is damaged.
    """
    done = 0
    for line, position in raw_lines(path, LONGEST_LINE):
        try:
            text = line.decode("utf-8" if done else "utf-8-sig")
        except UnicodeDecodeError as problem:
            raise TextError(
                f"{path} is not UTF-8 (byte {done + problem.start}{unpacked(path)} cannot be "
                f"read); save it again as UTF-8, for example with iconv -t UTF-8."
            ) from None
        done += len(line)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        for part in text.removesuffix("\n").split("\n"):
            yield Line(part, position)


def raw_lines(path: Path, longest: int = -1) -> Iterator[tuple[bytes, int]]:
    """Yield each line's bytes, its end included, and the bytes of the file read so far.

    Lines longer than `longest` bytes come in parts; -1: none do.
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
        if problem.strerror is None:  # what bz2 says of damage
            raise TextError(damaged(path, problem)) from None
        raise TextError(
            f"{path} cannot be read ({problem.strerror}); give a text file that you may open."
        ) from None


def cut(line: bytes) -> tuple[bytes, bytes]:
    """Part an overlong line after its last space, else between two characters."""
    end = line.rfind(b" ") + 1
    if end == 0:
        end = len(line)
        while end > 1 and line[end - 1] & 0xC0 == 0x80:  # inside a character of UTF-8
            end -= 1
        end -= end > 1 and line[end - 1] >= 0xC0
    return line[:end], line[end:]


def damaged(path: Path, problem: Exception) -> str:
    """The sentence for a packed file that cannot be unpacked to its end."""
    return (
        f"{path} is damaged or cut short ({str(problem).rstrip('.') or type(problem).__name__}); "
        f"copy or download it again."
    )


def unpacked(path: Path) -> str:
    """Which bytes an error counts, where a file has two kinds."""
    return " of the unpacked text" if path.suffix in UNPACK else ""


def file_identity(path: Path) -> dict[str, int]:
    """Size in bytes and time of change in ns, by which a file is known again."""
    try:
        state = os.stat(path)
    except OSError as problem:
        raise TextError(
            f"{path} cannot be read ({problem.strerror}); give a text file that you may open."
        ) from None
    return {"bytes": state.st_size, "changed_ns": state.st_mtime_ns}
