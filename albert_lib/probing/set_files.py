"""What the readers of published probe sets share: finding the file, and complaining about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from albert_lib.errors import TextError, listed


def one_file(path: Path, pattern: str, what: str) -> Path:
    """`path` if it is a file, or the one file in this folder that fits `pattern`.

    Raises TextError where there is none, or a choice.
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        held = f"holds {listed(file.name for file in found)}" if found else f"holds no {pattern}"
        raise TextError(f"{path} {held}; name {what} itself.")
    return found[0]


def field(file: Path, where: str, record: Any, name: str, kind: type) -> Any:
    """The value of a field of a JSON object; TextError if it is missing or of another kind."""
    if not isinstance(record, dict) or name not in record:
        raise TextError(f"{file}: {where} has no {name!r}; restore the file as it was published.")
    value = record[name]
    if not isinstance(value, kind):
        raise TextError(
            f"{file}: {name!r} of {where} is {type(value).__name__}, not {kind.__name__}; "
            f"restore the file as it was published."
        )
    return value
