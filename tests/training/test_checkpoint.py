"""Checkpoints: restored bit for bit; damage is found and said."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from small_networks import names, network, optimizer_for, saved_run, take_step
from torch import nn

from albert_lib.errors import CheckpointError
from albert_lib.training import (
    History,
    checkpoint,
    load_latest,
    save_checkpoint,
)

FILES = ("model.safetensors", "optimizer.safetensors", "state.json", "SHA256SUMS")


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


def test_another_format_is_refused(tmp_path: Path) -> None:
    saved_run(tmp_path, steps=1)
    state = tmp_path / "checkpoint-00000001" / "state.json"
    state.write_text(state.read_text().replace('"format_version": 2', '"format_version": 9'))
    sums = state.with_name("SHA256SUMS")
    lines = sums.read_text().splitlines()
    lines = [line for line in lines if "state.json" not in line]
    digest = hashlib.sha256(state.read_bytes()).hexdigest()
    sums.write_text("\n".join([*lines, f"{digest}  state.json"]) + "\n")
    with pytest.raises(CheckpointError, match="has format 9, this version of albert_lib reads 1"):
        load_latest(tmp_path)


def test_other_processes_open_the_checkpoint_that_the_first_has_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_run(tmp_path, steps=4)
    alone = checkpoint.load_latest_for_all(tmp_path)
    assert alone is not None and alone.step == 4
    monkeypatch.setattr(checkpoint.distributed, "is_first", lambda: False)
    for said in ("checkpoint-00000003", None):
        monkeypatch.setattr(checkpoint.distributed, "broadcast_json", lambda _, name=said: name)
        found = checkpoint.load_latest_for_all(tmp_path)
        assert (found and found.step) == (3 if said else None)
    monkeypatch.setattr(checkpoint.distributed, "broadcast_json", lambda _: "checkpoint-00000009")
    with pytest.raises(CheckpointError, match="checkpoint-00000009 is not seen by process 0"):
        checkpoint.load_latest_for_all(tmp_path)
