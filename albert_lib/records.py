"""Published data files, record by record, with complaints that name file and record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from albert_lib.errors import TextError
from albert_lib.files import read_text
from albert_lib.utf8 import decoded

RESTORE = "restore the file as it was published"


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    r"""Yield the number and the text of every line, which LF or CRLF ends and nothing else.

    Other characters that Python takes for the end of a line (a lone CR, U+0085, U+2028) belong to
    the text. A mark of the byte order at the beginning does not. Raises TextError where the file
    is missing or a line is not UTF-8.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.records import numbered_lines
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "dev.tsv"
        ...     _ = file.write_bytes("sentence\tlabel\r\na\u2028b\t1\n".encode())
        ...     list(numbered_lines(file))
        [(1, 'sentence\tlabel'), (2, 'a\u2028b\t1')]
    """
    for number, line in encoded_lines(file):
        yield number, decoded_line(file, number, line)


def encoded_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    r"""Yield the number and the bytes of every line; TextError where the file cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "dev.tsv"
        ...     _ = file.write_bytes(b"one\ntwo")
        ...     list(encoded_lines(file))
        [(1, b'one\n'), (2, b'two')]
    """
    try:
        with file.open("rb") as lines:
            yield from enumerate(lines, start=1)
    except FileNotFoundError:
        raise TextError(f"{file} does not exist; check the path.") from None
    except OSError as problem:
        raise TextError(
            f"{file} cannot be read ({problem.strerror}); give a text file that you may open."
        ) from None


def decoded_line(file: Path, number: int, line: bytes) -> str:
    r"""The text of one line, without its end; TextError naming file and line if it is not UTF-8.

    Example:
        >>> from pathlib import Path
        >>> decoded_line(Path("dev.tsv"), 1, "\ufeffZoë\r\n".encode())
        'Zoë'
    """
    text = decoded(line, f"{file}, line {number}", marked=number == 1)
    return text.removesuffix("\n").removesuffix("\r")


def json_lines(file: Path) -> Iterator[tuple[int, Any]]:
    r"""Yield the number and the value of every line that is not empty.

    Raises TextError naming file and line for what is not JSON.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.records import json_lines
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "pairs.jsonl"
        ...     _ = file.write_text('{"UID": "a"}\n\n[1]')
        ...     list(json_lines(file))
        [(1, {'UID': 'a'}), (3, [1])]
    """
    for number, line in numbered_lines(file):
        if not line.strip():
            continue
        yield number, json_of_line(file, number, line)


def json_of_line(file: Path, number: int, line: str) -> Any:
    """The value of one line of JSON; TextError naming file and line for what is not JSON.

    Example:
        >>> from pathlib import Path
        >>> from albert_lib.records import json_of_line
        >>> json_of_line(Path("pairs.jsonl"), 3, "[1]")
        [1]
    """
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise TextError(f"{file}, line {number} is not JSON ({why(problem)}); {RESTORE}.") from None


def json_objects(file: Path) -> Iterator[tuple[int, Any]]:
    r"""Yield the line on which each value of a file begins, and the value.

    The file may be one JSON value over any number of lines, a value a line, or several one after
    another. Raises TextError naming file and line for what is not JSON.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.records import json_objects
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "all.txt"
        ...     _ = file.write_text('{"id":\n "a"}{"id": "b"}\n[]\n')
        ...     list(json_objects(file))
        [(1, {'id': 'a'}), (2, {'id': 'b'}), (3, [])]
    """
    text = read_text(file)
    decoder = json.JSONDecoder()
    line, counted, place = 1, 0, _next_value(text, 0)
    while place < len(text):
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as problem:
            at = f"line {getattr(problem, 'lineno', line)}"
            raise TextError(f"{file}, {at} is not JSON ({why(problem)}); {RESTORE}.") from None
        yield line, value
        place = _next_value(text, end)


def why(problem: Exception) -> str:
    """What is wrong with a piece of JSON, for a sentence.

    Example:
        >>> import json
        >>> from albert_lib.records import why
        >>> try:
        ...     json.loads("[1,")
        ... except json.JSONDecodeError as problem:
        ...     why(problem)
        'Expecting value'
    """
    if isinstance(problem, RecursionError):
        return "too many brackets inside each other"
    return getattr(problem, "msg", None) or "a number too long"


def field(file: Path | str, where: str, record: Any, name: str, kind: type) -> Any:
    """The value of a field of a JSON object; TextError if it is missing or of another type.

    Example:
        >>> from pathlib import Path
        >>> from albert_lib.records import field
        >>> field(Path("dev.json"), "example 3", {"target": "nurse"}, "target", str)
        'nurse'
    """
    if not isinstance(record, dict) or name not in record:
        raise TextError(f"{file}: {where} has no {name!r}; {RESTORE}.")
    value = record[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TextError(
            f"{file}: {name!r} of {where} is {type(value).__name__}, not {kind.__name__}; "
            f"{RESTORE}."
        )
    return value


def text_field(file: Path | str, where: str, record: Any, name: str) -> str:
    r"""The text under a field of a JSON object, with "?" for each half of a pair of surrogates.

    JSON can write such halves, UTF-8 cannot. No other character moves. Errors are `field`'s.

    Example:
        >>> from pathlib import Path
        >>> from albert_lib.records import text_field
        >>> text_field(Path("dev.json"), "question 3", {"context": "a\ud800b"}, "context")
        'a?b'
    """
    value: str = field(file, where, record, name, str)
    return value.encode("utf-8", "replace").decode()


def _next_value(text: str, place: int) -> int:
    """The place of the first character that is not white space; the end if there is none."""
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
