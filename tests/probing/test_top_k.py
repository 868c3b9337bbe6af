"""Bounds by hand, and always around the gap that full distributions have."""

from __future__ import annotations

import math

import numpy as np
import pytest
import transformers

from albert_lib.errors import InputError
from albert_lib.probing import (
    FillMask,
    ListedWord,
    compare_top_k,
    gap_bounds,
    mean_interval,
    probe,
    template_set,
    top_k_presence,
)

TEMPLATES = template_set().templates
MAN, WOMAN = "The man worked as a [MASK].", "The woman worked as a [MASK]."


def test_bounds_by_hand() -> None:
    listed = gap_bounds({"smith": 0.4, "cook": 0.1}, {"cook": 0.2, "nurse": 0.05})
    assert [(word.word, word.where, word.presence) for word in listed] == [
        ("smith", "first", 1),
        ("cook", "both", 0),
        ("nurse", "second", -1),
    ]
    smith, cook, nurse = listed
    assert (smith.low, smith.high) == (pytest.approx(math.log(0.4 / 0.05)), math.inf)
    assert cook.low == cook.high == pytest.approx(-math.log(2))
    assert (nurse.low, nurse.high) == (-math.inf, pytest.approx(math.log(0.1 / 0.05)))
    assert [word.sign_is_known for word in listed] == [True, True, False]


@pytest.mark.parametrize("top_k", [1, 5, 200])
def test_the_true_gap_lies_within_its_bounds(fill_mask: FillMask, top_k: int) -> None:
    listed = compare_top_k(fill_mask, MAN, WOMAN, top_k)
    logits = [row[0].double().log_softmax(dim=-1) for row in fill_mask.masked_logits([MAN, WOMAN])]
    best = [set(row.topk(top_k).indices.tolist()) for row in logits]
    for word in listed:
        token = fill_mask.tokenizer.piece_id(word.word)
        gap = float(logits[0][token] - logits[1][token])
        assert word.low - 1e-4 <= gap <= word.high + 1e-4
        where = {(True, True): "both", (True, False): "first", (False, True): "second"}
        assert word.where == where[token in best[0], token in best[1]]
    assert len(listed) == len(best[0] | best[1])


def test_lists_are_those_of_transformers(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    listed = compare_top_k(fill_mask, MAN, WOMAN)
    for text, places in ((MAN, ("first", "both")), (WOMAN, ("second", "both"))):
        theirs = {fill["token"] for fill in reference(text)}
        ours = {fill_mask.tokenizer.piece_id(w.word) for w in listed if w.where in places}
        assert ours == theirs


def test_presence_by_the_lists_of_every_template(fill_mask: FillMask) -> None:
    fills = ["teacher", "doctor", "nurse"]
    rows = top_k_presence(fill_mask, TEMPLATES, fills, top_k=2000)
    gaps = probe(fill_mask, TEMPLATES, fills)
    assert {value for row in rows for value in row.values} == {-1.0, 0.0, 1.0}
    for row, gap in zip(rows, gaps, strict=True):
        assert row.label == gap.label
        assert row.interval == mean_interval(row.values)
        for template, value in zip(TEMPLATES, row.values, strict=True):
            texts = [template.replace("{person}", person) for person in ("man", "woman")]
            seen = {word.word: word for word in compare_top_k(fill_mask, *texts, top_k=2000)}
            word = seen.get(f"▁{row.label}")
            assert value == (0 if word is None else word.presence)


def test_swapping_the_persons_changes_the_sign(fill_mask: FillMask) -> None:
    (row,) = top_k_presence(fill_mask, TEMPLATES, ["nurse"], ("he", "she"), top_k=2000)
    (swapped,) = top_k_presence(fill_mask, TEMPLATES, ["nurse"], ("she", "he"), top_k=2000)
    assert np.array_equal(row.values, -swapped.values)
    assert ListedWord("x", "both", 0.0, 0.0).sign_is_known is False


def test_lists_that_say_nothing_are_refused(fill_mask: FillMask) -> None:
    for first, second in (({}, {"a": 0.5}), ({"a": 0.5}, {})):
        with pytest.raises(InputError, match="A list has no words"):
            gap_bounds(first, second)
    for wrong in (0.0, -1.0, 1.5, math.nan):
        with pytest.raises(InputError, match=f"'a' has the probability {wrong}"):
            gap_bounds({"a": wrong}, {"a": 0.5})
    with pytest.raises(InputError, match="top_k=0 lists no fill"):
        compare_top_k(fill_mask, MAN, WOMAN, top_k=0)
    with pytest.raises(InputError, match=r"has 2 \[MASK\]s; a list needs exactly one"):
        compare_top_k(fill_mask, MAN, "[MASK] [MASK]")
    with pytest.raises(InputError, match="no templates"):
        top_k_presence(fill_mask, [], ["nurse"])
    with pytest.raises(InputError, match="'bookkeeper' is not one token"):
        top_k_presence(fill_mask, TEMPLATES, ["bookkeeper"])


def test_a_list_may_hold_all_of_the_probability() -> None:
    (word,) = gap_bounds({"cook": 1.0}, {"cook": 0.5})
    assert word.low == word.high == pytest.approx(np.log(2))
    with pytest.raises(InputError, match="has the probability"):
        gap_bounds({"cook": 1.01}, {"cook": 0.5})


def test_a_sign_is_known_on_either_side_of_zero_and_not_across() -> None:
    for low, high, known in [(0.1, 0.2, True), (-0.2, -0.1, True), (-1.0, 1.0, False)]:
        assert ListedWord("cook", "both", low, high).sign_is_known is known
