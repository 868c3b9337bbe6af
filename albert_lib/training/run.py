"""A run: the loop's rows read and recorded, and between steps what is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tqdm.auto import tqdm

from albert_lib.openmp import share_processors
from albert_lib.training import distributed
from albert_lib.training.history import History, Row, UnreadRow, read_row
from albert_lib.training.loop import TrainingLoop

STEPS_BETWEEN_READS = 10  # on an accelerator, reading a number makes it wait


@dataclass
class Run:
    """Trains by a loop, records, and evaluates, saves and calls back where it is due.

    After every `evaluate_every` steps and the last one, what `evaluate()` returns joins the row;
    then `keep(step)` is called, likewise by `keep_every`, and `save(step, history)` by
    `save_every`; then `on_step(row)` for every row. 0 means never. On an accelerator rows are read
    ten at a time.

    Attributes:
        steps: Of the whole run.
        history: Rows already there: a restored run goes on after the last. It is copied.
        progress: Whether the first process shows a progress bar.
    """

    steps: int
    history: History = field(default_factory=History)
    evaluate: Callable[[], Mapping[str, float]] | None = None
    evaluate_every: int = 0
    save: Callable[[int, History], object] | None = None
    save_every: int = 0
    keep: Callable[[int], object] | None = None
    keep_every: int = 0
    on_step: Callable[[Row], object] | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        self.history = History(list(self.history.rows))

    def train(self, loop: TrainingLoop[Any], until: int | None = None) -> History:
        """Take the loop's steps after the last row, up to `until` or all; return the history.

        To each row "seconds" is added, the making of the batch included: the mean of the steps
        that were read together. Raises TrainingError, naming the step, when a loss or gradient
        is not finite; what was saved before stays.
        """
        return self.train_in_stages([(loop, self.steps if until is None else until)])

    def train_in_stages(self, stages: Iterable[tuple[TrainingLoop[Any], int]]) -> History:
        """Train by one loop after another, each up to its step; return the history.

        A stage is asked for when the one before is done, so that it may change the model.
        """
        share_processors()
        hidden = not (self.progress and distributed.is_first())
        with tqdm(total=self.steps, initial=len(self.history), disable=hidden, unit="step") as bar:
            for loop, until in stages:
                self._take_steps(loop, until, bar)
        return self.history

    def _take_steps(self, loop: TrainingLoop[Any], until: int, bar: Any) -> None:
        """Take the loop's steps after the last row, up to `until`."""
        to_come = range(len(self.history), until)
        reads = 1 if loop.device.type == "cpu" else STEPS_BETWEEN_READS
        unread: list[UnreadRow] = []
        began = time.perf_counter()
        for row in loop.rows(to_come):
            unread.append(row)
            done = len(self.history) + len(unread)
            if len(unread) == reads or self._is_anything_due(done) or done == to_come.stop:
                self._record(unread, began, bar)
                unread, began = [], time.perf_counter()

    def _is_anything_due(self, done: int) -> bool:
        return self._evaluates(done) or self._keeps(done) or self._saves(done)

    def _evaluates(self, done: int) -> bool:
        return self.evaluate is not None and self._is_due(done, self.evaluate_every)

    def _saves(self, done: int) -> bool:
        return self.save is not None and self._is_due(done, self.save_every)

    def _keeps(self, done: int) -> bool:
        return self.keep is not None and self._is_due(done, self.keep_every)

    def _is_due(self, done: int, every: int) -> bool:
        return every > 0 and (done % every == 0 or done == self.steps)

    def _record(self, unread: list[UnreadRow], began: float, bar: Any) -> None:
        """Read rows and add them to the history; evaluate, save and call back where it is due."""
        read = [read_row(row) for row in unread]
        seconds = (time.perf_counter() - began) / len(read)
        rows: list[Row] = [{**row, "seconds": seconds} for row in read]
        done = len(self.history) + len(rows)
        if self.evaluate is not None and self._evaluates(done):
            rows[-1] = {**rows[-1], **self.evaluate()}
        self.history.rows.extend(rows)
        if self.keep is not None and self._keeps(done):
            self.keep(done)
        if self.save is not None and self._saves(done):
            self.save(done, self.history)
        bar.set_postfix(loss=f"{rows[-1]['loss']:.3f}", refresh=False)
        bar.update(len(rows))
        if self.on_step is not None:
            for row in rows:
                self.on_step(row)
