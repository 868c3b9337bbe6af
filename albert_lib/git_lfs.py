"""Git LFS keeps large files elsewhere; without it, a clone holds a note in the place of each."""

from __future__ import annotations

import contextlib
from pathlib import Path

from albert_lib.errors import AlbertLibError, CheckpointError

POINTER = b"version https://git-lfs.github.com/spec/"
POINTER_NOTE = (
    "a Git LFS pointer, a note in place of the file; run `git lfs pull` in its folder, or download "
    "the file itself"
)


def refuse_pointer(path: Path, error: type[AlbertLibError] = CheckpointError) -> None:
    """Raise `error` for what `git clone` without Git LFS leaves in place of a large file.

    Example:
        >>> from pathlib import Path
        >>> from albert_lib.git_lfs import refuse_pointer
        >>> refuse_pointer(Path("no such file"))
    """
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise error(f"{path} is {POINTER_NOTE}.")
