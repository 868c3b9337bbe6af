"""Token stores: written, opened, damaged; and read in blocks."""

from __future__ import annotations

import json
import math
import sys
import time
import tracemalloc
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from albert_lib.corpus import TokenStore
from albert_lib.corpus import store as store_module
from albert_lib.corpus.store import block_bounds, read_block
from albert_lib.errors import StoreError, TextError


def test_a_store_gives_back_its_sentences_and_documents(tmp_path, tokenizer):
    documents = [["7 8 9", "10"], ["11 12"], ["13", "14 15", "16"]]
    TokenStore.build(tmp_path / "store", iter(documents), tokenizer)
    store = TokenStore.open(tmp_path / "store")

    assert (store.n_tokens, store.n_sentences, store.n_documents) == (10, 6, 3)
    assert store.ids.tolist() == list(range(7, 17))
    assert store.document_starts.tolist() == [0, 2, 3, 6]
    texts = [text for document in documents for text in document]
    assert [" ".join(map(str, store.sentence(i))) for i in range(6)] == texts
    assert (store.vocab_size, store.tokenizer_fingerprint) == (1000, "numbers")
    assert str(tmp_path) not in repr(store)  # a notebook may show it on any machine


def test_sentences_and_documents_without_a_piece_are_left_out(tmp_path, tokenizer):
    documents = [[], ["7", "", "8"], ["", "  "], ["9"]]
    store = TokenStore.build(tmp_path / "store", documents, tokenizer)
    assert store.sentence_starts.tolist() == [0, 1, 2, 3]
    assert store.document_starts.tolist() == [0, 2, 3]


@pytest.mark.parametrize(("vocab_size", "n_bytes"), [(65_536, 2), (65_537, 4)])
def test_ids_take_two_bytes_where_the_vocabulary_allows(
    tmp_path, make_tokenizer, vocab_size, n_bytes
):
    highest = vocab_size - 1
    store = TokenStore.build(tmp_path / "s", [[f"7 {highest}"]], make_tokenizer(vocab_size))
    assert store.ids.tolist() == [7, highest]
    assert (tmp_path / "s" / "ids.bin").stat().st_size == 2 * n_bytes


def test_the_ids_stay_on_disk(tmp_path, tokenizer):
    store = TokenStore.build(tmp_path / "store", [["7 8 9"]], tokenizer)
    base = store.ids
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.alone  # its seconds are counted
@pytest.mark.skipif(sys.platform == "win32", reason="files are sparse on demand only, there")
def test_a_store_of_two_thousand_million_pieces_opens_at_once(tmp_path, tokenizer):
    folder = TokenStore.build(tmp_path / "store", [["7 8 9"]], tokenizer).folder
    description = json.loads((folder / "store.json").read_text())
    description["n_tokens"] = 2_000_000_000
    (folder / "store.json").write_text(json.dumps(description))
    (folder / "sentences.bin").write_bytes(np.array([0, 2_000_000_000], "<i8").tobytes())
    with (folder / "ids.bin").open("r+b") as ids:
        ids.truncate(4_000_000_000)  # a sparse file: it takes no room
    began = time.perf_counter()
    assert TokenStore.open(folder).n_tokens == 2_000_000_000
    assert time.perf_counter() - began < 0.1


def test_building_needs_no_more_memory_for_ten_times_the_text(tmp_path, tokenizer):
    def peak(n_documents: int) -> int:
        document = ["7 8 9 10 11 12"] * 200
        tracemalloc.start()
        TokenStore.build(tmp_path / "s", (document for _ in range(n_documents)), tokenizer)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(5)  # once for what only the first call allocates
    assert peak(100) < 1.2 * peak(10)


def test_unigram_entropy_of_equally_frequent_pieces_is_the_log_of_their_number(make_store):
    assert make_store([[[7, 8], [9, 10]]]).unigram_entropy() == pytest.approx(math.log(4))


def test_unigram_statistics_agree_with_counting(make_store, random_documents):
    documents = random_documents(5)
    store = make_store(documents)
    counts = Counter(piece for document in documents for sentence in document for piece in sentence)
    assert {i: n for i, n in enumerate(store.unigram_counts().tolist()) if n} == counts
    total = counts.total()
    entropy = sum(n / total * math.log(total / n) for n in counts.values())
    assert store.unigram_entropy() == pytest.approx(entropy)


@pytest.mark.parametrize("documents", [[], [[]], [[""], ["", ""]]])
def test_an_empty_corpus_is_refused_and_leaves_the_old_store(tmp_path, tokenizer, documents):
    TokenStore.build(tmp_path / "store", [["7"]], tokenizer)
    with pytest.raises(TextError, match=r"store.*documents are empty"):
        TokenStore.build(tmp_path / "store", documents, tokenizer)
    assert TokenStore.open(tmp_path / "store").ids.tolist() == [7]
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]


def test_a_failure_while_building_leaves_the_old_store(tmp_path, tokenizer):
    def documents():
        yield ["8 9"]
        raise KeyboardInterrupt

    TokenStore.build(tmp_path / "store", [["7"]], tokenizer)
    with pytest.raises(KeyboardInterrupt):
        TokenStore.build(tmp_path / "store", documents(), tokenizer)
    assert TokenStore.open(tmp_path / "store").ids.tolist() == [7]
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]


def test_a_document_that_is_one_text_is_refused(tmp_path, tokenizer):
    with pytest.raises(TextError, match=r"'7 8 9'.*split_sentences"):
        TokenStore.build(tmp_path / "store", ["7 8 9"], tokenizer)


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"nowhere is not a token store.*build-corpus"):
        TokenStore.open(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["ids.bin", "sentences.bin", "documents.bin"])
def test_a_file_of_another_size_is_refused(make_store, name):
    folder = make_store([[[7, 8, 9], [10]]]).folder
    content = (folder / name).read_bytes()
    for damaged in (content[:-1], content + b"\0"):
        (folder / name).write_bytes(damaged)
        with pytest.raises(StoreError, match=rf"{name} has {len(damaged)} bytes .*build"):
            TokenStore.open(folder)
    (folder / name).unlink()
    with pytest.raises(StoreError, match=rf"{name} is missing; build"):
        TokenStore.open(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format_version": 99}', "states format version 99.*build"),
        ('{"format_version": 1}', "does not describe a token store.*build"),
        ("[]", "does not describe a token store.*build"),
        ('{"format', "is not valid JSON"),
    ],
)
def test_a_damaged_or_foreign_description_is_refused(make_store, content, message):
    folder = make_store([[[7]]]).folder
    (folder / "store.json").write_text(content)
    with pytest.raises(StoreError, match=rf"store\.json {message}"):
        TokenStore.open(folder)


def test_a_number_format_that_does_not_exist_is_refused(make_store):
    folder = make_store([[[7]]]).folder
    description = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps(description | {"dtype": "words"}))
    with pytest.raises(StoreError, match="does not describe a token store"):
        TokenStore.open(folder)


def test_every_flipped_bit_is_found(make_store) -> None:
    """Of offsets when the store is opened or verified, of ids when it is verified."""
    folder = make_store([[[7, 8, 9], [10]], [[11, 12]]]).folder
    TokenStore.open(folder).verify()
    found_when_opened = 0
    for name in ("ids.bin", "sentences.bin", "documents.bin"):
        content = (folder / name).read_bytes()
        for place in range(8 * len(content)):
            flipped = bytearray(content)
            flipped[place // 8] ^= 1 << place % 8
            (folder / name).write_bytes(flipped)
            try:
                store = TokenStore.open(folder)
            except StoreError as problem:
                found_when_opened += 1
                assert f"{name} is damaged" in str(problem)
                continue
            with pytest.raises(StoreError, match=rf"{name} is damaged .*; copy it again"):
                store.verify()
        (folder / name).write_bytes(content)
    assert found_when_opened >= 64 * (4 + 3) - 8, "what is left of the offsets rises as well"


def test_a_store_of_old_is_verified_without_checksums(make_store) -> None:
    folder = make_store([[[7, 8, 9], [10]]]).folder
    description = json.loads((folder / "store.json").read_text())
    del description["crc32"]
    (folder / "store.json").write_text(json.dumps(description))
    TokenStore.open(folder).verify()
    (folder / "ids.bin").write_bytes(np.array([7, 8, 9, 1000], "<u2").tobytes())
    with pytest.raises(
        StoreError, match=r"ids\.bin is damaged .it holds ids beyond the vocabulary"
    ):
        TokenStore.open(folder).verify()


def test_another_vocabulary_is_refused(make_store, make_tokenizer):
    store = make_store([[[7]]])
    store.check_tokenizer(make_tokenizer())
    with pytest.raises(StoreError, match=r"1000 pieces.*2000 pieces.*build the store again"):
        store.check_tokenizer(make_tokenizer(2000, "other"))


def test_a_sentence_past_the_end_is_an_index_error(make_store):
    store = make_store([[[7], [8]]])
    for index in (-1, 2):
        with pytest.raises(IndexError, match="2 sentences"):
            store.sentence(index)


def test_another_text_has_another_fingerprint(make_store, monkeypatch):
    documents = [[[7, 8, 9], [8]], [[9, 9]], [[7]]]
    own = make_store(documents).fingerprint
    assert make_store(documents).fingerprint == own
    merged = [documents[0] + documents[1], documents[2]]
    joined = [[[7, 8, 9, 8]], *documents[1:]]
    for other in (documents[::-1], merged, joined, [[[7, 8, 9], [7]], *documents[1:]]):
        assert make_store(other).fingerprint != own
    monkeypatch.setattr(store_module, "HASHED_AT_ONCE", 1)
    monkeypatch.setattr(store_module, "EXCERPTS_HASHED", 3)  # at 0, 2, 4 and 6 of seven pieces
    own = make_store(documents).fingerprint
    assert make_store([[[5, 8, 9], [8]], *documents[1:]]).fingerprint != own
    assert make_store([[[7, 5, 9], [8]], *documents[1:]]).fingerprint == own  # between excerpts


@pytest.mark.parametrize("pieces", [1, 50, 700, 10**6])
def test_blocks_are_whole_documents_one_after_another(
    make_store, random_documents, monkeypatch, pieces
):
    monkeypatch.setattr(store_module, "BLOCK_TOKENS", pieces)
    documents = random_documents(30)
    store = make_store(documents)
    bounds = block_bounds(store)
    assert (bounds[0], bounds[-1]) == (0, 30) and (np.diff(bounds) > 0).all()
    lengths = np.array([sum(map(len, document)) for document in documents])
    for first, end in pairwise(bounds.tolist()):
        block = read_block(store, first, end)
        assert block.n_documents == end - first
        np.testing.assert_array_equal(block.document_lengths(), lengths[first:end])
        assert lengths[first : end - 1].sum() < pieces  # but for the last document it is no larger
        starts = block.sentence_starts
        found = [store.ids[a:b].tolist() for a, b in pairwise(starts)]
        assert found == [sentence for document in documents[first:end] for sentence in document]


def test_a_long_document_stays_in_one_block(make_store, monkeypatch):
    monkeypatch.setattr(store_module, "BLOCK_TOKENS", 10)
    # they begin at 0, 4, 99, 102 and 105; of the tens, 100 lies in the third
    store = make_store([[[7] * 4], [[8] * 95], [[9] * 3], [[9] * 3], [[9] * 3]])
    assert block_bounds(store).tolist() == [0, 2, 3, 5]
