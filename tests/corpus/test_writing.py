"""A store's files, broken off and gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from albert_lib.corpus import TokenStore
from albert_lib.corpus.writing import StoreWriter
from albert_lib.errors import StoreError


def add(writer: StoreWriter, *documents: list[list[int]]) -> None:
    for document in documents:
        ids = np.array([i for sentence in document for i in sentence])
        writer.append(ids, np.array([len(sentence) for sentence in document]))
        writer.end_document()


def half_written(folder: Path) -> dict:
    """Write two documents, keep the state as it would be read from disk, write on."""
    folder.mkdir()
    writer = StoreWriter(folder, 1000, "numbers")
    add(writer, [[7, 8], [9]], [[10]])
    writer.flush()
    state = json.loads(json.dumps(writer.state()))
    add(writer, [[11]], [[12]])
    writer.close()
    return state


def test_a_writer_goes_on_from_a_state_and_forgets_what_came_after(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "s", 1000, "numbers", half_written(tmp_path / "s"))
    add(writer, [[13, 14]])
    writer.finish()
    store = TokenStore.open(tmp_path / "s")
    assert store.ids.tolist() == [7, 8, 9, 10, 13, 14]
    assert store.sentence_starts.tolist() == [0, 2, 3, 4, 6]
    assert store.document_starts.tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("damage", ["flipped", "torn", "gone"])
@pytest.mark.parametrize("name", ["ids.bin", "sentences.bin", "documents.bin"])
def test_a_file_that_lost_what_was_written_is_refused(
    tmp_path: Path, name: str, damage: str
) -> None:
    state = half_written(tmp_path / "s")
    file = tmp_path / "s" / name
    content = bytearray(file.read_bytes())
    content[3] ^= 1
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:5] if damage == "torn" else content)
    with pytest.raises(StoreError, match=rf"{name} no longer holds what.*--start-over"):
        StoreWriter(tmp_path / "s", 1000, "numbers", state)


def test_the_last_document_moves_to_another_store(tmp_path: Path) -> None:
    writers = []
    for name in ("train", "held-out"):
        (tmp_path / name).mkdir()
        writers.append(StoreWriter(tmp_path / name, 70_000, "numbers"))
    train, held_out = writers
    add(train, [[7], [8, 9]], [[66_000, 11], [12]])
    train.move_last_document(held_out)
    for writer in writers:
        writer.finish()
    left, moved = (TokenStore.open(tmp_path / name) for name in ("train", "held-out"))
    assert (left.ids.tolist(), left.document_starts.tolist()) == ([7, 8, 9], [0, 2])
    assert moved.ids.tolist() == [66_000, 11, 12]
    assert moved.sentence_starts.tolist() == [0, 2, 3]
