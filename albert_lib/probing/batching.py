"""In what order sequences go through a model: those of similar length together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield the indices of sequences in batches, the shortest first, so that little is padding."""
    by_length = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(by_length), batch_size):
        yield by_length[start : start + batch_size]
