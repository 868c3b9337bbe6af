"""Building a corpus: the same whatever the number of processes, kills and mishaps."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import pytest

from albert_lib.errors import StoreError, TextError
from albert_lib.files import project_folder
from albert_lib.objectives import TokenStore, building, reading, writing
from albert_lib.objectives.building import CorpusBuilder
from albert_lib.objectives.encoding import encode
from albert_lib.objectives.reading import Place, read_batches
from albert_lib.text import AlbertTokenizer, read_documents, split_documents
from albert_lib.text.corpus import file_units

WORDS = "baker miller sailor bread water before sings walks the and old mill".split()
SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows SIGTERM cannot be caught either


def write_texts(folder: Path, n_files: int = 5, n_documents: int = 12) -> Path:
    """Write documents of one to six short paragraphs, by files."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for number in range(n_files):
        documents = [
            "\n".join(
                " ".join(rng.choice(WORDS, 9)).capitalize() + ". It was so."
                for _ in range(rng.integers(1, 7))
            )
            for _ in range(n_documents)
        ]
        (folder / f"{number}.txt").write_text("\n\n".join(documents), encoding="utf-8")
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return write_texts(tmp_path / "texts")


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_CHARACTERS", 700)


@pytest.fixture
def builder(tmp_path: Path, english_tokenizer: AlbertTokenizer) -> Callable[..., CorpusBuilder]:
    def make(
        texts: Path, every: int = 5, name: str = "corpus", **settings: object
    ) -> CorpusBuilder:
        units = file_units(texts)
        return CorpusBuilder(units, english_tokenizer, tmp_path / name, every, settings=settings)

    return make


def content(folder: Path) -> dict[str, str]:
    """A digest of every file of both stores, and of the list of sources."""
    files = [*folder.glob("*/*"), folder / "sources.json"]
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def fail_after(monkeypatch: pytest.MonkeyPatch, n_calls: int, problem: BaseException) -> None:
    """Let writing to a store's file fail at a certain call."""
    calls = iter(range(n_calls))
    append = writing.GrowingFile.append

    def limited(self: writing.GrowingFile, numbers: object) -> None:
        if next(calls, None) is None:
            raise problem
        append(self, numbers)

    monkeypatch.setattr(writing.GrowingFile, "append", limited)


# -- what is built


@pytest.mark.parametrize("every", [0, 2, 5, 60, 61, 1000])
def test_a_corpus_holds_what_splitting_in_memory_gives(
    texts: Path, builder, english_tokenizer, tmp_path: Path, small_batches, every: int
) -> None:
    documents = list(read_documents(texts))
    parts = split_documents(documents, every) if every else (documents,)
    stores = builder(texts, every).build(workers=1)
    assert len(stores) == len(parts)
    for store, part in zip(stores, parts, strict=True):
        expected = TokenStore.build(tmp_path / "expected", part, english_tokenizer)
        assert store.ids.tolist() == expected.ids.tolist()
        assert store.sentence_starts.tolist() == expected.sentence_starts.tolist()
        assert store.document_starts.tolist() == expected.document_starts.tolist()


def test_the_content_is_the_same_whatever_the_processes_and_batches(
    texts: Path, builder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, workers, n_characters in (("a", 1, 10**9), ("b", 1, 300), ("c", 2, 900)):
        monkeypatch.setattr(reading, "BATCH_CHARACTERS", n_characters)
        builder(texts, name=name).build(workers)
    assert content(tmp_path / "a") == content(tmp_path / "b") == content(tmp_path / "c")


def test_sentences_and_documents_without_a_piece_are_left_out(tmp_path: Path, builder) -> None:
    (tmp_path / "a.txt").write_text("One.\n\ufffd\nTwo.\n\n\ufffd\n\nThree.\n\n\u200b\n\nFour.")
    train, held_out = builder(tmp_path / "a.txt", 2).build()
    assert (train.n_sentences, train.n_documents) == (3, 2)
    assert (held_out.n_sentences, held_out.n_documents) == (1, 1)


def test_batches_can_be_read_from_any_place(texts: Path, small_batches) -> None:
    units = file_units(texts)
    batches = list(read_batches(units, Place(0, 0), ()))
    assert len(batches) > 10
    assert batches[-1].bytes_read == sum(unit.size or 0 for unit in units)
    parts = [part.paragraphs for batch in batches for part in batch.parts]
    n_read = 0
    for batch in batches:
        n_read += len(batch.parts)
        rest = read_batches(units, batch.end, ())
        assert [part.paragraphs for again in rest for part in again.parts] == parts[n_read:]


def test_encoding_counts_words_and_unknown_pieces(tmp_path: Path, english_tokenizer) -> None:
    (tmp_path / "a.txt").write_text("The old baker.\nShe 日 sings.\n\nWell.", encoding="utf-8")
    (batch,) = read_batches(file_units(tmp_path / "a.txt"), Place(0, 0), ())
    encoded = encode(batch, english_tokenizer)
    assert encoded.n_words == [6, 1]
    assert encoded.n_sentences.tolist() == [2, 1]
    assert encoded.n_unknown == 1
    assert encoded.lengths.sum() == len(encoded.ids)


# -- the same folder again


def test_a_finished_corpus_is_opened_not_built_again(texts: Path, builder, tmp_path: Path) -> None:
    builder(texts).build()
    before = (tmp_path / "corpus" / "counts.json").stat().st_mtime_ns
    assert len(builder(texts).build()) == 2
    assert (tmp_path / "corpus" / "counts.json").stat().st_mtime_ns == before
    with pytest.raises(StoreError, match=r"corpus of other sources or settings.*--start-over"):
        builder(texts, every=7).build()
    (train, _) = builder(texts, every=7).build(start_over=True)
    assert train.n_documents == 52
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "texts"]


def test_a_folder_with_something_else_in_it_is_never_replaced(
    texts: Path, builder, tmp_path: Path
) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "thesis.txt").write_text("Years of work.")
    for start_over in (False, True):
        with pytest.raises(StoreError, match="holds something other than a corpus"):
            builder(texts).build(start_over=start_over)
    assert (tmp_path / "corpus" / "thesis.txt").read_text() == "Years of work."


def test_two_commands_do_not_build_one_corpus(texts: Path, builder, tmp_path: Path) -> None:
    with (
        filelock.FileLock(tmp_path / ".corpus.lock"),
        pytest.raises(StoreError, match="being built by another process"),
    ):
        builder(texts).build()


def test_another_command_is_kept_away_until_the_last_rename_and_removal(
    texts: Path, builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder(texts).build(1)
    refused: list[Path] = []

    def meet_another(work: Callable[..., object]) -> Callable[..., object]:
        def watched(path: Path, *arguments: object, **settings: object) -> object:
            if path.parent == tmp_path:
                with pytest.raises(StoreError, match="being built by another process"):
                    builder(texts, every=7).build(1, start_over=True)
                refused.append(path)
            return work(path, *arguments, **settings)

        return watched

    monkeypatch.setattr(Path, "rename", meet_another(Path.rename))
    monkeypatch.setattr(shutil, "rmtree", meet_another(shutil.rmtree))
    builder(texts, every=6).build(1, start_over=True)
    names = [path.name for path in refused]
    assert names == [".corpus.replaced", "corpus", ".corpus.unfinished", ".corpus.replaced"] + [
        ".corpus.unfinished"
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "texts"]


def test_a_corpus_half_removed_by_a_kill_is_swept_by_the_next_command(
    texts: Path, builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Path) -> None:
        raise KeyboardInterrupt

    builder(texts).build(1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(building, "flush_to_disk", die)
        builder(texts, every=6).build(1, start_over=True)
    assert (tmp_path / ".corpus.replaced" / "corpus" / "train").is_dir()
    before = (tmp_path / "corpus" / "counts.json").stat().st_mtime_ns
    builder(texts, every=6).build(1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "texts"]
    assert (tmp_path / "corpus" / "counts.json").stat().st_mtime_ns == before, "not built again"


# -- mishaps


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


@pytest.mark.parametrize(
    ("text", "every", "message"),
    [
        ("One document.", 20, "1 documents cannot be split"),
        ("\ufffd", 20, "no text to store"),
        ("\n", 20, r"a\.txt holds no text"),
        ("One.\n\nTwo.", 1, "held_out_every is 1"),
    ],
)
def test_too_little_text_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, builder, text: str, every: int, message: str
) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(TextError, match=message):
        builder(tmp_path / "a.txt", every).build()
    left = [path.name for path in tmp_path.iterdir() if "corpus" in path.name]
    assert left == [] or "holds no text" in message


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
                if "spawn_main" in " ".join(child.cmdline()):
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
from albert_lib.objectives import building, journal, reading, writing
from albert_lib.text.corpus import file_units

texts, output, victim, n_calls, workers = sys.argv[1:]
reading.BATCH_CHARACTERS = 700
place, name = {
    "append": (writing.GrowingFile, "append"),
    "flush": (writing.StoreWriter, "flush"),
    "save": (journal, "write_json"),
    "finish": (writing.StoreWriter, "finish"),
    "card": (building, "data_card"),
    "appear": (building, "flush_to_disk"),
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
