"""Words that become pieces of their own with the score that their frequency gives them."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from sentencepiece import sentencepiece_model_pb2

from albert_lib import AlbertTokenizer
from albert_lib.__main__ import main
from albert_lib.errors import TokenizerError
from albert_lib.files import data_folder
from albert_lib.text.kept_words import CountedWords, keep_words
from albert_lib.text.spiece_file import piece_message, read_pieces, with_pieces
from albert_lib.text.train_vocabulary import train_pieces
from albert_lib.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def counts() -> Counter[str]:
    """Counts in which *the* is as frequent as in English."""
    return Counter({"the": 60_000, "weathercock": 6, "zookeeper": 3})


def test_pieces_are_read_and_put_back_as_sentencepiece_itself_does(
    any_tokenizer: AlbertTokenizer,
) -> None:
    model = any_tokenizer.model
    messages, rest = read_pieces(model)
    assert with_pieces(messages, rest) == model
    theirs = sentencepiece_model_pb2.ModelProto.FromString(model)
    assert messages == [piece.SerializeToString() for piece in theirs.pieces]
    new = with_pieces([*messages, piece_message("▁Wörter", -7.25)], rest)
    last = sentencepiece_model_pb2.ModelProto.FromString(new).pieces[-1]
    assert (last.piece, last.score, last.type) == ("▁Wörter", -7.25, last.NORMAL)


def test_a_word_takes_the_place_of_the_least_likely_piece(
    english_tokenizer: AlbertTokenizer, counts: Counter[str]
) -> None:
    before = english_tokenizer.vocabulary
    after = Vocabulary(keep_words(before.model, ["zookeeper", "the", "weathercock"], counts))
    assert len(after) == len(before)
    assert after.pieces[-2:] == ["▁zookeeper", "▁weathercock"]
    lost = set(before.pieces) - set(after.pieces)
    ordinary = before.scores[13:][before.scores[13:] < 0]
    long = [len(piece.lstrip("▁")) > 1 for piece in before.pieces[13:]]
    assert (
        sorted(before.scores[before.piece_id(piece)] for piece in lost)
        == sorted(ordinary[long])[:2]
    )
    assert [piece for piece in before.pieces if piece not in lost] == after.pieces[:-2]


def test_its_score_is_its_own_frequency(
    english_tokenizer: AlbertTokenizer, counts: Counter[str]
) -> None:
    before = english_tokenizer.vocabulary
    after = Vocabulary(keep_words(before.model, ["weathercock"], counts))
    the = before.scores[before.piece_id("▁the")]
    assert after.scores[-1] == pytest.approx(the - math.log(10_000), abs=1e-5)
    assert after.encode("weathercocks") == [len(after) - 1, after.piece_id("s")]


def test_a_rare_word_still_beats_its_parts(english_tokenizer: AlbertTokenizer) -> None:
    counts = Counter({"the": 10**12, "weathercock": 1})
    after = Vocabulary(keep_words(english_tokenizer.model, ["weathercock"], counts))
    assert after.encode("a weathercock")[1:] == [len(after) - 1]
    parts = sum(after.scores[after.piece_id(piece)] for piece in ("▁weather", "cock"))
    assert after.scores[-1] == pytest.approx(parts + 0.1, abs=1e-4)


def test_words_that_are_whole_change_nothing(
    english_tokenizer: AlbertTokenizer, counts: Counter[str]
) -> None:
    assert keep_words(english_tokenizer.model, ["the", "house"], counts) == english_tokenizer.model


def test_a_word_that_the_text_lacks(
    english_tokenizer: AlbertTokenizer, counts: Counter[str]
) -> None:
    with pytest.raises(TokenizerError, match="does not have the word 'plumbers'"):
        keep_words(english_tokenizer.model, ["zookeeper", "plumbers"], counts)


def test_more_words_than_there_is_room_for() -> None:
    lines = CountedWords(["the old mill", "the old man", "a mill", "olm dim hot tom hid"])
    model = train_pieces(lines, 27)
    words = ["olm", "dim", "hot", "tom", "hid", "old", "man", "mill", "the"]
    with pytest.raises(TokenizerError, match="words cannot be kept whole in a vocabulary of 27"):
        keep_words(model, words, lines.counts)


def test_words_are_normalised_as_the_text_is(texts: list[str]) -> None:
    tokenizer = AlbertTokenizer.train([*texts, "Zyzzyvas"], 300, whole_words=["ZYZZYVAS"])
    assert tokenizer.tokenize("zyzzyvas") == ["▁zyzzyvas"]


def test_the_command_keeps_the_words_of_a_file(tmp_path: Path, texts: list[str]) -> None:
    (tmp_path / "text.txt").write_text("\n".join([*texts, "a zyzzyva."]), encoding="utf-8")
    (tmp_path / "words.txt").write_text("zyzzyva\n", encoding="utf-8")
    command = ["train-tokenizer", tmp_path / "text.txt", "--vocab-size", 300]
    command += ["--whole-words", tmp_path / "words.txt", "--output", tmp_path / "pieces"]
    assert main([str(each) for each in command]) == 0
    assert "▁zyzzyva" in AlbertTokenizer.from_pretrained(tmp_path / "pieces").pieces


def test_the_shipped_vocabulary_has_every_occupation_whole() -> None:
    words = (data_folder() / "recipes/albert-mini-en.words.txt").read_text().split()
    probes = json.loads((data_folder() / "probes/occupations.json").read_text())
    assert set(words) == {*probes["fills"], *probes["marked_fills"]}
    tokenizer = AlbertTokenizer.from_pretrained("english-8k")
    assert [word for word in words if len(tokenizer.tokenize(word)) > 1] == []
