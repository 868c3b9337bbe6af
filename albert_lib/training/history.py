"""What a run records: one row a step, each a few named numbers; in memory and on disk."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from albert_lib.errors import AlbertLibError, CheckpointError
from albert_lib.files import flush_to_disk, new_file, read_json

Row = dict[str, int | float]
UnreadRow = dict[str, int | float | Tensor]  # numbers may still be on an accelerator


class TrainingError(AlbertLibError, ArithmeticError):
    """The loss or its gradient stopped being a finite number."""


@dataclass
class History:
    """The rows of a run in order; every row has "step", the number of steps done by then.

    Not every row has every column: held-out values stand only where they were measured.

    Example:
        >>> history = History([{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0, "seen": 9}])
        >>> len(history), history.columns()
        (2, ['step', 'loss', 'seen'])
    """

    rows: list[Row] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> list[str]:
        """Return the names of all columns, in the order in which they first appear.

        Example:
            >>> History([{"step": 1, "loss": 2.5}]).columns()
            ['step', 'loss']
        """
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def column(self, name: str) -> Float[np.ndarray, "values"]:
        """Return the values of one column, from the rows that have it.

        Example:
            >>> History([{"step": 1, "loss": 2.5}, {"step": 2}]).column("loss").tolist()
            [2.5]
        """
        return np.array([row[name] for row in self.rows if name in row], dtype=np.float64)

    def curve(self, name: str) -> tuple[Int[np.ndarray, "values"], Float[np.ndarray, "values"]]:
        """Return the steps at which a column was measured and its values there, ready to plot.

        Example:
            >>> steps, losses = History([{"step": 1}, {"step": 2, "loss": 2.5}]).curve("loss")
            >>> steps.tolist(), losses.tolist()
            ([2], [2.5])
        """
        steps = [row["step"] for row in self.rows if name in row]
        return np.array(steps, dtype=np.int64), self.column(name)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as a JSON list, a row a line."""
        lines = ",\n".join(json.dumps(row) for row in self.rows)
        Path(path).write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read what `save` wrote; raise CheckpointError when it is missing or damaged.

        The rows of a run that is being trained are in its history.jsonl: use `load_latest`.
        """
        rows = read_json(path)
        if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            raise CheckpointError(f"{path} is not a list of rows; restore it or train again.")
        return cls(rows)


@dataclass(frozen=True)
class HistoryPrefix:
    r"""The rows of a history file that belong to a checkpoint: those up to its step.

    Example:
        >>> HistoryPrefix().extended(b'{"step": 1}\n', 1)
        HistoryPrefix(rows=1, size=12, crc32=1787153683)
    """

    rows: int = 0
    size: int = 0  # bytes
    crc32: int = 0

    def extended(self, content: bytes, rows: int) -> HistoryPrefix:
        """Return the prefix with some more bytes, which hold so many rows."""
        crc32 = zlib.crc32(content, self.crc32)
        return HistoryPrefix(self.rows + rows, self.size + len(content), crc32)

    def to_dict(self) -> dict[str, int]:
        """Return the fields as JSON values."""
        return asdict(self)

    def find_damage(self, path: Path) -> str | None:
        """Say why `path` does not begin with these rows, or return None when it does."""
        try:
            content = read_beginning(path, self.size)
        except OSError as problem:
            return f"{path.name} cannot be read: {problem.strerror}"
        if len(content) < self.size:
            return f"{path.name} is {len(content)} bytes long instead of {self.size} or more"
        if zlib.crc32(content) != self.crc32:
            return f"{path.name} is not what was written"
        return None

    def read(self, path: Path) -> History:
        """Return these rows; they must be undamaged."""
        lines = read_beginning(path, self.size).decode("utf-8").splitlines()
        return History([json.loads(line) for line in lines])


def read_beginning(path: Path, size: int) -> bytes:
    """Return the first `size` bytes of a file, fewer if it is shorter."""
    if size == 0:
        return b""
    with path.open("rb") as file:
        return file.read(size)


@dataclass
class HistoryFile:
    """The rows of a run on disk, one JSON object a line; only new rows are written.

    `stored` are the rows that the file is known to begin with. Rows beyond them belong to a run
    that was killed after its last checkpoint: the next `append` writes over them.
    """

    path: Path
    stored: HistoryPrefix = field(default_factory=HistoryPrefix)

    def append(self, rows: Sequence[Row]) -> HistoryPrefix:
        """Write rows after the stored ones, down to the disk; return what is then stored."""
        content = "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8")
        if self.stored.size == 0:  # another run's file is replaced in one step
            with new_file(self.path) as unfinished:
                unfinished.write_bytes(content)
        elif content or self.path.stat().st_size > self.stored.size:
            with self.path.open("r+b") as file:
                file.truncate(self.stored.size)
                file.seek(self.stored.size)
                file.write(content)
            flush_to_disk(self.path)
        self.stored = self.stored.extended(content, len(rows))
        return self.stored


def read_row(unread: Mapping[str, int | float | Tensor]) -> Row:
    """Turn a step's tensors into numbers; raise TrainingError when one is not finite.

    Example:
        >>> import torch
        >>> read_row({"step": 1, "loss": torch.tensor(2.5), "gradient_norm": 1.0})
        {'step': 1, 'loss': 2.5, 'gradient_norm': 1.0}
    """
    row = {
        name: value.item() if isinstance(value, Tensor) else value for name, value in unread.items()
    }
    for name in ("loss", "gradient_norm"):
        if not math.isfinite(row[name]):
            raise TrainingError(
                f"Step {row['step']:.0f}: {name} is {row[name]}, so training cannot go on; "
                f"lower the learning rate (here {row['learning_rate']:.2g}) or warm up longer."
            )
    return row
