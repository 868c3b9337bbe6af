"""The vocabulary: word starts, the digit-comma rule, damaged files."""

from __future__ import annotations

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.errors import InputError, TokenizerError
from albert_lib.text.vocabulary import Vocabulary, starts_a_word


@pytest.mark.parametrize("piece", ["▁the", "▁", ".", "(", "£", "é", "1990", "5s", "'", "<unk>"])
def test_starts_a_word(piece: str) -> None:
    assert starts_a_word(piece)


@pytest.mark.parametrize("piece", ["s", "ing", "THE", "s,", "e-"])
def test_continues_a_word(piece: str) -> None:
    assert not starts_a_word(piece)


def test_control_pieces_start_no_word(any_tokenizer: AlbertTokenizer) -> None:
    assert any_tokenizer.is_special.nonzero()[0].tolist() == [0, 2, 3, 4]
    assert not any_tokenizer.is_word_start[[0, 2, 3, 4]].any()
    assert any_tokenizer.is_word_start[any_tokenizer.piece_id("▁the")]
    assert not any_tokenizer.is_word_start[any_tokenizer.piece_id("ing")]


def test_digit_comma_rule(published: AlbertTokenizer) -> None:
    """▁2000, is one published piece; Google's encode_pieces takes it apart, and 00, as well."""
    without = Vocabulary(published.model, digit_comma_rule=False)
    with_rule = published.vocabulary
    pieces = [without.pieces[i] for i in without.encode("in 2000, 92000,")]
    assert pieces == ["▁in", "▁2000,", "▁9", "2000", ","]
    pieces = [with_rule.pieces[i] for i in with_rule.encode("in 2000, 92000,")]
    assert pieces == ["▁in", "▁2000", ",", "▁9", "2000", ","]
    ids, offsets = with_rule.encode_with_offsets("in 2000, yes")
    assert with_rule.encode("in 2000, yes") == ids
    assert offsets == [(0, 2), (3, 7), (7, 8), (9, 12)]


def test_no_piece_of_digit_and_comma_survives(published: AlbertTokenizer) -> None:
    """All 141 such pieces, cut in a text that holds nothing else."""
    with_comma = [p for p in published.pieces if len(p) > 1 and p[-1] == "," and p[-2].isdigit()]
    assert len(with_comma) == 141
    for piece in with_comma:
        ids = published.encode_sentences([piece.replace("▁", " ")])[0]
        assert published.pieces[ids[-1]] == ","
        assert published.unk_token_id not in ids


def test_a_copy_that_broke_off_is_refused(english_tokenizer: AlbertTokenizer) -> None:
    """Also where it broke between two fields, which SentencePiece loads without complaint."""
    model = english_tokenizer.model
    after_the = model.index("▁the\x15".encode()) + len("▁the\x15".encode()) + 4  # its score
    for length in [0, 1, 10, 1000, after_the, len(model) // 2, len(model) - 1]:
        with pytest.raises(TokenizerError, match="damaged or incomplete"):
            Vocabulary(model[:length])


def test_other_files_are_refused() -> None:
    with pytest.raises(TokenizerError, match="damaged or incomplete"):
        Vocabulary(b"<!DOCTYPE html>\n<html>" * 10)


def test_ids_out_of_range(english_tokenizer: AlbertTokenizer) -> None:
    for bad in (-1, 8000):
        with pytest.raises(InputError, match=f"Id {bad} is not in this vocabulary.* 0 to 7999"):
            english_tokenizer.decode([bad])
