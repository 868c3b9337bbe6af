"""BLiMP: accuracies counted by hand, sentences scored by transformers, files refused by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers

from albert_lib.errors import InputError, TextError
from albert_lib.probing import FillMask, mean_interval, proportion_interval
from albert_lib.probing.sets import blimp
from albert_lib.probing.sets.blimp import BlimpResult, MinimalPair, ScoredMinimalPair

RECORD = {
    "sentence_good": "She helps herself.",
    "sentence_bad": "She helps himself.",
    "field": "morphology",
    "linguistics_term": "anaphor_agreement",
    "UID": "anaphor_gender_agreement",
    "pairID": "0",
}


def scored(paradigm: str, term: str, good: float, bad: float) -> ScoredMinimalPair:
    return ScoredMinimalPair(MinimalPair("good", "bad", paradigm, term), good, bad)


def test_files_of_the_authors_format_are_read_in_order(tmp_path: Path) -> None:
    line = json.dumps(RECORD)
    (tmp_path / "b.jsonl").write_text(f"{line}\n\n{line}\n", encoding="utf-8")
    other = {**RECORD, "UID": "other"}
    (tmp_path / "a.jsonl").write_text(json.dumps(other) + "\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("not read", encoding="utf-8")
    pairs = blimp.read(tmp_path)
    assert [pair.paradigm for pair in pairs] == ["other"] + ["anaphor_gender_agreement"] * 2
    assert pairs[1] == MinimalPair(
        "She helps herself.", "She helps himself.", "anaphor_gender_agreement", "anaphor_agreement"
    )
    assert blimp.read(tmp_path / "b.jsonl") == pairs[1:]


def test_accuracies_counted_by_hand() -> None:
    result = BlimpResult(
        scored=[
            scored("gender", "anaphor", -1.0, -2.0),
            scored("gender", "anaphor", -1.0, -2.0),
            scored("number", "anaphor", -1.0, -2.0),
            scored("number", "anaphor", -2.0, -1.0),
            scored("wh", "island", -1.0, -1.0),  # a tie is wrong
        ],
        dropped={},
    )
    measures = {measure.label: measure for measure in result.measures()}
    assert {label: (measure.value, measure.n) for label, measure in measures.items()} == {
        "accuracy": (50.0, 5),  # of the paradigms' 100, 50 and 0
        "term anaphor": (75.0, 4),
        "term island": (0.0, 1),
        "paradigm gender": (100.0, 2),
        "paradigm number": (50.0, 2),
        "paradigm wh": (0.0, 1),
    }
    assert all(measure.neutral == 50.0 for measure in measures.values())
    assert measures["term anaphor"].low == 100 * proportion_interval(3, 4).low
    over_paradigms = mean_interval([100.0, 50.0, 0.0])
    assert over_paradigms.low < 0
    assert (measures["accuracy"].low, measures["accuracy"].high) == (0.0, 100.0)


def test_one_paradigm_has_the_interval_of_its_sentences() -> None:
    result = BlimpResult(
        [scored("wh", "island", -1.0, -2.0), scored("wh", "island", -2.0, -1.0)], {}
    )
    overall, term, paradigm = result.measures()
    assert (overall.value, overall.low, overall.high) == (50.0, term.low, term.high)
    assert (paradigm.low, paradigm.high) == (term.low, term.high)


def test_sentences_are_scored_piece_by_piece_as_transformers(
    fill_mask: FillMask, model_folder: Path
) -> None:
    model = transformers.AlbertForMaskedLM.from_pretrained(model_folder).eval()
    pair = MinimalPair(
        "The bookkeeper helps herself.", "The bookkeeper helps itself.", "gender", "anaphor"
    )
    (one,) = blimp.score(fill_mask, [pair]).scored
    for text, score in ((pair.good, one.good), (pair.bad, one.bad)):
        ids = fill_mask.tokenizer.encode(text)
        expected = 0.0
        for place in range(1, len(ids) - 1):
            masked = torch.tensor([ids])
            masked[0, place] = fill_mask.tokenizer.mask_token_id
            with torch.no_grad():
                expected += float(model(masked).logits[0, place].log_softmax(dim=-1)[ids[place]])
        assert score == pytest.approx(expected, abs=1e-3)
    assert one.is_right == (one.good > one.bad)
    (by_words,) = blimp.score(fill_mask, [pair], mask_unit="word").scored
    assert abs(by_words.good - one.good) > 1e-3


def test_a_sentence_without_a_token_costs_its_pair_alone(fill_mask: FillMask) -> None:
    good = MinimalPair("He is late.", "He are late.", "agreement_1", "agreement")
    empty = MinimalPair("\u200b", "He are late.", "agreement_1", "agreement")
    result = blimp.score(fill_mask, [good, empty])
    assert [one.pair for one in result.scored] == [good]
    assert result.dropped == {"pair with a sentence that has no token": 1}


def test_pairs_that_are_too_long_are_left_out_and_counted(fill_mask: FillMask) -> None:
    long, short = (
        MinimalPair("the " * 80, "the", "p", "t"),
        MinimalPair("She is.", "She are.", "p", "t"),
    )
    result = blimp.score(fill_mask, [long, short])
    assert [one.pair for one in result.scored] == [short]
    assert result.dropped == {"pair longer than 64 tokens": 1}
    with pytest.raises(InputError, match="None of 1 pairs fits into the model's 64 positions"):
        blimp.score(fill_mask, [long])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2 is not JSON"),
        ("[]", "line 2 has no text in 'sentence_good'"),
        (json.dumps({**RECORD, "sentence_bad": 3}), "line 2 has no text in 'sentence_bad'"),
        (json.dumps({**RECORD, "UID": " "}), "line 2 has no text in 'UID'"),
    ],
)
def test_a_bad_line_is_left_out_and_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "pairs.jsonl"
    good = json.dumps(RECORD)
    path.write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")
    pairs = blimp.read(path)
    assert len(pairs) == 2
    ((reason, count),) = pairs.dropped.items()
    assert (count, f"{path}, {complaint}" in reason) == (1, True)
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(TextError, match=rf"pairs\.jsonl, {complaint}.*; restore the file"):
        blimp.read(path)


def test_files_without_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="has no pairs of sentences; give BLiMP's"):
        blimp.read(tmp_path)
    with pytest.raises(TextError, match=r"missing\.jsonl does not exist"):
        blimp.read(tmp_path / "missing.jsonl")


def test_the_published_files_can_be_read(shared_data: Path) -> None:
    folder = shared_data / "probes" / "blimp"
    if not folder.is_dir():
        pytest.skip("BLiMP's files are not here")
    pairs = blimp.read(folder)
    assert {pair.paradigm for pair in pairs} == {file.stem for file in folder.glob("*.jsonl")}
    assert sum(pair.good == pair.bad for pair in pairs) <= 1  # principle_A_case_2 has one
