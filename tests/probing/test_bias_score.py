"""Bias scores are what transformers gives for the two readings of Kurita et al."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from albert_lib.errors import InputError
from albert_lib.probing import (
    FillMask,
    bias_score,
    contrast,
    increased_log_probability,
    mean_interval,
    template_set,
    word_id,
)

TEMPLATES = template_set().templates
ATTRIBUTES = ["teacher", "bookkeeper"]  # of one piece and of several


def test_scores_follow_from_transformers_with_both_readings_masked_by_hand(
    fill_mask: FillMask, model_folder: Path
) -> None:
    model = transformers.AlbertForMaskedLM.from_pretrained(model_folder).eval()
    tokenizer = fill_mask.tokenizer
    man, mask = word_id(tokenizer, "man"), tokenizer.mask_token_id

    def log_probability(ids: list[int], place: int) -> float:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, place]
        return float(logits.double().log_softmax(dim=-1)[man])

    for attribute, row in zip(
        ATTRIBUTES, increased_log_probability(fill_mask, TEMPLATES, ATTRIBUTES, "man"), strict=True
    ):
        pieces = {tokenizer.piece_id(piece) for piece in tokenizer.tokenize(attribute)}
        for template, value in zip(TEMPLATES, row.values, strict=True):
            text = template.replace("{person}", "man").replace("[MASK]", attribute)
            given = [mask if piece == man else piece for piece in tokenizer.encode(text)]
            hidden = [mask if piece in pieces else piece for piece in given]
            assert given.count(mask) == 1
            assert hidden.count(mask) == 1 + len(pieces)
            place = given.index(mask)
            expected = log_probability(given, place) - log_probability(hidden, place)
            assert value == pytest.approx(expected, abs=1e-4)
        assert row.label == attribute
        assert row.interval == mean_interval(row.values)


def test_the_bias_score_is_the_difference_of_the_persons(fill_mask: FillMask) -> None:
    rows = bias_score(fill_mask, TEMPLATES, ATTRIBUTES, ("he", "she"), confidence=0.8)
    he, she = (
        increased_log_probability(fill_mask, TEMPLATES, ATTRIBUTES, person, confidence=0.8)
        for person in ("he", "she")
    )
    for row, first, second in zip(rows, he, she, strict=True):
        expected = contrast(first, second)
        assert row.values.tolist() == pytest.approx(expected.values.tolist(), abs=1e-5)
        assert row.interval.low == pytest.approx(expected.interval.low, abs=1e-5)
        assert row.interval.confidence == 0.8


def test_a_person_likely_everywhere_scores_no_higher(fill_mask: FillMask) -> None:
    """This is what the prior is for: the output bias of a word is in both readings."""
    before = bias_score(fill_mask, TEMPLATES, ATTRIBUTES)
    with torch.no_grad():
        fill_mask.model.mlm_head.bias[word_id(fill_mask.tokenizer, "man")] += 1.5
    after = bias_score(fill_mask, TEMPLATES, ATTRIBUTES)
    for old, new in zip(before, after, strict=True):
        assert np.allclose(old.values, new.values, atol=1e-4)
        assert old.values.any()


def test_swapping_the_persons_changes_the_sign(fill_mask: FillMask) -> None:
    (row,) = bias_score(fill_mask, TEMPLATES, ["nurse"], ("man", "woman"))
    (swapped,) = bias_score(fill_mask, TEMPLATES, ["nurse"], ("woman", "man"))
    assert np.allclose(row.values, -swapped.values, atol=1e-6)


def test_attributes_of_equal_length_share_their_priors(fill_mask: FillMask) -> None:
    rows: list[int] = []
    fill_mask.model.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    bias_score(fill_mask, TEMPLATES, ["nurse", "teacher", "doctor"])
    assert sum(rows) == (3 + 1) * len(TEMPLATES)


def test_the_attribute_may_come_first(fill_mask: FillMask) -> None:
    (row,) = bias_score(fill_mask, ["The [MASK] is the {person} of the house."], ["teacher"])
    assert np.isfinite(row.values).all()
    (alone,) = bias_score(fill_mask, ["The [MASK] is {person}."], ["man"], ("man", "woman"))
    assert np.isfinite(alone.values).all()


def test_what_cannot_be_scored_is_refused(fill_mask: FillMask) -> None:
    for template in ("The man is a [MASK].", "The {person} is.", "{person} {person} [MASK]"):
        with pytest.raises(InputError, match=r"must hold \{person\} and \[MASK\] exactly once"):
            bias_score(fill_mask, [template], ["nurse"])
    for person in (("man", "bookkeeper"), ("bookkeeper", "man")):
        with pytest.raises(InputError, match="'bookkeeper' is not one token"):
            bias_score(fill_mask, TEMPLATES, ["nurse"], person)
    with pytest.raises(InputError, match="nothing to score"):
        bias_score(fill_mask, [], ["nurse"])
    with pytest.raises(InputError, match="nothing to score"):
        bias_score(fill_mask, TEMPLATES, [])
    with pytest.raises(InputError, match="belongs to ''"):
        bias_score(fill_mask, TEMPLATES, [""])
    with pytest.raises(InputError, match="85 tokens, but the model knows 64 positions"):
        bias_score(fill_mask, ["The {person} [MASK]" + " the" * 80], ["nurse"])
    with pytest.raises(InputError, match="'man' does not stand apart as one token"):
        bias_score(fill_mask, ["super{person} [MASK]"], ["nurse"])
