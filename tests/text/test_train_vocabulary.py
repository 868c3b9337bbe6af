"""Learning a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.__main__ import main
from albert_lib.errors import TextError, TokenizerError
from albert_lib.text.lost_marks import watch_for_marks

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
    with pytest.warns(UserWarning, match="100 % of the words lose accents"):
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


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        (["một má hai mạ ma"] * 9, 60),
        (["the old café by the mill"] * 9, 17),
        (["the old baker by the mill walks up in a dress é"] * 9 + ["the mill"], None),
        (["the old mill – “so”"] * 9, None),
        (["बिल्ली सोती है"] * 9, 33),
    ],
)
def test_marks_that_many_words_lose_are_told(texts: list[str], share: int | None) -> None:
    told = list(watch_for_marks(iter(texts))) if share is None else []
    if share is not None:
        with pytest.warns(UserWarning, match=f"^{share} % of the words lose.*--keep-accents"):
            told = list(watch_for_marks(iter(texts)))
    assert told == texts


@pytest.mark.filterwarnings("always")
def test_the_command_keeps_accents_and_capitals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text(
        "Một má và một mạ, ma mà mả. The old baker walks home before dawn breaks.\n" * 9,
        encoding="utf-8",
    )
    words = ["train-tokenizer", str(tmp_path / "a.txt"), "--output"]
    assert main([*words, str(tmp_path / "plain"), "--vocab-size", "34"]) == 0
    assert capsys.readouterr().err.startswith("Warning: 44 % of the words lose accents")
    plain = AlbertTokenizer.from_pretrained(tmp_path / "plain")
    assert plain.encode("Má") == plain.encode("mạ")
    as_written = ["--keep-accents", "--keep-case", "--vocab-size", "38"]
    assert main([*words, str(tmp_path / "kept"), *as_written]) == 0
    assert capsys.readouterr().err == ""
    kept = AlbertTokenizer.from_pretrained(tmp_path / "kept")
    assert kept.settings["keep_accents"] and not kept.settings["do_lower_case"]
    assert len({tuple(kept.encode(word)) for word in ("một", "Một", "má", "mạ", "ma")}) == 5
    assert kept.decode(kept.encode("Một mạ")[1:-1]) == "Một mạ"


@pytest.mark.parametrize("size", [0, -5, 2**31, 10**11, 10**30])
def test_sizes_that_no_vocabulary_has_are_refused(size: int) -> None:
    with pytest.raises(TokenizerError, match=rf"could not learn {size} pieces; ask for"):
        AlbertTokenizer.train(["the old mill"], size)
