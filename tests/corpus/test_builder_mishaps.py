"""Building a corpus through kills, full disks and changed files: it goes on, or says why not."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from small_corpora import content, fail_after

from albert_lib.corpus.builder import CorpusBuilder
from albert_lib.errors import StoreError, TextError
from albert_lib.files import project_folder

SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows SIGTERM cannot be caught either


@pytest.mark.parametrize("n_calls", [6, 40, 150])
def test_a_full_disk_is_one_sentence_and_loses_nothing(
    texts: Path, builder, small_batches, monkeypatch, tmp_path: Path, n_calls: int
) -> None:
    builder(texts, name="undisturbed").build(1)
    with monkeypatch.context() as patch:
        fail_after(patch, n_calls, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(StoreError, match=r"No space left on device\); make room.*goes on"):
            builder(texts).build(1)
    assert not (tmp_path / "corpus").exists()
    builder(texts).build(1)
    assert content(tmp_path / "corpus") == content(tmp_path / "undisturbed")
    if n_calls > 100:
        assert builder(texts).counts()["effort"]["sittings"] == 2


def test_a_disk_without_locks_is_built_on(
    texts: Path, builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", no_locks)
    assert len(builder(texts).build(1)) == 2
    assert [item.name for item in tmp_path.glob("*corpus*")] == ["corpus"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_corpus_is_built_where_a_link_leads(
    texts: Path, builder, tmp_path: Path, is_there: bool
) -> None:
    elsewhere = tmp_path / "disk" / "big"
    elsewhere.mkdir(parents=True)
    if not is_there:
        elsewhere.rmdir()
    (tmp_path / "corpus").symlink_to(elsewhere)
    builder(texts).build(1)
    assert (tmp_path / "corpus").is_symlink()
    assert (elsewhere / "sources.json").is_file()


def test_a_corpus_that_cannot_be_replaced_is_back_in_its_place(
    texts: Path, builder, small_batches, monkeypatch, tmp_path: Path
) -> None:
    """The new one goes on from where it is, once the disk allows."""
    builder(texts).build(1)
    before = content(tmp_path / "corpus")
    (texts / "9.txt").write_text("One more day.\n\nAnother more.\n")
    rename, target = Path.rename, tmp_path / "corpus"

    def refuse_new(self: Path, to: Path) -> Path:
        if to == target and self.name == ".corpus.unfinished":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse_new)
        with pytest.raises(StoreError, match="Input/output error"):
            builder(texts).build(1, start_over=True)
    assert content(target) == before
    assert not (tmp_path / ".corpus.replaced").exists()
    assert builder(texts).build(1, start_over=True)[0].n_documents > 0
    assert content(target) != before


@pytest.mark.parametrize("bad", ["1.txt", "3.txt"])
def test_a_bad_file_keeps_what_was_read_before_it_and_can_be_mended(
    texts: Path, builder, small_batches, tmp_path: Path, bad: str
) -> None:
    builder(texts, name="undisturbed").build(1)
    good = (texts / bad).read_bytes()
    state = (texts / bad).stat()
    (texts / bad).write_bytes(good[:400] + b"\xff" + good[400:])
    for _ in range(2):
        with pytest.raises(TextError, match=rf"{bad} is not UTF-8 \(byte 400 "):
            builder(texts).build(1)
    counts = json.loads((tmp_path / ".corpus.unfinished" / "counts.json").read_text())
    assert counts["content"]["place"] == [int(bad[0]) - 1, 12], "all of the file before it"
    (texts / bad).write_bytes(good)
    os.utime(texts / bad, ns=(state.st_atime_ns, state.st_mtime_ns))
    builder(texts).build(1)
    assert content(tmp_path / "corpus") == content(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda texts: (texts / "0.txt").unlink(), r"0\.txt was read, and is gone"),
        (lambda texts: (texts / "0.txt").write_text("New."), r"0\.txt has changed since"),
        (lambda texts: (texts / "00.txt").write_text("New."), r"others come before it"),
    ],
    ids=["gone", "changed", "more"],
)
def test_a_source_that_is_not_what_it_was_is_named(
    texts: Path, builder, small_batches, monkeypatch, change, message: str
) -> None:
    with monkeypatch.context() as patch:
        fail_after(patch, 180, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            builder(texts).build(1)
    change(texts)
    with pytest.raises(StoreError, match=message + r".*--start-over"):
        builder(texts).build(1)
    assert len(builder(texts).build(1, start_over=True)) == 2


def test_other_settings_are_named(texts: Path, builder, small_batches, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        fail_after(patch, 100, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            builder(texts).build(1)
    with pytest.raises(StoreError, match=r"held_out_every was 5, is 6.*--start-over"):
        builder(texts, every=6).build(1)


@pytest.mark.parametrize("damage", ["flip", "tear"])
def test_a_torn_store_is_detected(
    texts: Path, builder, small_batches, monkeypatch, tmp_path: Path, damage: str
) -> None:
    with monkeypatch.context() as patch:
        fail_after(patch, 100, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            builder(texts).build(1)
    ids = tmp_path / ".corpus.unfinished" / "train" / "ids.bin"
    found = bytearray(ids.read_bytes())
    found[10] ^= 4
    ids.write_bytes(found if damage == "flip" else found[:20])
    with pytest.raises(StoreError, match=r"ids\.bin no longer holds what was written"):
        builder(texts).build(1)


def test_a_worker_that_dies_is_one_sentence(
    texts: Path, builder, small_batches, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    psutil = pytest.importorskip("psutil")
    builder(texts, name="undisturbed").build(1)
    write = CorpusBuilder._write

    def write_and_kill(self: CorpusBuilder, *arguments: object) -> None:
        write(self, *arguments)
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):  # one may be gone already
                if "worker_pool" in " ".join(child.cmdline()):
                    child.kill()

    with monkeypatch.context() as patch:
        patch.setattr(CorpusBuilder, "_write", write_and_kill)
        with pytest.raises(StoreError, match=r"worker process ended.*fewer --workers"):
            builder(texts).build(2)
    builder(texts).build(2)
    assert content(tmp_path / "corpus") == content(tmp_path / "undisturbed")


# -- real kills

DRIVER = """
import os, sys
import psutil
from albert_lib import AlbertTokenizer
from albert_lib.files import data_folder
from albert_lib.corpus import builder as building, encoding, journal, writing
from albert_lib.corpus.sources import file_units

texts, output, victim, n_calls, workers = sys.argv[1:]
encoding.BATCH_CHARACTERS = 700
place, name = {
    "append": (writing.GrowingFile, "append"),
    "flush": (writing.StoreWriter, "flush"),
    "save": (journal, "write_json"),
    "finish": (writing.StoreWriter, "finish"),
    "card": (building, "data_card"),
    "appear": (building, "replace_folder"),
    "move": (writing.StoreWriter, "move_last_document"),
}[victim]
real, calls = getattr(place, name), [0]

def deadly(*arguments, **settings):
    calls[0] += 1
    result = real(*arguments, **settings)
    if calls[0] == int(n_calls):
        children = psutil.Process().children(recursive=True)
        print(*[child.pid for child in children], flush=True)
        os.kill(os.getpid(), SIGKILL)
    return result

setattr(place, name, deadly)
every = 1000 if victim == "move" else 5
tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
builder = building.CorpusBuilder(file_units(texts), tokenizer, output, every)
builder.build(int(workers))
"""


def drive(texts: Path, output: Path, victim: str, n_calls: int, workers: int = 1) -> list[int]:
    """Build in another process until it kills itself; return the processes it had started."""
    pytest.importorskip("psutil")
    code = f"SIGKILL = {int(SIGKILL)}\n{textwrap.dedent(DRIVER)}"
    words = map(str, [texts, output, victim, n_calls, workers])
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=project_folder(), capture_output=True, text=True
    )
    assert done.returncode != 0, "it was not killed"
    assert "Traceback" not in done.stderr, done.stderr
    return list(map(int, done.stdout.split()))


@pytest.mark.parametrize(
    ("victim", "n_calls"),
    [("append", 3), ("append", 150), ("flush", 9), ("save", 5), ("finish", 1), ("finish", 2)]
    + [("card", 1), ("appear", 1), ("move", 1)],
)
def test_killed_and_started_again_it_ends_as_if_left_alone(
    texts: Path, builder, tmp_path: Path, victim: str, n_calls: int
) -> None:
    builder(texts, 1000 if victim == "move" else 5, name="undisturbed").build(1)
    drive(texts, tmp_path / "corpus", victim, n_calls)
    assert (tmp_path / "corpus").exists() == (victim == "appear")
    builder(texts, 1000 if victim == "move" else 5).build(1)
    assert content(tmp_path / "corpus") == content(tmp_path / "undisturbed")
    assert not (tmp_path / ".corpus.unfinished").exists()


def test_no_worker_outlives_a_kill(texts: Path, builder, tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    started = drive(texts, tmp_path / "corpus", "append", 100, workers=2)
    assert len(started) >= 2
    there = [psutil.Process(pid) for pid in started if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(there, timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    builder(texts, name="undisturbed").build(1)
    builder(texts).build(1)
    assert content(tmp_path / "corpus") == content(tmp_path / "undisturbed")
