"""Tokens and the slices of the original that they stand for, on every kind of hard text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.errors import InputError
from albert_lib.text import GOOGLE_TOKENIZATION, HUGGING_FACE_TOKENIZATION
from albert_lib.text.aligned_tokens import align_tokens

HARD = "aeosΣİ \n`'é½ﬁ…™１㍿ﷺ한\u1112\u1161\u11ab\u0301\u200b\u00b4\x01\ufffd,.09\ud83d\ude42🙂▁"
MARKED = st.sampled_from(["[MASK]", "<unk>", "<PAD>", "12,100", "the mill"])
ANY_TEXT = st.lists(
    st.text(HARD) | st.text(st.characters(exclude_categories=()), max_size=20) | MARKED, max_size=5
).map("".join)

# A text, and an answer whose borders are borders of tokens: it must come back as it was written.
ANSWERS = [
    ("She sat in the cafe\u0301 of Paris", "cafe\u0301"),
    ("She sat in the Café of Paris", "Café"),
    ("the city of 서울 here", "서울"),
    ("in \u1112\u1161\u11ab\u1100\u116e\u11a8 it is", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
    ("an ΟΔΟΣ is a road", "ΟΔΟΣ"),
    ("the  old   mill  stands", "old   mill"),
    ("a ﬁne ﬂour", "ﬁne"),
    ("a ﬁne ﬂour", "ﬂour"),
    ("add 2½ cups", "2½"),
    ("add ½ cup", "½"),
    ("the Mill™ stands", "Mill™"),
    ("please wait… she said", "wait…"),
    ("… she said", "she"),
    ("it is 12\u200bkm away", "km"),
    ("it is 12\u200bkm away", "12\u200bkm"),
    ("it is 12\u200bkm away", "12"),
    ("after １２ days", "１２"),
    ("from İstanbul to Rome", "İstanbul"),
    ("they name ㍿ here", "㍿"),
    ("they write ﷺ here", "ﷺ"),
    (" \n the mill\t\n", "the mill"),
    ("the ``old'' mill", "``old''"),
    ("the ``old'' mill", "old"),
    ("the “Old” mill", "“Old”"),
    ("he paid £3.50, then €4,000.", "£3.50"),
    ("about 92,000 people", "92,000"),
    ("a \ud83d\ude42 face", "\ud83d\ude42"),
    ("a \ud83d face", "face"),
    ("x² + y", "x²"),
    ("the [MASK] mill", "[MASK]"),
    ("the old\x01 mill", "mill"),
]


@pytest.mark.parametrize(("text", "answer"), ANSWERS)
def test_an_answer_comes_back_as_it_was_written(
    any_tokenizer: AlbertTokenizer, text: str, answer: str
) -> None:
    start = text.index(answer)
    tokens = align_tokens(any_tokenizer, text)
    span = tokens.tokens_of(start, start + len(answer))
    assert span is not None
    assert tokens.text_of(*span) == answer


@pytest.fixture(scope="module")
def tokenizers(any_tokenizer: AlbertTokenizer) -> list[AlbertTokenizer]:
    """The same pieces, used in different ways."""
    ways: list[dict[str, bool]] = [
        {}, GOOGLE_TOKENIZATION, HUGGING_FACE_TOKENIZATION,
        {"do_lower_case": False, "keep_accents": True},
    ]  # fmt: skip
    return [AlbertTokenizer(any_tokenizer.model, **way) for way in ways]


def test_ids_are_those_of_the_tokenizer(
    tokenizers: list[AlbertTokenizer], texts: list[str]
) -> None:
    for tokenizer in tokenizers:
        for text in [*texts, *(text for text, _ in ANSWERS)]:
            assert align_tokens(tokenizer, text).ids == tokenizer.encode(
                text, add_special_tokens=False
            )


@given(text=ANY_TEXT)
def test_every_text_has_a_map(tokenizers: list[AlbertTokenizer], text: str) -> None:
    for tokenizer in tokenizers:
        tokens = align_tokens(tokenizer, text)
        assert tokens.ids == tokenizer.encode(text, add_special_tokens=False)
        assert len(tokens.starts) == len(tokens.ends) == len(tokens.ids)
        assert (np.diff(tokens.starts) >= 0).all() and (np.diff(tokens.ends) >= 0).all()
        assert (tokens.starts <= tokens.ends).all()
        if tokens.ids:
            assert tokens.starts[0] >= 0 and tokens.ends[-1] <= len(text)
        for token_id, start, end in zip(tokens.ids, tokens.starts, tokens.ends, strict=True):
            if start == end:
                assert tokenizer.id_to_piece(token_id) == "▁"


@given(text=ANY_TEXT, data=st.data())
def test_a_span_covers_the_slice_and_nothing_it_could_spare(
    any_tokenizer: AlbertTokenizer, text: str, data: st.DataObject
) -> None:
    tokens = align_tokens(any_tokenizer, text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(0, len(text)))
    if not start < end:
        with pytest.raises(InputError, match="no slice of a text of"):
            tokens.tokens_of(start, end)
        return
    touched = [
        place
        for place, (a, b) in enumerate(zip(tokens.starts, tokens.ends, strict=True))
        if a < b and a < end and start < b
    ]
    span = tokens.tokens_of(start, end)
    assert span == ((touched[0], touched[-1]) if touched else None)
    if span is not None:
        a, b = tokens.characters_of(*span)
        assert (a, b) == (tokens.starts[touched[0]], tokens.ends[touched[-1]])


def test_every_letter_belongs_to_a_token(any_tokenizer: AlbertTokenizer, texts: list[str]) -> None:
    for text in texts:
        tokens = align_tokens(any_tokenizer, text)
        for place, character in enumerate(text):
            if not character.isspace():
                assert tokens.tokens_of(place, place + 1) is not None, (text, place)


def test_offsets_are_those_of_transformers(
    any_tokenizer: AlbertTokenizer, hugging_face: Callable[..., Any], texts: list[str]
) -> None:
    """On plain English, but for two cases.

    There a lone ▁ has the first character of the next piece, and a quote that was written as two
    characters has only one of them.
    """
    reference = hugging_face(any_tokenizer)
    ours = AlbertTokenizer(any_tokenizer.model, **HUGGING_FACE_TOKENIZATION)
    compared = 0
    for text in texts:
        if not text.isascii() or "``" in text or "''" in text:
            continue
        tokens = align_tokens(ours, text)
        theirs = reference(text, add_special_tokens=False, return_offsets_mapping=True)
        assert theirs["input_ids"] == tokens.ids
        for place in tokens.visible.tolist():
            start, end = tokens.starts[place], tokens.ends[place]
            there = slice(*theirs["offset_mapping"][place])
            assert text[start:end].split() == text[there].split(), text
            compared += 1
    assert compared > 2000


def test_a_lone_space_mark_has_no_characters(english_tokenizer: AlbertTokenizer) -> None:
    """▁ before a comma that begins a text: the vocabulary has no ▁, as one piece."""
    tokens = align_tokens(english_tokenizer, "The [MASK],man")
    pieces = english_tokenizer.convert_ids_to_tokens(tokens.ids)
    assert pieces == ["▁the", "[MASK]", "▁", ",", "man"]
    assert list(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)) == [
        (0, 3), (4, 10), (10, 10), (10, 11), (11, 14),
    ]  # fmt: skip
    assert tokens.text_of(2, 2) == ""
    assert tokens.text_of(1, 2) == "[MASK]"  # nothing of what follows the lone ▁
    assert tokens.text_of(2, 3) == ","
    spaced = align_tokens(english_tokenizer, "a  \u4e2d b")
    assert english_tokenizer.convert_ids_to_tokens(spaced.ids)[1] == "▁"
    assert [spaced.text_of(0, 1), spaced.text_of(1, 2)] == ["a", "\u4e2d"]


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b", "\u0301"])
def test_texts_without_tokens(any_tokenizer: AlbertTokenizer, text: str) -> None:
    tokens = align_tokens(any_tokenizer, text)
    assert tokens.ids == [] and len(tokens.starts) == len(tokens.ends) == 0
    if text:
        assert tokens.tokens_of(0, len(text)) is None
    with pytest.raises(InputError, match="no span of 0 tokens"):
        tokens.characters_of(0, 0)


def test_slices_that_end_within_a_token(english_tokenizer: AlbertTokenizer) -> None:
    tokens = align_tokens(english_tokenizer, "the old mill")
    assert tokens.tokens_of(5, 6) == (1, 1)
    assert tokens.tokens_of(2, 5) == (0, 1)
    assert tokens.tokens_of(3, 9) == (1, 2)  # from the space on
    for first, last in ((-1, 0), (1, 0), (0, 3)):
        with pytest.raises(InputError, match="no span of 3 tokens"):
            tokens.text_of(first, last)


def test_a_character_that_sentencepiece_takes_apart(english_tokenizer: AlbertTokenizer) -> None:
    """Its parts share all of it, also in `encode_with_offsets`."""
    tokenizer = AlbertTokenizer(english_tokenizer.model, keep_accents=True)
    ids, offsets = tokenizer.encode_with_offsets("a … b")
    assert tokenizer.convert_ids_to_tokens(ids)[-2:] == [".", "▁b"]
    assert offsets[-4:] == [(2, 3), (2, 3), (2, 3), (4, 5)]
    tokens = align_tokens(tokenizer, "a … b")
    assert tokens.text_of(len(ids) - 3, len(ids) - 2) == "…"
