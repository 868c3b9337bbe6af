"""Rows are appended once, hashed once, and exact after a kill at any instant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_networks import network, optimizer_for, take_step

from albert_lib import checksums
from albert_lib.errors import CheckpointError
from albert_lib.training import (
    History,
    checkpoint,
    load_latest,
)
from albert_lib.training import history as history_module
from albert_lib.training.history import Row


def saves(folder: Path, steps: int, first: int = 1) -> Iterator[int]:
    """Save `steps` checkpoints by one writer, a row each; yield after every one."""
    model = network()
    optimizer = optimizer_for(model, "lamb")
    take_step(model, optimizer, 1)
    writer = checkpoint.CheckpointWriter(folder, {"seed": 7}, load_latest(folder))
    for step in range(first, first + steps):
        rows = [{"step": done, "loss": 1 / done} for done in range(1, step + 1)]
        writer.save(step, History(rows), model=model, optimizer=optimizer)
        yield step


def test_a_save_writes_no_more_the_longer_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    inside: list[int] = []
    append = history_module.HistoryFile.append

    def counted(file: history_module.HistoryFile, rows: list[Row]) -> object:
        before = file.path.stat().st_size if file.path.exists() else 0
        prefix = append(file, rows)
        written.append(file.path.stat().st_size - before)
        return prefix

    monkeypatch.setattr(history_module.HistoryFile, "append", counted)
    for step in saves(tmp_path, 300):
        folder = tmp_path / f"checkpoint-{step:08d}"
        inside.append(sum(file.stat().st_size for file in folder.iterdir()))
    assert len(written) == 300
    assert sum(written) == (tmp_path / "history.jsonl").stat().st_size
    assert max(written) < 60, "one row a save"
    assert max(inside) - min(inside) < 30, "and nothing inside the checkpoints grows"


def test_a_save_hashes_its_own_files_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    file_hash = checksums.file_hash

    def counted(path: Path) -> str:
        hashed.append(path)
        return file_hash(path)

    list(saves(tmp_path, 2))
    monkeypatch.setattr(checksums, "file_hash", counted)
    resumed = saves(tmp_path, 4, first=3)
    next(resumed)
    assert len(hashed) == 3 + 3, "of the checkpoint that the run goes on from, and of the new one"
    hashed.clear()
    for _ in resumed:
        assert sorted(path.name for path in hashed) == sorted(checkpoint.HASHED)
        hashed.clear()


def test_rows_past_the_last_checkpoint_are_written_over(tmp_path: Path) -> None:
    list(saves(tmp_path, 3))
    file = tmp_path / "history.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"step": 4, "loss": 99.0}\n{"step": 5, "lo')  # then it was killed
    found = load_latest(tmp_path)
    assert found is not None
    assert [row["step"] for row in found.history.rows] == [1, 2, 3]
    list(saves(tmp_path, 1, first=4))
    assert file.read_bytes() == whole + b'{"step": 4, "loss": 0.25}\n'


def test_killed_between_rows_and_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt  # as a kill would

    list(saves(tmp_path, 2))
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "write_files", die)
        with pytest.raises(KeyboardInterrupt):
            list(saves(tmp_path, 1, first=3))
    found = load_latest(tmp_path)
    assert found is not None
    assert (found.step, len(found.history)) == (2, 2)
    list(saves(tmp_path, 2, first=3))
    rows = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1, 2, 3, 4]


@pytest.mark.parametrize("harm", ["cut", "flip"])
def test_damage_in_the_last_rows_is_said_and_the_one_before_is_used(
    harm: str, tmp_path: Path
) -> None:
    list(saves(tmp_path, 3))
    file = tmp_path / "history.jsonl"
    content = bytearray(file.read_bytes())
    if harm == "flip":
        content[-5] ^= 4
    file.write_bytes(content[:-9] if harm == "cut" else content)
    with pytest.warns(UserWarning, match=r"checkpoint-00000003 is damaged \(history\.jsonl is"):
        found = load_latest(tmp_path)
    assert found is not None
    assert (found.step, len(found.history)) == (2, 2)


@pytest.mark.parametrize("harm", ["cut", "lose"])
def test_lost_rows_do_not_cost_the_weights(harm: str, tmp_path: Path) -> None:
    list(saves(tmp_path, 3))
    file = tmp_path / "history.jsonl"
    file.write_bytes(b"") if harm == "cut" else file.unlink()
    with (
        pytest.warns(UserWarning, match=r"history\.jsonl (is 0 bytes long|cannot be read)"),
        pytest.raises(CheckpointError, match=r"has lost the rows of checkpoint-00000003.*restore"),
    ):
        load_latest(tmp_path)
