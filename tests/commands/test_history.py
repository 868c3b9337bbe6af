"""python -m albert_lib history: a run's rows as a table and a figure."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_networks import saved_run

from albert_lib.commands.history import averaged, draw_history
from albert_lib.training import History, load_latest

Run = Callable[..., str]


def test_the_table_has_every_row_and_every_column(run: Run, tmp_path: Path) -> None:
    saved_run(tmp_path / "run", steps=4)
    printed = run("history", tmp_path / "run", "--output", tmp_path / "log")
    assert printed.endswith("history.csv and history.png, 4 steps\n")
    found = load_latest(tmp_path / "run")
    assert found is not None
    with (tmp_path / "log" / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [{name: float(row[name]) for name in row} for row in rows] == found.history.rows
    assert (tmp_path / "log" / "history.png").stat().st_size > 1000
    run("history", tmp_path / "run", "--output", tmp_path / "log")  # may take its own place


def test_what_was_not_measured_is_empty(tmp_path: Path) -> None:
    rows = [{"step": 1, "mlm_loss": 6.0}, {"step": 2, "mlm_loss": 5.0, "held_out_mlm_loss": 5.5}]
    figure = draw_history(History(rows))
    (axes,) = figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[6.0, 5.0], [5.5]]
    assert [line.get_xdata().tolist() for line in axes.lines] == [[1, 2], [2]]


def test_a_long_curve_is_averaged_and_a_short_one_is_not() -> None:
    values = np.random.default_rng(0).normal(size=1001)
    steps, means = averaged(np.arange(1001), values)
    assert len(steps) == len(means) == 300
    assert steps[0] == 1.5 and means[0] == pytest.approx(values[:4].mean())
    assert means[-1] == pytest.approx(values[-3:].mean())
    assert averaged(np.arange(300), values[:300])[1].tolist() == values[:300].tolist()


def test_what_cannot_be_shown_is_one_sentence(refusal: Run, tmp_path: Path) -> None:
    assert "holds no checkpoint" in refusal("history", tmp_path, "--output", tmp_path / "log")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    assert "mine.txt" in refusal("history", tmp_path, "--output", tmp_path / "full")
