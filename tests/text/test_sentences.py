"""Cutting paragraphs into sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_lib.text import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["The baker walks.", "The mill is old!", "Is it dawn?", "Yes."],
        ['"Come in," he said.', '"It is late."', "She went."],
        ["He asked (twice.)", "[Nobody knew.]", "“Really?!”", "‘No.’", "2000 was dry."],
        ["Mr. and Mrs. Smith saw Dr. J. R. Jones of St. Ives, vol. 3, c. 1900.", "He left."],
        ["The U.S. Army, e.g. General Grant, i.e. Ulysses, was there in Jan. 1864.", "So it was."],
        ["Her brother is not as tall as I.", "She is."],
        ["Wait...", "What?", "Ångström measured it.", "Über alles."],
        ["It cost 3.50 and www.example.org said so.", "Fine."],
        ["no capitals here.", "none at all!", "as in some corpora."],
        ["a title without an end"],
    ],
)
def test_worked_by_hand(sentences: list[str]) -> None:
    """Each list joined by spaces comes apart again."""
    assert split_sentences(" ".join(sentences)) == sentences


def test_lower_case_goes_on() -> None:
    assert split_sentences("He said yes. and left.") == ["He said yes. and left."]


@given(st.text("ab AB.?!\"'(\n0", max_size=60))
def test_loses_nothing(paragraph: str) -> None:
    sentences = split_sentences(paragraph)
    assert "".join("".join(sentences).split()) == "".join(paragraph.split())
    assert all(sentence == sentence.strip() != "" for sentence in sentences)
