"""Finding the files of published probe sets, and reading their tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from albert_lib.errors import TextError, listed
from albert_lib.files import read_text
from albert_lib.records import RESTORE


def one_file(path: Path, pattern: str, what: str) -> Path:
    """`path` if it is a file, or the one file in this folder that fits `pattern`.

    Raises TextError where there is none, or a choice.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing.sets.files import one_file
        >>> one_file(data_folder() / "probes", "*.csv", "the file of pairs").name
        'pairs.csv'
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        held = f"holds {listed(file.name for file in found)}" if found else f"holds no {pattern}"
        raise TextError(f"{path} {held}; name {what} itself.")
    return found[0]


def jsonl_files(path: Path) -> list[Path]:
    """`path` itself, or the .jsonl files of this folder in the order of their names.

    Example:
        >>> from pathlib import Path
        >>> from albert_lib.probing.sets.files import jsonl_files
        >>> [file.name for file in jsonl_files(Path("weat1.jsonl"))]
        ['weat1.jsonl']
    """
    return sorted(path.glob("*.jsonl")) if path.is_dir() else [path]


def table_rows(
    file: Path, columns: Collection[str], what: str, **dialect: Any
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the columns of every row of a file with a line of headings.

    `dialect` is what csv.DictReader takes; `what` names the authors' file in messages. Columns
    that a row lacks are None. Raises TextError for a missing column or what is not CSV.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing.sets.files import table_rows
        >>> rows = table_rows(data_folder() / "probes" / "pairs.csv", ["bias_type"], "the pairs")
        >>> line, row = next(rows)
        >>> line, "sent_more" in row
        (2, True)
    """
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""), **dialect)
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise TextError(f"{file} has no column {missing[0]!r} in its first line; give {what}.")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as problem:
        raise TextError(
            f"{file}, line {reader.reader.line_num} is not CSV ({problem}); {RESTORE}."
        ) from None
