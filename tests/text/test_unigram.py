"""Viterbi by hand, against brute force and against SentencePiece."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.text import (
    Edge,
    best_segmentation,
    lattice,
    marginal_log_likelihood,
    mark_words,
)

SCORES = {"▁": -3.0, "▁w": -2.5, "▁walk": -4.0, "w": -3.5, "a": -3.0, "al": -3.2, "l": -3.0}
SCORES |= {"k": -3.0, "s": -1.0, "ks": -2.0, "alk": -5.0}
WORDS = st.text("abc▁", max_size=9)
VOCABULARIES = st.dictionaries(
    st.text("abc▁", min_size=1, max_size=4), st.integers(-20, -1).map(float), max_size=12
)


def test_mark_words() -> None:
    assert mark_words("the  mill ") == "▁the▁mill"
    assert mark_words("") == ""


def test_lattice_holds_every_piece_that_fits() -> None:
    scores = {"▁": -1.0, "▁w": -2.0, "w": -3.0, "a": -4.0, "wa": -5.0, "xx": -9.0}
    assert lattice("▁wax", scores) == [
        Edge(0, 1, "▁", -1.0),
        Edge(0, 2, "▁w", -2.0),
        Edge(1, 2, "w", -3.0),
        Edge(1, 3, "wa", -5.0),
        Edge(2, 3, "a", -4.0),
        Edge(3, 4, "x", -19.0),  # unknown: ten below the lowest score
    ]


def test_worked_by_hand() -> None:
    """▁walk+s is −5.0; ▁walk ends at −4.0, ▁w+al+k at −8.7, and ks after ▁w+al only at −7.7."""
    assert best_segmentation("▁walks", SCORES) == ["▁walk", "s"]
    assert best_segmentation("▁wal", SCORES) == ["▁w", "al"]
    assert best_segmentation("", SCORES) == []


def test_unknown_characters_are_joined() -> None:
    assert best_segmentation("▁日本a", SCORES) == ["▁", "日本", "a"]
    assert best_segmentation("日", {}) == ["日"]


def test_unknown_score_decides_what_is_left_unknown() -> None:
    scores = {"x": -1.0, "xy": -9.0}
    assert best_segmentation("xy", scores) == ["xy"]
    assert best_segmentation("xy", scores, unknown_score=-2.0) == ["x", "y"]


@given(WORDS, VOCABULARIES)
def test_no_way_to_cut_scores_higher(text: str, scores: dict[str, float]) -> None:
    unknown = min(scores.values(), default=0.0) - 10

    def total(pieces: list[str]) -> float:  # an unknown piece costs once for every character
        return sum(scores[p] if p in scores else unknown * len(p) for p in pieces)

    pieces = best_segmentation(text, scores)
    assert "".join(pieces) == text
    assert total(pieces) == max(map(total, every_way(text, scores)))


@given(WORDS, VOCABULARIES)
def test_all_ways_together_have_the_probability_of_the_text(
    text: str, scores: dict[str, float]
) -> None:
    unknown = min(scores.values(), default=0.0) - 10
    each = [
        sum(scores.get(piece, unknown) for piece in pieces) for pieces in every_way(text, scores)
    ]
    together = math.log(math.fsum(map(math.exp, each)))
    assert marginal_log_likelihood(text, scores) == pytest.approx(together, rel=1e-12, abs=1e-12)


def test_a_long_text_has_a_probability_too_small_for_a_float() -> None:
    assert marginal_log_likelihood(1000 * "ab", {"a": -5.0, "b": -6.0}) == pytest.approx(-11_000)
    assert marginal_log_likelihood("", {"a": -5.0}) == 0.0


def every_way(text: str, scores: Mapping[str, float]) -> Iterator[list[str]]:
    """All ways to cut a text into pieces of the vocabulary and single characters."""
    if not text:
        yield []
    for end in range(1, len(text) + 1):
        if text[:end] in scores or end == 1:
            for rest in every_way(text[end:], scores):
                yield [text[:end], *rest]


def test_agrees_with_sentencepiece(any_tokenizer: AlbertTokenizer, texts: list[str]) -> None:
    """Whole texts, unknown characters among them; equal sums may be cut differently."""
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_proto=any_tokenizer.model)
    scores = any_tokenizer.segmentation_scores()
    differing = 0
    for text in texts[:120]:
        text = any_tokenizer.normalize(text)
        marked = processor.normalize(text)  # SentencePiece's own ▁ and compatibility characters
        expected = processor.encode(text, out_type=str)
        found = best_segmentation(marked, scores)
        if found != expected:
            differing += 1
            assert math.isclose(
                sum(scores[piece] for piece in found),
                sum(scores[piece] for piece in expected),
                abs_tol=1e-4,
            )
    assert differing <= 1


@pytest.mark.parametrize("text", ["a well-known (old) mill.", "£3 – €4", '"no."'])
def test_pieces_that_stand_alone(any_tokenizer: AlbertTokenizer, text: str) -> None:
    """Their stored score is 0; going by it would be wrong, and this notices."""
    pieces = best_segmentation(mark_words(text), any_tokenizer.segmentation_scores())
    assert pieces == any_tokenizer.tokenize(text)
