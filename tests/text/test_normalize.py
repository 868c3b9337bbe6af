"""Normalising: hand-worked examples, and transformers' normaliser."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AlbertTokenizer as Reference

from albert_lib.text import normalize

# No Σ: at the end of a word Python makes it ς, as Google's code does, Rust σ.
ALPHABET = "abzABZ09 \t\n.,'`\"-–“”éÉüÜñçÇøØæßﬁ½²…ÅǺΩάйЙ한國e\u0301n\u0303Α"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  The\tOLD \n baker ", "the old baker"),
        ("Crème Brûlée", "creme brulee"),
        ("ﬁne ½ x²", "fine 1⁄2 x2"),  # NFKD takes compatibility characters apart
        ("Zoë", "zoe"),
        ("Straße, Ærø, Ł", "straße, ærø, ł"),  # letters, not letters with marks: they stay
        ("``so'' he said", '"so" he said'),
        ("it''s", 'it"s'),
        ("\u00a0non\u00a0breaking\u3000", "non breaking"),
        ("", ""),
        ("a \ud83d\ude42 b", "a 🙂 b"),  # two halves, as JSON may write a character
        ("a\ud83db\ude42", "a\ufffdb\ufffd"),  # halves of none
    ],
)
def test_worked_by_hand(text: str, expected: str) -> None:
    assert normalize(text) == expected


def test_switches() -> None:
    assert normalize("É ``x''", lowercase=False) == 'E "x"'
    assert normalize("É ``x''", keep_accents=True) == 'é "x"'
    assert normalize("É ``x''", replace_quotes=False) == "e ``x''"


@given(st.text(ALPHABET, max_size=30), st.booleans(), st.booleans())
def test_agrees_with_transformers(text: str, lowercase: bool, keep_accents: bool) -> None:
    """Transformers leaves white space to its next step, so that is brought in line first."""
    expected = reference_normalizer(lowercase, keep_accents).normalize_str(" ".join(text.split()))
    assert normalize(text, lowercase=lowercase, keep_accents=keep_accents) == expected


@cache
def reference_normalizer(lowercase: bool, keep_accents: bool) -> Any:
    reference = Reference(do_lower_case=lowercase, keep_accents=keep_accents)
    return reference.backend_tokenizer.normalizer
