"""Stores of numbers, and small corpora of text to build from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from number_stores import (  # noqa: F401  fixtures, found by their names
    counting_store,
    make_store,
    make_tokenizer,
    random_documents,
    tokenizer,
)
from small_corpora import write_texts

from albert_lib.corpus import encoding
from albert_lib.corpus.builder import CorpusBuilder
from albert_lib.corpus.sources import file_units
from albert_lib.text import AlbertTokenizer


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return write_texts(tmp_path / "texts")


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BATCH_CHARACTERS", 700)


@pytest.fixture
def builder(tmp_path: Path, english_tokenizer: AlbertTokenizer) -> Callable[..., CorpusBuilder]:
    def make(
        texts: Path, every: int = 5, name: str = "corpus", **settings: object
    ) -> CorpusBuilder:
        units = file_units(texts)
        return CorpusBuilder(units, english_tokenizer, tmp_path / name, every, settings=settings)

    return make
