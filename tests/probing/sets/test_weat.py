"""WEAT lists: outcomes worked out on embeddings set by hand, and by the plain functions."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.errors import InputError, TextError
from albert_lib.probing import (
    Features,
    FillMask,
    association_test,
    proportion_interval,
    sentence_embeddings,
    static_embeddings,
    word_id,
)
from albert_lib.probing.sets import weat
from albert_lib.probing.sets.weat import WeatLists, WordSet

CONTENT: dict[str, Any] = {
    "targ1": {"category": "Work", "examples": ["doctor", "lawyer", "teacher"]},
    "targ2": {"category": "Home", "examples": ["family", "house", "kitchen"]},
    "attr1": {"category": "MaleTerms", "examples": ["man", "he"]},
    "attr2": {"category": "FemaleTerms", "examples": ["woman", "she"]},
}


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**CONTENT, **changes}, indent=2), encoding="utf-8")
    return path


@pytest.fixture
def lists(tmp_path: Path) -> WeatLists:
    return weat.read(write(tmp_path / "weat6.jsonl"))[0]


def set_embeddings(fill_mask: FillMask, rows: dict[str, list[float]]) -> None:
    """Give words input embeddings whose first numbers are these, the others zero."""
    table = fill_mask.model.albert.embeddings.word_embeddings.weight
    with torch.no_grad():
        for word, numbers in rows.items():
            row = torch.zeros(table.shape[1])
            row[: len(numbers)] = torch.tensor(numbers)
            table[word_id(fill_mask.tokenizer, word)] = row


def test_files_of_the_authors_format_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path / "sent-weat7.jsonl", targ1={"category": "Math", "examples": ["This is math."]})
    write(tmp_path / "a.jsonl")
    first, second = weat.read(tmp_path)
    assert (first.name, second.name) == ("a", "sent-weat7")
    assert second.targets_x == WordSet("Math", ("This is math.",))
    assert first.attributes_b == WordSet("FemaleTerms", ("woman", "she"))
    assert weat.read(tmp_path / "a.jsonl") == [first]


def test_an_outcome_by_hand(fill_mask: FillMask, lists: WeatLists) -> None:
    east, north = [1.0, 0.0], [0.0, 1.0]
    sides = dict.fromkeys(("doctor", "lawyer", "teacher", "man", "he"), east)
    sides |= dict.fromkeys(("family", "house", "kitchen", "woman", "she"), north)
    set_embeddings(fill_mask, sides)
    result = weat.score(fill_mask, [lists], vectors="static")
    size, p_value = result.measures()
    # associations 1 1 1 −1 −1 −1: 2 apart, deviation √(6/5); 1 of 20 partitions is as far
    assert (size.label, size.unit, size.n, size.neutral) == ("weat6: effect size", "d", 6, 0.0)
    assert size.value == pytest.approx(2 / math.sqrt(6 / 5))
    assert size.low == pytest.approx(size.value) == size.high  # the targets of a kind are alike
    assert (p_value.label, p_value.unit, p_value.n) == ("weat6: p-value", "p", 20)
    assert p_value.value == p_value.low == p_value.high == pytest.approx(1 / 20)
    assert p_value.neutral is None
    assert result.dropped == {}


@pytest.mark.parametrize("vectors", ["cls", "mean", "static"])
def test_outcomes_are_those_of_the_plain_functions(
    fill_mask: FillMask, lists: WeatLists, vectors: Any
) -> None:
    encoder, tokenizer = fill_mask.model.albert, fill_mask.tokenizer

    def embed(examples: WordSet) -> np.ndarray:
        if vectors == "static":
            return static_embeddings(encoder, tokenizer, examples.texts)
        return sentence_embeddings(Features(encoder, tokenizer), examples.texts, vectors)

    result = weat.score(fill_mask, [lists, lists], vectors)
    expected = association_test(*map(embed, lists.sets), np.random.default_rng(0))
    for one in result.scored:
        assert one.outcome.effect_size == pytest.approx(expected.effect_size, abs=1e-4)
        assert one.outcome.p_value == expected.p_value
        assert one.interval.low < one.outcome.effect_size < one.interval.high
    assert result.scored[0].outcome == result.scored[1].outcome  # each begins with the same seed


def test_a_sampled_p_value_has_the_interval_of_its_draws(
    fill_mask: FillMask, lists: WeatLists
) -> None:
    result = weat.score(fill_mask, [lists], max_partitions=19)
    (outcome,) = (one.outcome for one in result.scored)
    assert (outcome.exact, outcome.n_partitions) == (False, 19)
    p_value = result.measures()[1]
    share = proportion_interval(round(outcome.p_value * 19), 19)
    assert (p_value.low, p_value.high) == (share.low, share.high)


def test_an_example_counts_once_in_its_set(
    fill_mask: FillMask, lists: WeatLists, tmp_path: Path
) -> None:
    repeated = {"category": "Work", "examples": ["doctor", "lawyer", "doctor", "teacher"]}
    (twice,) = weat.read(write(tmp_path / "weat6.jsonl", targ1=repeated))
    result = weat.score(fill_mask, [twice])
    assert result.dropped == {"example repeated within its set": 1}
    assert result.scored[0].outcome == weat.score(fill_mask, [lists]).scored[0].outcome


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"targ2": None}, "has no 'targ2' with a category; write targ1, targ2"),
        ({"attr1": {"examples": ["he"]}}, "has no 'attr1' with a category"),
        ({"attr2": {"category": "x", "examples": []}}, "'attr2' has no list of examples"),
        ({"attr2": {"category": "x", "examples": "she"}}, "'attr2' has no list of examples"),
        ({"targ1": {"category": "x", "examples": [3, 4]}}, "example 1 of 'targ1' is 3; write"),
        ({"targ1": {"category": "x", "examples": [" "]}}, "example 1 of 'targ1' is ' '; write"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TextError, match=rf"lists\.jsonl.*{complaint}"):
        weat.read(write(tmp_path / "lists.jsonl", **changes))


def test_files_without_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"holds no \.jsonl files"):
        weat.read(tmp_path)
    (tmp_path / "list.jsonl").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(TextError, match="has no 'targ1' with a category"):
        weat.read(tmp_path)
    (tmp_path / "list.jsonl").write_text('{"targ1": ', encoding="utf-8")
    with pytest.raises(TextError, match=r"list\.jsonl is not valid JSON"):
        weat.read(tmp_path)


def test_a_bad_file_or_example_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", targ1={"category": "x", "examples": ["doctor", 3, "nurse"]})
    write(tmp_path / "b.jsonl", targ2=None)
    write(tmp_path / "c.jsonl")
    tests = weat.read(tmp_path)
    assert [(each.name, each.targets_x.texts[:2]) for each in tests] == [
        ("a", ("doctor", "nurse")),
        ("c", ("doctor", "lawyer")),
    ]
    ((reason, count),) = tests.dropped.items()
    assert count == 2
    assert "a.jsonl: example 2 of 'targ1' is 3; " in reason
    assert "b.jsonl has no 'targ2' with a category" in reason


@pytest.mark.parametrize("vectors", ["cls", "static"])
def test_what_cannot_be_embedded_is_left_out_and_the_table_stands(
    fill_mask: FillMask, lists: WeatLists, vectors: Any
) -> None:
    long = "the " * 80
    targets = WordSet("Work", ("doctor", long, "lawyer", "\ufffd", "teacher"))
    warts = replace(lists, targets_x=targets)
    nothing = replace(lists, name="sent-weat9", attributes_a=WordSet("MaleTerms", ("\ufffd",)))
    result = weat.score(fill_mask, [nothing, warts], vectors)
    assert [one.outcome for one in result.scored] == [
        one.outcome for one in weat.score(fill_mask, [lists], vectors).scored
    ]
    assert sum(result.dropped.values()) == 4
    reasons = " ".join(result.dropped)
    assert "example of weat6 longer than the model's positions ('the the" in reasons
    assert "example of weat6 without a token ('\ufffd')" in reasons
    assert "test sent-weat9: A set of vectors is empty" in reasons
    with pytest.raises(InputError, match="A set of vectors is empty"):
        weat.score(fill_mask, [nothing], vectors)


@pytest.mark.usefixtures("without_shape_checks")
def test_questions_without_an_answer_are_refused(fill_mask: FillMask, lists: WeatLists) -> None:
    with pytest.raises(InputError, match="no lists to test"):
        weat.score(fill_mask, [])
    with pytest.raises(InputError, match="vectors='glove' is unknown; choose from cls, mean, stat"):
        weat.score(fill_mask, [lists], vectors="glove")  # type: ignore[arg-type]


def test_the_seed_is_that_of_the_draws(fill_mask: FillMask, lists: WeatLists) -> None:
    found = [
        weat.score(fill_mask, [lists], seed=seed, max_partitions=3).scored[0] for seed in range(8)
    ]
    assert len({one.interval.low for one in found}) > 1
    assert len({one.outcome.p_value for one in found}) > 1
