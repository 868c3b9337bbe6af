"""Normalised text that knows where it came from: the text is that of `normalize`."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from albert_lib.text import normalize
from albert_lib.text.aligned_text import AlignedText, Edit, align_normalized

HARD = "aΣİ \t\n`'é½ﬁ…™１㍿ﷺ한\u1112\u1161\u11ab\u0301\u0323\u0f73\u200b\u00b4\ud83d\ude42🙂"
ANY_TEXT = st.text(HARD) | st.text(st.characters(exclude_categories=()), max_size=30)


@given(text=ANY_TEXT, lowercase=st.booleans(), accents=st.booleans(), quotes=st.booleans())
@example("ΟΔΟΣ Σ ΑΣ.", True, False, True)
@example("İΣ", True, True, True)
@example("\ud83d\ud83d\ude42\ude42", True, False, True)
@example("```''' ", True, False, True)
def test_the_text_is_that_of_normalize(
    text: str, lowercase: bool, accents: bool, quotes: bool
) -> None:
    switches = {"lowercase": lowercase, "keep_accents": accents, "replace_quotes": quotes}
    aligned = align_normalized(text, **switches)
    assert aligned.text == normalize(text, **switches)
    assert len(aligned.starts) == len(aligned.ends) == len(aligned.text)
    assert aligned.starts == sorted(aligned.starts)
    assert aligned.ends == sorted(aligned.ends)
    for start, end in zip(aligned.starts, aligned.ends, strict=True):
        assert 0 <= start < end <= len(text)


@given(text=ANY_TEXT)
def test_a_character_comes_from_a_slice_that_has_it(text: str) -> None:
    """Its slice alone, normalised, contains it: σ may be ς there, and white space may be gone."""
    aligned = align_normalized(text)
    for character, start, end in zip(aligned.text, aligned.starts, aligned.ends, strict=True):
        if character not in " ς":
            assert character in normalize(f"a{text[start:end]}a")[1:-1]


@pytest.mark.parametrize(
    ("text", "slices"),
    [
        ("a\u0301b", ["a\u0301", "b"]),  # a mark belongs to its letter
        ("\u0301b", ["b"]),  # or to nothing
        ("½", ["½", "½", "½"]),
        ("ﬁx", ["ﬁ", "ﬁ", "x"]),
        ("…", ["…", "…", "…"]),
        ("™", ["™", "™"]),
        ("한", ["한", "한", "한"]),
        ("ΑΣ", ["Α", "Σ"]),
        ("İa", ["İ", "a"]),
        ("１２", ["１", "２"]),
        ("``a''", ["``", "a", "''"]),
        (" a \t b\n", ["a", " \t ", "b"]),
        ("\ud83d\ude42a", ["\ud83d\ude42", "a"]),
        ("\ude42a", ["\ude42", "a"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_slices_by_hand(text: str, slices: list[str]) -> None:
    aligned = align_normalized(text)
    found = [text[a:b] for a, b in zip(aligned.starts, aligned.ends, strict=True)]
    assert found == slices


def test_a_letter_that_grows_in_lower_case() -> None:
    aligned = align_normalized("xİy", keep_accents=True)
    assert (aligned.text, aligned.starts, aligned.ends) == (
        "xi\u0307y", [0, 1, 1, 2], [1, 2, 2, 3],
    )  # fmt: skip


def test_edits_of_edits() -> None:
    aligned = AlignedText.unchanged("abcdef").edit([Edit(1, 3, "X"), Edit(4, 5, "")])
    assert (aligned.text, aligned.starts, aligned.ends) == ("aXdf", [0, 1, 3, 5], [1, 3, 5, 6])
    aligned = aligned.cut(1, 4).edit([Edit(0, 2, "yz")])
    assert (aligned.text, aligned.starts, aligned.ends) == ("yzf", [1, 1, 5], [5, 5, 6])
