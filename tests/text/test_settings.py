"""Where Google's code and transformers differ: each difference is real, and a switch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.text import GOOGLE_TOKENIZATION, HUGGING_FACE_TOKENIZATION

QUOTES = "``a'' day"
NUMBER = "in 2000, yes"
MARK = "a [MASK] day"
Build = Callable[[AlbertTokenizer], Any]
Compare = Callable[..., tuple[list[int], list[int]]]


@pytest.fixture(scope="module")
def on_and_off(published: AlbertTokenizer) -> Compare:
    """The ids of a text with one setting on and with it off, the others as they come."""

    def ids(text: str, setting: str) -> tuple[list[int], list[int]]:
        on, off = (
            AlbertTokenizer(published.model, **{setting: value}).encode(
                text, add_special_tokens=False
            )
            for value in (True, False)
        )
        return on, off

    return ids


def test_quotes(
    published: AlbertTokenizer, on_and_off: Compare, google: Build, hugging_face: Build
) -> None:
    """The published vocabulary has no `, so Google's ids hold an <unk>."""
    on, off = on_and_off(QUOTES, "replace_quotes")
    assert on == [13, 7, 58, 7, 208] == hugging_face(published).encode(QUOTES)[1:-1]
    assert off == [13, 1, 58, 22, 22, 208] == google(published).ids(QUOTES)


def test_digit_and_comma(
    published: AlbertTokenizer, on_and_off: Compare, google: Build, hugging_face: Build
) -> None:
    on, off = on_and_off(NUMBER, "digit_comma_rule")
    assert on == [19, 824, 15, 1643] == google(published).ids(NUMBER)
    assert off == [19, 2878, 1643] == hugging_face(published).encode(NUMBER)[1:-1]


def test_special_pieces_in_a_text(
    published: AlbertTokenizer, on_and_off: Compare, google: Build, hugging_face: Build
) -> None:
    on, off = on_and_off(MARK, "split_special_tokens")
    reference = hugging_face(published)
    assert off == [21, 4, 208] == reference.encode(MARK)[1:-1]
    assert on == google(published).ids(MARK)
    assert on == reference.encode(MARK, split_special_tokens=True)[1:-1]
    assert published.mask_token_id not in on


def test_every_special_piece_is_found(any_tokenizer: AlbertTokenizer, hugging_face: Build) -> None:
    text = "<pad> a<unk>b [CLS][SEP] [MASK]."
    ids = any_tokenizer.encode(text)
    assert ids == hugging_face(any_tokenizer).encode(text)
    assert [i for i in ids[1:-1] if i < 5] == [0, 1, 2, 3, 4]


def test_what_only_becomes_a_special_piece_is_text(any_tokenizer: AlbertTokenizer) -> None:
    """By lower-casing, or by writing full-width brackets as others."""
    cased = AlbertTokenizer(any_tokenizer.model, do_lower_case=False)
    for tokenizer, text in [(any_tokenizer, "<PAD>"), (cased, "［MASK］"), (cased, "［CLS］")]:
        ids, offsets = tokenizer.encode_with_offsets(text)
        assert ids == tokenizer.encode_sentences([text])[0]
        assert not tokenizer.is_special[ids].any()
        assert len(offsets) == len(ids) > 1


def test_named_sets_of_settings(
    published: AlbertTokenizer, google: Build, hugging_face: Build, tmp_path: Path
) -> None:
    """They go before what is stored in the folder."""
    published.save_pretrained(tmp_path)
    text = f"{QUOTES} {NUMBER} {MARK}"
    as_google = AlbertTokenizer.from_pretrained(tmp_path, **GOOGLE_TOKENIZATION)
    assert as_google.encode(text, add_special_tokens=False) == google(published).ids(text)
    as_transformers = AlbertTokenizer.from_pretrained(tmp_path, **HUGGING_FACE_TOKENIZATION)
    assert as_transformers.encode(text) == hugging_face(published).encode(text)
    both = AlbertTokenizer.from_pretrained(tmp_path).encode(text)
    assert both not in (as_google.encode(text), as_transformers.encode(text))


def test_an_unknown_setting(english_tokenizer: AlbertTokenizer, tmp_path: Path) -> None:
    english_tokenizer.save_pretrained(tmp_path)
    with pytest.raises(TypeError, match="lowercase"):
        AlbertTokenizer.from_pretrained(tmp_path, lowercase=True)
