"""Text as bytes of UTF-8: decoded with a sentence for what is none, and cut into lines."""

from __future__ import annotations

import re

from albert_lib.errors import TextError
from albert_lib.not_text import not_text

AS_UTF8 = "save it again as UTF-8, for example with iconv -f UTF-16 -t UTF-8 (or -f WINDOWS-1252)"
LINE_END = re.compile("\r\n|\r|\n")


def decoded(content: bytes, name: str, *, start: int = 0, of: str = "", marked: bool = True) -> str:
    r"""Decode bytes of a UTF-8 text; `start` is the number of the first one, for messages.

    `of` says which text the number counts in. At the beginning of a file (`marked`) a mark of the
    byte order is left out. Raises TextError naming the first bad byte for what is not UTF-8 and for
    NULs: Latin text in UTF-16 without such a mark is full of them, and passes for UTF-8 otherwise.
    An archive, a PDF or a pointer of Git LFS is called what it is.

    Example:
        >>> decoded("\ufeffZoë".encode(), "a.txt")
        'Zoë'
    """
    if marked and (what := not_text(content)):
        raise TextError(f"{name} is {what}.")
    try:
        text = content.decode("utf-8-sig" if marked else "utf-8")
    except UnicodeDecodeError as problem:
        raise TextError(
            f"{name} is not UTF-8 (byte {start + problem.start}{of} cannot be read); {AS_UTF8}."
        ) from None
    if "\0" in text:
        raise TextError(
            f"{name} is no text in UTF-8 (byte {start + content.index(0)}{of} is NUL, as in UTF-16 "
            f"without its mark); {AS_UTF8}, or delete the NULs with tr -d '\\000'."
        )
    return text


def beyond_utf8(text: str) -> bool:
    r"""Whether a text holds halves of surrogate pairs, which UTF-8 cannot.

    Example:
        >>> beyond_utf8("Zoë"), beyond_utf8("a\udcff.txt")
        (False, True)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def split_lines(text: str) -> list[str]:
    r"""The lines of a text, which LF, CR or CRLF ends and nothing else.

    Python's splitlines would also end one at U+0085, an ellipsis that lost its encoding, and at
    U+2028, which belong to the text.

    Example:
        >>> split_lines("one\r\ntwo\u2028and\x85three\n")
        ['one', 'two\u2028and\x85three']
    """
    lines = LINE_END.split(text)
    return lines[:-1] if lines[-1] == "" else lines
