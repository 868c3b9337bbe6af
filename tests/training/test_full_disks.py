"""A folder that cannot be written to, or has no room left, costs no checkpoint."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_networks import names, network, optimizer_for, saved_run, take_step

from albert_lib import files
from albert_lib.errors import CheckpointError, WriteError
from albert_lib.training import (
    History,
    checkpoint,
    load_latest,
    save_checkpoint,
)


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


def test_a_full_disk_is_told_before_work_that_takes_long(small_disk: Path) -> None:
    assert files.ready_to_write(small_disk / "new") == small_disk / "new"
    assert names(small_disk / "new") == []
    (small_disk / "ballast").write_bytes(bytes(220 * 1024))
    with pytest.raises(WriteError, match=r"disk cannot be written \(No space left on device\)"):
        files.ready_to_write(small_disk)
    with pytest.raises(CheckpointError, match=r"run cannot be written to \(No space left on dev"):
        checkpoint.check_writable(small_disk / "run")
    (small_disk / "run").rmdir()
    assert names(small_disk) == ["ballast", "new"]


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
