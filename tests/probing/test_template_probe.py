"""Probes agree with transformers' scores and react to weights changed by a known amount."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import transformers

from albert_lib.errors import InputError
from albert_lib.probing import (
    FillMask,
    ProbeRow,
    contrast,
    mean_interval,
    probe,
    probe_log_odds,
    single_token_words,
    template_set,
    word_id,
    write_person,
)
from albert_lib.text import AlbertTokenizer

TEMPLATES = template_set().templates


def test_gaps_follow_from_the_scores_of_transformers(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    def log_score(text: str, fill: str) -> float:
        return math.log(reference(text, targets=f"▁{fill}")[0]["score"])

    rows = probe(fill_mask, TEMPLATES, fills=["teacher", "doctor"])
    assert [row.label for row in rows] == ["teacher", "doctor"]
    for row in rows:
        expected = [
            log_score(template.replace("{person}", "man"), row.label)
            - log_score(template.replace("{person}", "woman"), row.label)
            for template in TEMPLATES
        ]
        assert row.values.tolist() == pytest.approx(expected, abs=1e-4)
        assert row.interval == mean_interval(row.values)


def test_swapping_the_persons_changes_the_sign(fill_mask: FillMask) -> None:
    (row,) = probe(fill_mask, TEMPLATES, ["teacher"], ("he", "she"), confidence=0.8)
    (swapped,) = probe(fill_mask, TEMPLATES, ["teacher"], ("she", "he"), confidence=0.8)
    assert np.allclose(row.values, -swapped.values)
    assert row.interval.high == pytest.approx(-swapped.interval.low)
    (nothing,) = probe(fill_mask, TEMPLATES, ["teacher"], ("he", "he"))
    assert not nothing.values.any()


def test_a_more_frequent_fill_moves_odds_but_neither_gap_nor_contrast(fill_mask: FillMask) -> None:
    texts = write_person(TEMPLATES, "man")

    def measure() -> tuple[ProbeRow, ProbeRow]:
        odds = probe_log_odds(fill_mask, texts, ("doctor", "teacher"))
        return odds, contrast(*probe(fill_mask, TEMPLATES, ["doctor", "teacher"]))

    odds, difference = measure()
    with torch.no_grad():
        fill_mask.model.mlm_head.bias[word_id(fill_mask.tokenizer, "doctor")] += 1.5
    shifted_odds, same_difference = measure()
    assert np.allclose(shifted_odds.values, odds.values + 1.5, atol=1e-4)
    assert shifted_odds.interval.mean == pytest.approx(odds.interval.mean + 1.5, abs=1e-4)
    assert np.allclose(same_difference.values, difference.values, atol=1e-4)
    assert odds.label == "doctor : teacher"


def test_contrast_is_paired(fill_mask: FillMask) -> None:
    values = np.array([0.0, 1.0, 2.0])
    row = ProbeRow("a", values, mean_interval(values, 0.9))
    above = ProbeRow("b", values + 0.5, mean_interval(values + 0.5, 0.9))
    difference = contrast(above, row)
    assert (difference.interval.low, difference.interval.high) == (0.5, 0.5)
    assert difference.interval.confidence == 0.9
    assert difference.label == "b − a"
    short = ProbeRow("c", values[:2], mean_interval(values[:2]))
    with pytest.raises(InputError, match="'a' has 3 templates and 'c' 2"):
        contrast(row, short)


def test_words_of_several_pieces_are_refused_wherever_they_stand(fill_mask: FillMask) -> None:
    pieces = " ".join(fill_mask.tokenizer.tokenize("bookkeeper"))
    for fills, persons in ((["bookkeeper"], ("man", "woman")), (["nurse"], ("man", "bookkeeper"))):
        with pytest.raises(InputError, match=f"'bookkeeper' is not one token.*{pieces}"):
            probe(fill_mask, TEMPLATES, fills, persons)


def test_templates_need_a_person_and_one_mask(fill_mask: FillMask) -> None:
    for template in ("The man is a [MASK].", "The {person} is.", "{person} [MASK] [MASK]"):
        with pytest.raises(InputError, match=r"must hold \{person\} and exactly one \[MASK\]"):
            probe(fill_mask, [TEMPLATES[0], template], ["teacher"])
    with pytest.raises(InputError, match="no templates"):
        probe(fill_mask, [], ["teacher"])
    with pytest.raises(InputError, match=r"has 2 \[MASK\]s"):
        probe_log_odds(fill_mask, ["[MASK] [MASK]"], ("teacher", "doctor"))


def test_a_person_is_written_as_given() -> None:
    assert write_person(["The {person} {x} [MASK]; the {person}."], "man") == [
        "The man {x} [MASK]; the man."
    ]


def test_word_id_takes_the_piece_that_begins_a_word(tokenizer: AlbertTokenizer) -> None:
    assert tokenizer.id_to_piece(word_id(tokenizer, "man")) == "▁man"
    assert word_id(tokenizer, "▁man") == word_id(tokenizer, "Man") == word_id(tokenizer, "man")
    for word in ("", ".", "☃", "▁nosuchpiece", "two words"):
        with pytest.raises(InputError, match="is not one token"):
            word_id(tokenizer, word)
    for word in ("▁", "[MASK]", "<unk>"):
        with pytest.raises(InputError, match="is a token of this vocabulary, but no word"):
            word_id(tokenizer, word)


def test_single_token_words_reports_the_others(tokenizer: AlbertTokenizer) -> None:
    kept, dropped = single_token_words(tokenizer, ["teacher", "bookkeeper", "doctor"])
    assert kept == ["teacher", "doctor"]
    assert dropped == {"bookkeeper": tokenizer.tokenize("bookkeeper")}


def test_a_contrast_keeps_the_confidence_and_the_sign() -> None:
    first = ProbeRow.of("a", [1.0, 2.0, 4.0], confidence=0.5)
    second = ProbeRow.of("b", [0.5, 0.0, 1.0], confidence=0.5)
    row = contrast(first, second)
    assert (row.label, row.values.tolist()) == ("a − b", [0.5, 2.0, 3.0])
    assert row.interval == mean_interval([0.5, 2.0, 3.0], 0.5)
