"""The rows of a run: columns with gaps, and the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from albert_lib.errors import CheckpointError
from albert_lib.training import History

ROWS = [{"step": 1, "loss": 0.1 + 0.2}, {"step": 2, "loss": 1e-17, "held_out": 3.5}]


def test_a_column_keeps_to_the_rows_that_have_it() -> None:
    history = History(list(ROWS))
    assert history.columns() == ["step", "loss", "held_out"]
    assert history.column("loss").tolist() == [0.1 + 0.2, 1e-17]
    steps, values = history.curve("held_out")
    assert (steps.tolist(), values.tolist()) == ([2], [3.5])
    assert len(history.column("absent")) == 0


def test_the_file_keeps_every_bit(tmp_path: Path) -> None:
    for rows in ([], list(ROWS)):
        History(rows).save(tmp_path / "history.json")
        assert History.load(tmp_path / "history.json").rows == rows


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    for text, message in (("[{", "not valid JSON"), ('{"a": 1}', "not a list of rows")):
        path.write_text(text)
        with pytest.raises(CheckpointError, match=rf"history\.json is {message}"):
            History.load(path)
