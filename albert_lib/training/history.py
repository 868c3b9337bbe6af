"""What a run wrote down: one row a step, each a few named numbers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from albert_lib.errors import CheckpointError
from albert_lib.files import read_json

Row = dict[str, int | float]


@dataclass
class History:
    """The rows of a run in order; every row has "step", the number of steps done by then.

    Not every row has every column: held-out values stand only where they were measured.
    """

    rows: list[Row] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> list[str]:
        """Return the names of all columns, in the order in which they first appear."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def column(self, name: str) -> Float[np.ndarray, "values"]:
        """Return the values of one column, from the rows that have it."""
        return np.array([row[name] for row in self.rows if name in row], dtype=np.float64)

    def curve(self, name: str) -> tuple[Int[np.ndarray, "values"], Float[np.ndarray, "values"]]:
        """Return the steps at which a column was measured and its values there, ready to plot."""
        steps = [row["step"] for row in self.rows if name in row]
        return np.array(steps, dtype=np.int64), self.column(name)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as JSON, a row a line."""
        lines = ",\n".join(json.dumps(row) for row in self.rows)
        Path(path).write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read what `save` wrote; raise CheckpointError when it is missing or damaged."""
        rows = read_json(path)
        if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            raise CheckpointError(f"{path} is not a list of rows; restore it or train again.")
        return cls(rows)
