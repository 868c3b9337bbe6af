"""A tokenizer that can be checked by eye, and stores made with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from albert_lib.corpus import TokenStore


class NumberTokenizer:
    """Texts are numbers, "7 12 9", and the numbers are the ids; even ids of 6 up begin words."""

    pad_token_id, unk_token_id, cls_token_id, sep_token_id, mask_token_id = range(5)

    def __init__(self, vocab_size: int = 1000, fingerprint: str = "numbers") -> None:
        self.vocab_size = vocab_size
        self.fingerprint = fingerprint
        ids = np.arange(vocab_size)
        self.is_special = (ids < 5) & (ids != self.unk_token_id)
        self.is_word_start = (ids > 5) & (ids % 2 == 0)

    def encode_sentences(self, sentences: Sequence[str]) -> list[list[int]]:
        return [[int(number) for number in sentence.split()] for sentence in sentences]


@pytest.fixture
def tokenizer() -> NumberTokenizer:
    return NumberTokenizer()


@pytest.fixture
def make_tokenizer() -> Callable[..., NumberTokenizer]:
    return NumberTokenizer


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[[Iterable[Sequence[Sequence[int]]]], TokenStore]:
    """Build a store from documents of sentences of ids."""

    def make(documents: Iterable[Sequence[Sequence[int]]]) -> TokenStore:
        texts = ([" ".join(map(str, sentence)) for sentence in document] for document in documents)
        return TokenStore.build(tmp_path / "store", texts, NumberTokenizer())

    return make


@pytest.fixture
def random_documents() -> Callable[..., list[list[list[int]]]]:
    """Documents of 1 to 30 sentences of 1 to 40 pieces."""

    def draw(n_documents: int, seed: int = 0) -> list[list[list[int]]]:
        rng = np.random.default_rng(seed)
        documents = []
        for n_sentences in rng.integers(1, 31, n_documents):
            lengths = rng.integers(1, 41, n_sentences)
            documents.append([rng.integers(5, 1000, length).tolist() for length in lengths])
        return documents

    return draw


@pytest.fixture
def counting_store(make_store: Callable[..., TokenStore]) -> TokenStore:
    """Documents whose ids count upwards, so that a segment shows where it stood."""
    rng = np.random.default_rng(0)
    documents, piece = [], 5
    while piece < 950:
        document = []
        for _ in range(rng.integers(1, 12)):
            length = int(rng.integers(1, 9))
            document.append(list(range(piece, piece + length)))
            piece += length
        documents.append(document)
    return make_store(documents)
