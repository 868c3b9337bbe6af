"""Files and folders that a user may not open are called closed: not empty, and not damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from albert_lib.checksums import find_damage, write_sums
from albert_lib.commands.convert import find_checkpoint
from albert_lib.commands.probe_curve import kept_models
from albert_lib.corpus.sources import file_units
from albert_lib.errors import AlbertLibError, CheckpointError, TextError
from albert_lib.finetuning.race import read_race
from albert_lib.probing.sets import blimp, winobias
from albert_lib.training import load_latest

NOBODY = 12001
READERS: dict[str, Callable[[Path], Any]] = {
    "texts": file_units,
    "pairs of sentences": blimp.read,
    "pairs of halves": winobias.read,
    "a run": load_latest,
    "models of a run": lambda folder: kept_models(folder.parent),
    "a checkpoint of TensorFlow's": find_checkpoint,
    "RACE": read_race,
}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may open; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="closed-places-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def nobody(place: Path) -> Iterator[None]:
    """Inside the test, a user without rights."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("root alone can act as another user")
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


def closed_folder(folder: Path) -> Path:
    os.seteuid(0)
    folder.mkdir()
    (folder / "a.txt").write_text("The man is a baker.")
    folder.chmod(0)
    os.seteuid(NOBODY)
    return folder


@pytest.mark.parametrize("reader", READERS)
def test_a_closed_folder_is_not_called_empty(place: Path, nobody: None, reader: str) -> None:
    folder = closed_folder(place / "models")
    with pytest.raises(AlbertLibError, match=r"models cannot be read \(Permission denied\); give"):
        READERS[reader](folder)


def test_a_closed_folder_among_texts_is_not_passed_over(place: Path, nobody: None) -> None:
    os.seteuid(0)
    (place / "a.txt").write_text("The man is a baker.")
    closed_folder(place / "closed")
    with pytest.raises(TextError, match=r"closed cannot be read \(Permission denied\)"):
        file_units(place)


@pytest.mark.parametrize("closed", ["weights.bin", "SHA256SUMS"])
def test_a_closed_file_is_not_called_damaged(place: Path, nobody: None, closed: str) -> None:
    os.seteuid(0)
    (place / "weights.bin").write_bytes(b"weights")
    write_sums(place, ["weights.bin"])
    (place / closed).chmod(0)
    os.seteuid(NOBODY)
    with pytest.raises(CheckpointError, match=rf"{closed} cannot be read \(Permission denied\)"):
        find_damage(place)


def test_a_text_that_a_link_no_longer_leads_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The man is a baker.")
    (tmp_path / "b.txt").symlink_to(tmp_path / "gone.txt")
    with pytest.raises(TextError, match=r"b\.txt is no file, or a link to one that is not there"):
        file_units(tmp_path)


def test_texts_behind_links_are_read_once_however_the_links_turn(tmp_path: Path) -> None:
    texts, elsewhere = tmp_path / "texts", tmp_path / "elsewhere"
    texts.mkdir(), elsewhere.mkdir()
    (texts / "a.txt").write_text("The man is a baker.")
    (elsewhere / "b.txt").write_text("The woman is a miller.")
    (texts / "more").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(texts)
    assert [unit.name for unit in file_units(texts)] == ["a.txt", "more/b.txt"]
