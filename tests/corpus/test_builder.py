"""Building a corpus: the same whatever the number of processes, and never over another's work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
from small_corpora import content, fail_after

from albert_lib.corpus import TokenStore, encoding, read_documents, split_documents
from albert_lib.corpus.encoding import Place, encode, read_batches
from albert_lib.corpus.sources import file_units
from albert_lib.errors import StoreError, TextError
from albert_lib.files import read_json

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
        monkeypatch.setattr(encoding, "BATCH_CHARACTERS", n_characters)
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
    (tmp_path / "a.txt").write_text("The old baker.\nShe 你 sings.\n\nWell.", encoding="utf-8")
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


def test_a_copy_with_other_times_is_the_same_text_and_another_text_is_not(
    texts: Path, builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_batches
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        fail_after(patch, 40, KeyboardInterrupt())
        builder(texts).build(1)
    for number, file in enumerate(sorted(texts.iterdir())):
        os.utime(file, ns=(number, number))
    before = (tmp_path / ".corpus.unfinished" / "counts.json").read_text()
    assert '"sittings": 1' in before and '"place": [\n      0,\n      0' not in before
    builder(texts).build(1)
    counts = read_json(tmp_path / "corpus" / "counts.json")
    assert counts["effort"]["sittings"] == 2, "it went on"
    builder(texts, name="straight").build(1)
    assert {**content(tmp_path / "corpus"), "sources.json": ""} == {
        **content(tmp_path / "straight"),
        "sources.json": "",
    }
    (texts / "0.txt").touch()
    assert len(builder(texts).build(1)) == 2, "opened as it is"
    text = (texts / "0.txt").read_text()
    (texts / "0.txt").write_text(text.replace("so", "no", 1))
    with pytest.raises(StoreError, match="corpus of other sources or settings"):
        builder(texts).build(1)


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
    def die(folder: Path, **_: object) -> None:
        if folder.exists():
            raise KeyboardInterrupt

    builder(texts).build(1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", die)
        builder(texts, every=6).build(1, start_over=True)
    assert (tmp_path / ".corpus.replaced" / "corpus" / "train").is_dir()
    before = (tmp_path / "corpus" / "counts.json").stat().st_mtime_ns
    builder(texts, every=6).build(1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "texts"]
    assert (tmp_path / "corpus" / "counts.json").stat().st_mtime_ns == before, "not built again"


@pytest.mark.parametrize(
    ("text", "every", "message"),
    [
        ("One document.", 20, "needs at least 2 documents, got 1;"),
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
