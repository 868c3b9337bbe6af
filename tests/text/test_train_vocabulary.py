"""Learning a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.errors import TextError, TokenizerError

FIRST_PIECES = '<pad> <unk> [CLS] [SEP] [MASK] ( ) " - . – £ €'.split()


def test_same_text_same_bytes_and_the_published_first_ids(texts: list[str]) -> None:
    first = AlbertTokenizer.train(iter(texts), 300)
    again = AlbertTokenizer.train(texts, 300)
    assert first.model == again.model
    assert first.fingerprint == again.fingerprint
    assert first.vocab_size == 300
    assert first.pieces[:13] == FIRST_PIECES


def test_published_first_ids(any_tokenizer: AlbertTokenizer) -> None:
    assert any_tokenizer.pieces[:14] == [*FIRST_PIECES, "▁"]


def test_learns_what_the_settings_say() -> None:
    french = ["École école été"] * 9
    tokenizer = AlbertTokenizer.train(french, 22, do_lower_case=False)
    assert set("".join(tokenizer.pieces[13:])) == set("▁Ecolet")
    tokenizer = AlbertTokenizer.train(french, 22, keep_accents=True)
    assert set("".join(tokenizer.pieces[13:])) == set("▁écolet")
    assert tokenizer.tokenize("ÉTÉ") == tokenizer.tokenize("été") != tokenizer.tokenize("ete")


def test_a_long_line_counts(texts: list[str]) -> None:
    """SentencePiece would drop a line over 4,192 bytes; the words of this one must be learnt."""
    tokenizer = AlbertTokenizer.train([*texts, "zyzzyva " * 1000], 400)
    assert "▁zyzzyva" in tokenizer.pieces


def test_too_little_text() -> None:
    with pytest.raises(TokenizerError, match="vocabulary of 1000 pieces; ask for at most 25"):
        AlbertTokenizer.train(["the cat sat on the mat"] * 3, 1000)
    assert AlbertTokenizer.train(["the cat sat on the mat"] * 3, 25).vocab_size == 25


def test_too_small_a_vocabulary() -> None:
    with pytest.raises(TokenizerError, match=r"15 pieces cannot even hold .* at least 23"):
        AlbertTokenizer.train(["the cat sat on the mat"] * 3, 15)


@pytest.mark.parametrize("texts", [[], ["", " \n"]])
def test_no_text(texts: list[str]) -> None:
    with pytest.raises(TokenizerError, match="no text to learn"):
        AlbertTokenizer.train(texts, 100)


def test_errors_in_reading_pass_through() -> None:
    def texts() -> Iterator[str]:
        yield "the cat sat"
        raise TextError("corpus.txt is not UTF-8")

    with pytest.raises(TextError, match=r"corpus\.txt is not UTF-8"):
        AlbertTokenizer.train(texts(), 100)


A_PATH = re.compile(rb"/[\w.+-]+/[\w./+-]{4,}")


def test_the_shipped_vocabulary_carries_no_path(english_tokenizer: AlbertTokenizer) -> None:
    """The trainer notes where its text lay if it lay in a file."""
    assert A_PATH.search(english_tokenizer.model) is None


def test_the_published_vocabulary_carries_one(published: AlbertTokenizer) -> None:
    """So the test above looks for the right thing."""
    found = A_PATH.search(published.model)
    assert found is not None
    assert found[0].endswith(b"clean_all.txt")
