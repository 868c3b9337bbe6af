"""Whether the files of a token store are what was written; a StoreError names one that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Int, Integer

from albert_lib.corpus.writing import checksum_of
from albert_lib.errors import StoreError

CHECKED_AT_ONCE = 1 << 20  # offsets


def check_bytes(file: Path, checksum: int) -> None:
    """Raise StoreError unless the file has this CRC-32."""
    try:
        found = checksum_of(file, file.stat().st_size)
    except OSError as problem:
        raise damaged_store(file, f"it cannot be read: {problem.strerror}") from None
    if found != checksum:
        raise damaged_store(file, "its bytes are not those that were written")


def check_offsets(
    file: Path, starts: Int[np.ndarray, " boundaries"], end: int, at_most: int | None = None
) -> None:
    """Raise StoreError unless the offsets in a file rise from 0 to the end.

    Looks at the first and the last one, and at all between or at the first `at_most`.

    Example:
        >>> check_offsets(Path("sentences.bin"), np.array([0, 4, 9]), end=9)
    """
    rises = len(starts) > 1 and starts[0] == 0 and starts[-1] == end
    looked_at = len(starts) if at_most is None else min(len(starts), at_most)
    for first in range(0, looked_at - 1, CHECKED_AT_ONCE):
        part = starts[first : min(first + CHECKED_AT_ONCE + 1, looked_at)]
        rises = rises and bool((part[1:] > part[:-1]).all())
    if not rises:
        raise damaged_store(file, f"its offsets do not rise from 0 to {end:,}")


def check_ids(file: Path, ids: Integer[np.ndarray, " tokens"], vocab_size: int) -> None:
    """Raise StoreError if a file holds ids that the vocabulary does not have.

    Example:
        >>> check_ids(Path("ids.bin"), np.array([0, 4]), vocab_size=5)
    """
    if len(ids) and int(ids.max()) >= vocab_size:
        raise damaged_store(file, f"it holds ids beyond the vocabulary of {vocab_size:,}")


def damaged_store(file: Path, problem: str) -> StoreError:
    """The error for a file of a store that is not what was written."""
    return StoreError(
        f"{file} is damaged ({problem}); copy it again from where it was built, or build it again."
    )
