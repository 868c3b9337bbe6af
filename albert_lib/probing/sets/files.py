"""Finding the files of published probe sets, and reading their tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from albert_lib.errors import TextError, listed, quoted
from albert_lib.files import read_text
from albert_lib.paths import open_folder
from albert_lib.records import RESTORE, decoded_line, encoded_lines, json_of_line

Read = TypeVar("Read")
NAMED = 5  # items that are left out
TAB = "\t"


class ReadItems(list[Read], Generic[Read]):
    """The items of a set, without those that are not as its authors' format has them.

    Published files have a slip here and there. One bad item is left out and named, so that the
    others still count; a set of nothing else is refused.

    Example:
        >>> from albert_lib.probing.sets.files import ReadItems
        >>> items = ReadItems()
        >>> for text in ("1", "x", "3"):
        ...     try:
        ...         items.append(int(text))
        ...     except ValueError:
        ...         items.leave_out(TextError(f"a.txt: {text!r} is no number; {RESTORE}."))
        >>> items, items.dropped
        ([1, 3], {"item not in the set's format (a.txt: 'x' is no number)": 1})
    """

    def __init__(self) -> None:
        """Begin without any."""
        super().__init__()
        self.problems: list[TextError] = []

    def take(self, make: Callable[[], Read]) -> None:
        """Append what `make` returns; leave it out if that raises TextError."""
        try:
            self.append(make())
        except TextError as problem:
            self.leave_out(problem)

    def leave_out(self, problem: TextError) -> None:
        """Count an item that cannot be read; `problem` names it."""
        self.problems.append(problem)

    def checked(self) -> ReadItems[Read]:
        """The same; TextError, that of the first item, if all of them were left out."""
        if self.problems and not self:
            raise self.problems[0]
        return self

    @property
    def dropped(self) -> dict[str, int]:
        """How many were left out, by reason, as in a SetResult; the first few are named."""
        if not self.problems:
            return {}
        named = "; ".join(str(problem).rpartition("; ")[0] for problem in self.problems[:NAMED])
        rest = len(self.problems) - NAMED
        more = f"; and {rest} more" if rest > 0 else ""
        return {f"item not in the set's format ({named}{more})": len(self.problems)}


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
    found = visible_files(path, pattern)
    if len(found) != 1:
        held = f"holds {listed(file.name for file in found)}" if found else f"holds no {pattern}"
        raise TextError(f"{path} {held}; name {what} itself.")
    return found[0]


def jsonl_files(path: Path) -> list[Path]:
    """`path` itself, or the .jsonl files of this folder in the order of their names.

    Hidden ones are none of the set's: macOS packs notes of its own beside every file.

    Example:
        >>> from pathlib import Path
        >>> from albert_lib.probing.sets.files import jsonl_files
        >>> [file.name for file in jsonl_files(Path("weat1.jsonl"))]
        ['weat1.jsonl']
    """
    return visible_files(path, "*.jsonl") if path.is_dir() else [path]


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """What fits a pattern in a folder, in the order of names, but no hidden file.

    Example:
        >>> from albert_lib.files import data_folder
        >>> [file.name for file in visible_files(data_folder() / "probes", "*.csv")]
        ['pairs.csv']
    """
    found = sorted(open_folder(folder, TextError).glob(pattern))
    return [file for file in found if not file.name.startswith(".")]


def jsonl_items(path: Path, make: Callable[[Path, int, Any], Read], what: str) -> ReadItems[Read]:
    r"""What `make` returns of every line's value, given the file and the line's number.

    Of a .jsonl file, or of all in a folder, without empty lines. A line that is not UTF-8 or no
    JSON, or that `make` refuses with TextError, is left out and named. Raises TextError where no
    line is left, which says that there is no `what`.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "a.jsonl"
        ...     _ = file.write_text('{"good": "Yes."}\n\n{"good": 1}\n')
        ...     items = jsonl_items(file, lambda f, n, r: texts_of(f, n, r, ["good"]), "texts")
        >>> items, sum(items.dropped.values())
        ([['Yes.']], 1)
    """
    items: ReadItems[Read] = ReadItems()

    def item(file: Path, number: int, line: bytes) -> Read:
        return make(file, number, json_of_line(file, number, decoded_line(file, number, line)))

    for file in jsonl_files(path):
        for number, line in encoded_lines(file):
            if line.strip():
                items.take(partial(item, file, number, line))
    if not items.checked():
        raise TextError(f"{path} has no {what}.")
    return items


def texts_of(file: Path, number: int, record: Any, names: Sequence[str]) -> list[str]:
    """The texts under some names in one line's record; TextError where one is missing or empty.

    Example:
        >>> texts_of(Path("a.jsonl"), 3, {"good": "Yes.", "bad": "Yes"}, ["good", "bad"])
        ['Yes.', 'Yes']
    """
    values = [record.get(name) if isinstance(record, dict) else None for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise TextError(f"{file}, line {number} has no text in {name!r}; {RESTORE}.")
    return [str(value) for value in values]


def table_rows(
    file: Path,
    columns: Collection[str],
    what: str,
    items: ReadItems[Any],
    skip: int = 0,
    **dialect: Any,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the columns of every row of a file with a line of headings.

    `dialect` is what csv.DictReader takes; `what` names the authors' file in messages; the first
    `skip` lines are passed over. Columns that a row lacks are None. `items` leave out what is not
    CSV: the lines from where a row begins to where that is seen. Raises TextError for a missing
    column.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing.sets.files import ReadItems, table_rows
        >>> pairs = data_folder() / "probes" / "pairs.csv"
        >>> rows = table_rows(pairs, ["bias_type"], "the pairs", ReadItems())
        >>> line, row = next(rows)
        >>> line, "sent_more" in row
        (2, True)
    """
    text = io.StringIO(read_text(file), newline="")
    for _ in range(skip):
        text.readline()
    reader = csv.DictReader(text, **dialect)
    _check_headings(file, reader, columns, what)
    while True:
        first = skip + reader.line_num + 1
        try:
            if (row := next(reader, None)) is None:
                return
        except csv.Error as problem:
            last = skip + reader.reader.line_num
            lines = f"line {last} is" if first == last else f"lines {first} to {last} are"
            items.leave_out(TextError(f"{file}, {lines} not CSV ({problem}); {RESTORE}."))
        else:
            yield skip + reader.line_num, row


def _check_headings(
    file: Path, reader: csv.DictReader[str], columns: Collection[str], what: str
) -> None:
    """Raise TextError unless the first line has these columns."""
    try:
        found = reader.fieldnames or ()
    except csv.Error as problem:
        raise TextError(f"{file} does not begin with CSV ({problem}); give {what}.") from None
    missing = next((name for name in columns if name not in found), None)
    if missing is None:
        return
    longer = next((heading for heading in found if missing in heading), None)
    ends = "tab" if reader.reader.dialect.delimiter == TAB else "comma"
    but = f" (but {quoted(longer, 40)}, and a {ends} ends a column)" if longer else ""
    raise TextError(f"{file} has no column {missing!r} in its first line{but}; give {what}.")
