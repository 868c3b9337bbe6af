"""Text to ids and back, and where each piece lies: what holds for any text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.text import GOOGLE_TOKENIZATION

ENGLISH = st.text(
    "adehilnorstuy ADEHILNORSTUY 0123456789 .,;:'`\"()-–£€$%!? éÉñﬁ½²①Ａ，＇\u0301\xa0\u200b"
)
ANY_CHARACTERS = st.text(st.characters(exclude_categories=()), max_size=30)
MARKED = st.sampled_from(
    ["[MASK]", "[CLS]", "<unk>", "<PAD>", "［MASK］", "12,100", "\ud83d", "\ude42"]
)
ANY_TEXT = st.lists(ENGLISH | ANY_CHARACTERS | MARKED, max_size=6).map("".join)
Build = Callable[[AlbertTokenizer], Any]


@given(text=ENGLISH)
@example("In 1999, he paid £3.50 (or €4,000,000); “quoted” ``so'' – naïve café.")
def test_decoding_gives_the_normalised_text(
    any_tokenizer: AlbertTokenizer, google: Build, text: str
) -> None:
    """Normalised by `normalize`, then by SentencePiece's own table and treatment of spaces."""
    ids = any_tokenizer.encode_sentences([text])[0]
    assume(any_tokenizer.unk_token_id not in ids)
    normalized = google(any_tokenizer).processor.normalize(any_tokenizer.normalize(text))
    assert any_tokenizer.decode(ids) == normalized.removeprefix("▁").replace("▁", " ")


@pytest.fixture(scope="module")
def as_google(any_tokenizer: AlbertTokenizer) -> AlbertTokenizer:
    return AlbertTokenizer(any_tokenizer.model, **GOOGLE_TOKENIZATION)


@given(text=ENGLISH)
def test_decoded_text_is_encoded_the_same(as_google: AlbertTokenizer, text: str) -> None:
    """So what is normalised comes back from encoding and decoding as it was."""
    ids = as_google.encode(text)
    assume(as_google.unk_token_id not in ids)
    decoded = as_google.decode(ids, skip_special_tokens=True)
    assert as_google.encode(decoded) == ids


def test_where_replaced_quotes_break_that(any_tokenizer: AlbertTokenizer) -> None:
    """The full-width '' is written as '' only after quotes are replaced, in transformers too."""
    once = any_tokenizer.encode("a＇＇b", add_special_tokens=False)
    again = any_tokenizer.encode(any_tokenizer.decode(once), add_special_tokens=False)
    assert any_tokenizer.decode(once) == "a''b"
    assert any_tokenizer.decode(again) == 'a"b'


@given(text=ANY_TEXT)
def test_offsets_of_any_text(any_tokenizer: AlbertTokenizer, google: Build, text: str) -> None:
    """They go from left to right, and what they enclose is the piece."""
    ids, offsets = any_tokenizer.encode_with_offsets(text)
    assert ids == any_tokenizer.encode(text, add_special_tokens=False)
    normalized = any_tokenizer.normalize(text)
    assert [start for start, _ in offsets] == sorted(start for start, _ in offsets)
    processor = google(any_tokenizer).processor
    for piece_id, (start, end) in zip(ids, offsets, strict=True):
        assert 0 <= start <= end <= len(normalized)
        enclosed = normalized[start:end]
        if piece_id > any_tokenizer.mask_token_id and enclosed:
            piece = any_tokenizer.id_to_piece(piece_id)
            assert processor.normalize(enclosed).removeprefix("▁") == piece.removeprefix("▁")


@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=4), pairs=st.booleans())
def test_no_text_is_refused(any_tokenizer: AlbertTokenizer, texts: list[str], pairs: bool) -> None:
    batch = any_tokenizer(texts, texts[::-1] if pairs else None)
    assert batch.input_ids.shape == batch.attention_mask.shape == batch.token_type_ids.shape
    for text, ids, mask in zip(texts, batch.input_ids, batch.attention_mask, strict=True):
        any_tokenizer.decode(ids[mask.bool()].tolist())
        assert pairs or ids[mask.bool()].tolist() == any_tokenizer.encode(text, max_length=512)
        assert any_tokenizer.tokenize(text) == [
            any_tokenizer.id_to_piece(i)
            for i in any_tokenizer.encode(text, add_special_tokens=False)
        ]
