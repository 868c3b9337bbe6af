"""Checkpoints: restored bit for bit; damage is found and said; a full disk harms nothing."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from albert_lib import files
from albert_lib.errors import CheckpointError
from albert_lib.training import (
    History,
    Lamb,
    MuonWithAdamW,
    checkpoint,
    load_latest,
    save_checkpoint,
)
from albert_lib.training import history as history_module
from albert_lib.training.history import Row

FILES = ("model.safetensors", "optimizer.safetensors", "state.json", "SHA256SUMS")


def network(seed: int = 0, width: int = 3) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))


def optimizer_for(model: nn.Module, kind: str) -> torch.optim.Optimizer:
    if kind == "lamb":
        return Lamb(model.parameters(), lr=0.01)
    if kind == "muon":
        matrices = [each for each in model.parameters() if each.ndim == 2]
        others = [each for each in model.parameters() if each.ndim != 2]
        groups = [{"params": matrices, "orthogonalize": True}, {"params": others}]
        return MuonWithAdamW(groups, lr=0.01)
    return torch.optim.AdamW(model.parameters(), lr=0.01, fused=kind == "fused adamw")


def take_step(model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    inputs = torch.randn(5, 4, generator=torch.Generator().manual_seed(step))
    optimizer.zero_grad()
    model(inputs).square().sum().backward()
    optimizer.step()


def saved_run(folder: Path, steps: int = 3, kind: str = "lamb") -> nn.Module:
    """Checkpoints after every one of `steps` steps; the model as it was after the last."""
    model = network()
    optimizer = optimizer_for(model, kind)
    for step in range(1, steps + 1):
        take_step(model, optimizer, step)
        history = History([{"step": done} for done in range(1, step + 1)])
        save_checkpoint(folder, step, history, model=model, optimizer=optimizer, run={"seed": 7})
    return model


def names(folder: Path) -> list[str]:
    """The names in a folder, beside the rows of a run."""
    return sorted(path.name for path in folder.iterdir() if path.name != "history.jsonl")


@pytest.mark.parametrize("kind", ["lamb", "adamw", "fused adamw", "muon"])
def test_going_on_equals_never_having_stopped(kind: str, tmp_path: Path) -> None:
    straight = network()
    straight_optimizer = optimizer_for(straight, kind)
    for step in range(1, 7):
        take_step(straight, straight_optimizer, step)

    saved_run(tmp_path, steps=3, kind=kind)
    resumed = network(seed=99)
    resumed_optimizer = optimizer_for(resumed, kind)
    found = load_latest(tmp_path)
    assert found is not None
    assert (found.step, found.run, len(found.history)) == (3, {"seed": 7}, 3)
    found.restore(resumed, resumed_optimizer)
    for step in range(4, 7):
        take_step(resumed, resumed_optimizer, step)
    for ours, theirs in zip(resumed.parameters(), straight.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_last_two_are_kept_and_the_hashes_are_the_standard_tools(tmp_path: Path) -> None:
    saved_run(tmp_path, steps=4)
    (tmp_path / ".checkpoint-00000005-x1y2").mkdir()  # as a kill leaves it
    saved_run(tmp_path, steps=5)
    assert names(tmp_path) == ["checkpoint-00000004", "checkpoint-00000005"]
    newest = tmp_path / "checkpoint-00000005"
    assert sorted(names(newest)) == sorted(FILES)
    for line in (newest / "SHA256SUMS").read_text().splitlines():
        value, name = line.split("  ")
        assert value == hashlib.sha256((newest / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["cut", "flip", "lose"])
def test_damage_is_said_and_the_one_before_is_used(name: str, harm: str, tmp_path: Path) -> None:
    saved_run(tmp_path, steps=3)
    file = tmp_path / "checkpoint-00000003" / name
    content = bytearray(file.read_bytes())
    if harm == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        content[len(content) // 2] ^= 4
        file.write_bytes(content)
    else:
        file.unlink()
    with pytest.warns(UserWarning, match=r"checkpoint-00000003 is damaged \(.*\) and left aside"):
        found = load_latest(tmp_path)
    assert found is not None
    assert found.step == 2


def test_a_damaged_later_one_does_not_outlive_the_next_save(tmp_path: Path) -> None:
    model = saved_run(tmp_path, steps=6)
    (tmp_path / "checkpoint-00000006" / "state.json").write_text("{}")
    shutil.rmtree(tmp_path / "checkpoint-00000005")
    saved_run(tmp_path / "other", steps=2)
    for step in (2, 1):
        shutil.move(tmp_path / f"other/checkpoint-0000000{step}", tmp_path)
    save_checkpoint(
        tmp_path, 3, History(), model=model, optimizer=optimizer_for(model, "lamb"), run={}
    )
    assert names(tmp_path) == ["checkpoint-00000002", "checkpoint-00000003", "other"]


def test_a_damaged_one_does_not_count_among_those_kept(tmp_path: Path) -> None:
    model = saved_run(tmp_path, steps=3)
    (tmp_path / "checkpoint-00000003" / "state.json").write_text("{}")
    save_checkpoint(
        tmp_path, 5, History(), model=model, optimizer=optimizer_for(model, "lamb"), run={}
    )
    assert names(tmp_path) == ["checkpoint-00000002", "checkpoint-00000005"]


@pytest.mark.parametrize("other", ["adamw", "muon"])
def test_the_state_of_another_optimizer_is_refused(other: str, tmp_path: Path) -> None:
    model = saved_run(tmp_path, steps=1)
    found = load_latest(tmp_path)
    assert found is not None
    with pytest.raises(CheckpointError, match=r"is of Lamb, but \w+ was requested"):
        found.restore(model, optimizer_for(model, other))


def test_all_damaged_is_as_none(tmp_path: Path) -> None:
    assert load_latest(tmp_path) is None
    saved_run(tmp_path, steps=1)
    (tmp_path / "checkpoint-00000001" / "model.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning, match="is damaged"):
        assert load_latest(tmp_path) is None


def test_two_torn_ones_in_a_row_are_both_said(tmp_path: Path) -> None:
    saved_run(tmp_path, steps=2)
    saved_run(tmp_path / "longer", steps=3)
    shutil.move(tmp_path / "longer" / "checkpoint-00000003", tmp_path)
    for step in (2, 3):
        file = tmp_path / f"checkpoint-0000000{step}" / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.warns(UserWarning) as said:
        found = load_latest(tmp_path)
    assert ["00000003" in str(said[0].message), "00000002" in str(said[1].message)] == [True] * 2
    assert found is not None
    assert found.step == 1


def test_killed_while_removing_an_old_one_leaves_nothing_that_looks_like_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(path: Path, **_: object) -> None:
        (Path(path) / "model.safetensors").unlink()
        raise KeyboardInterrupt  # as a kill would, before the rest is removed

    saved_run(tmp_path, steps=2)
    monkeypatch.setattr(checkpoint.shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.remove(tmp_path / "checkpoint-00000001")
    monkeypatch.undo()
    assert names(tmp_path) == [".checkpoint-00000001-old", "checkpoint-00000002"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_latest(tmp_path) is not None
    saved_run(tmp_path, steps=3)
    assert names(tmp_path) == ["checkpoint-00000002", "checkpoint-00000003"]


def test_a_folder_that_cannot_be_written_to_is_said_before_training(
    tmp_path: Path, small_disk: Path
) -> None:
    checkpoint.check_writable(tmp_path / "new" / "run")
    assert names(tmp_path / "new" / "run") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"file.run cannot be written to .*name another"):
        checkpoint.check_writable(tmp_path / "file" / "run")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(CheckpointError, match=r"cannot be written to \(Read-only file system\)"):
        checkpoint.check_writable(small_disk / "run")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB of its own, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a small disk")
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_really_full_disk_is_said_and_the_last_good_one_stays(small_disk: Path) -> None:
    model = network(width=3000)  # 72 kB, and twice that for the optimizer
    optimizer = optimizer_for(model, "lamb")
    how = {"model": model, "optimizer": optimizer, "run": {}}
    save_checkpoint(small_disk, 1, History(), **how)
    take_step(model, optimizer, 1)
    with pytest.raises(CheckpointError, match=r"00000002 could not be written .*free some disk"):
        save_checkpoint(small_disk, 2, History(), **how)
    assert names(small_disk) == ["checkpoint-00000001"]
    found = load_latest(small_disk)
    assert found is not None
    assert found.step == 1


def test_a_full_disk_is_said_and_the_last_good_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = saved_run(tmp_path, steps=2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def no_space(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "flush_to_disk", no_space)
    with pytest.raises(CheckpointError, match=r"00000003 could not be written .*No space"):
        save_checkpoint(
            tmp_path, 3, History(), model=model, optimizer=optimizer_for(model, "lamb"), run={}
        )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_real_limit_on_file_size_is_said(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="POSIX alone can limit a file's size")
    model = network(width=500)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(CheckpointError, match="free some disk space and run again"):
            save_checkpoint(
                tmp_path, 1, History(), model=model, optimizer=optimizer_for(model, "lamb"), run={}
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


def test_another_models_weights_are_refused(tmp_path: Path) -> None:
    saved_run(tmp_path, steps=1)
    found = load_latest(tmp_path)
    assert found is not None
    for other, message in (
        (network(width=6), r"0\.weight has shape \(3, 4\) there and \(6, 4\) here"),
        (nn.Sequential(nn.Linear(4, 3)), r"2\.bias is in only one of the two"),
    ):
        with pytest.raises(CheckpointError, match=message):
            found.restore(other, optimizer_for(other, "lamb"))


def test_an_undamaged_folder_warns_of_nothing(tmp_path: Path) -> None:
    saved_run(tmp_path, steps=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_latest(tmp_path)
    assert found is not None
    assert found.step == 2


# -- rows are appended, hashes made once


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
    file_hash = checkpoint.file_hash

    def counted(path: Path) -> str:
        hashed.append(path)
        return file_hash(path)

    list(saves(tmp_path, 2))
    monkeypatch.setattr(checkpoint, "file_hash", counted)
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


def test_another_format_is_refused(tmp_path: Path) -> None:
    list(saves(tmp_path, 1))
    state = tmp_path / "checkpoint-00000001" / "state.json"
    state.write_text(state.read_text().replace('"format_version": 2', '"format_version": 9'))
    sums = state.with_name("SHA256SUMS")
    lines = sums.read_text().splitlines()
    lines = [line for line in lines if "state.json" not in line]
    digest = hashlib.sha256(state.read_bytes()).hexdigest()
    sums.write_text("\n".join([*lines, f"{digest}  state.json"]) + "\n")
    with pytest.raises(CheckpointError, match="has format 9, this version of albert_lib reads 1"):
        load_latest(tmp_path)
