"""From steps to rows of the history, and what is done between steps: looking, saving, telling."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from albert_lib.errors import AlbertLibError
from albert_lib.training.history import History, Row


class TrainingError(AlbertLibError, ArithmeticError):
    """The loss or its gradient stopped being a finite number."""


@dataclass
class Recorder:
    """Records a run's steps and does what is due after them; the clock starts with it.

    Attributes:
        history: Receives the rows.
        bar: Moves on with them.
        steps: How many steps the whole run has.
        reads: After so many steps, at the latest, numbers are read: an accelerator waits for it.
        evaluate: As the others, as in `train`.
        unread: The steps whose numbers are not read yet.
        clock: When the first of them began.
    """

    history: History
    bar: Any
    steps: int
    reads: int
    evaluate: Callable[[], Mapping[str, float]] | None
    evaluate_every: int
    checkpoint: Callable[[int, History], object] | None
    checkpoint_every: int
    on_step: Callable[[Row], object] | None
    unread: list[dict[str, int | float | Tensor]] = field(default_factory=list)
    clock: float = field(default_factory=time.perf_counter)

    def add(self, done: int, values: Mapping[str, int | float | Tensor]) -> None:
        """Take note of a step, the `done`-th; raise TrainingError once a number is not finite."""
        self.unread.append({"step": done, **values})
        evaluating = self.evaluate is not None and is_due(done, self.evaluate_every, self.steps)
        saving = self.checkpoint is not None and is_due(done, self.checkpoint_every, self.steps)
        if not (evaluating or saving or len(self.unread) >= self.reads or done == self.steps):
            return
        rows = self._read()
        if evaluating and self.evaluate is not None:
            rows[-1].update(self.evaluate())
        self.history.rows.extend(rows)
        if saving and self.checkpoint is not None:
            self.checkpoint(done, self.history)
        self._tell(rows)
        self.unread.clear()
        self.clock = time.perf_counter()

    def _read(self) -> list[Row]:
        """Turn the steps' tensors into numbers, with the mean of the seconds that they took."""
        rows = [read_row(values) for values in self.unread]
        seconds = (time.perf_counter() - self.clock) / len(rows)
        return [{**row, "seconds": seconds} for row in rows]

    def _tell(self, rows: list[Row]) -> None:
        """Show rows to whoever looks at the run."""
        self.bar.set_postfix(loss=f"{rows[-1]['loss']:.3f}", refresh=False)
        self.bar.update(len(rows))
        if self.on_step is not None:
            for row in rows:
                self.on_step(row)


def read_row(values: Mapping[str, int | float | Tensor]) -> Row:
    """Turn a step's tensors into numbers; raise TrainingError when one is not finite."""
    row = {
        name: value.item() if isinstance(value, Tensor) else value for name, value in values.items()
    }
    for name in ("loss", "gradient_norm"):
        if not math.isfinite(row[name]):
            raise TrainingError(
                f"Step {row['step']:.0f}: {name} is {row[name]}, so training cannot go on; "
                f"lower the learning rate (here {row['learning_rate']:.2g}) or warm up longer."
            )
    return row


def is_due(done: int, every: int, steps: int) -> bool:
    """Whether something done after every `every` steps (0: never), and after the last, is due."""
    return every > 0 and (done % every == 0 or done == steps)
