"""A folder for a report, which takes the place of a former report and of nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from albert_lib.errors import InputError, listed
from albert_lib.files import new_folder, ready_beside


def folder_to_replace(path: str | os.PathLike[str], files: Sequence[str]) -> Path:
    """`path`, if a new folder of `files` may take its place; InputError if it holds others.

    Asked before the work that the report is about: WriteError if none can be written there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "mine.txt").write_text("x")
        ...     folder_to_replace(folder, ["mine.txt"]).is_dir()
        True
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a folder for the report.")
    held = {item.name for item in target.iterdir()} if target.is_dir() else set()
    if others := sorted(held - set(files)):
        raise InputError(
            f"{target} holds {listed(others)}, which a report would replace; name a new folder."
        )
    ready_beside(target)
    return target


@contextlib.contextmanager
def new_report(path: str | os.PathLike[str], files: Sequence[str]) -> Iterator[Path]:
    """Yield an empty folder for `files`, which takes the place of a former one when complete.

    Raises InputError where the folder holds anything else, WriteError where it cannot be written.
    """
    with new_folder(folder_to_replace(path, files)) as unfinished:
        yield unfinished
