"""EWoK and COMPS: targets and properties scored as by transformers, and counted by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from albert_lib.errors import InputError, TextError
from albert_lib.probing import FillMask, mean_interval, proportion_interval
from albert_lib.probing.sets import comps, ewok
from albert_lib.probing.sets.comps import CompsResult, ConceptPair, ScoredConceptPair
from albert_lib.probing.sets.continuations import score_continuations
from albert_lib.probing.sets.ewok import ContextPair, EwokResult, ScoredContextPair

ITEM = {
    "Domain": "weather",
    "ConceptA": "wet",
    "ConceptB": "dry",
    "Context1": "It rained on the house.",
    "Context2": "The sun shone, all day.",
    "Target1": "The man is wet.",
    "Target2": "The man is dry.",
}
PAIR = {
    "id": 1,
    "property": "can fly",
    "acceptable_concept": "bird",
    "unacceptable_concept": "fish",
    "prefix_acceptable": "A bird",
    "property_phrase": "can fly.",
    "prefix_unacceptable": "A fish",
    "negative_sample_type": "taxonomic",
    "similarity": 0.5,
}


def conditional(model: Any, tokenizer: Any, given: str, following: str) -> float:
    """The sum over the tokens of `following`, each masked alone, by transformers."""
    before = len(tokenizer.encode(given)) - 1  # without [SEP]
    ids = torch.tensor(tokenizer.encode(f"{given} {following}"))
    total = 0.0
    for place in range(before, len(ids) - 1):
        masked = ids.clone()
        masked[place] = tokenizer.mask_token_id
        with torch.no_grad():
            total += float(model(masked[None]).logits[0, place].log_softmax(-1)[ids[place]])
    return total


def test_continuations_are_scored_as_by_transformers(
    fill_mask: FillMask, model_folder: Path
) -> None:
    model = transformers.AlbertForMaskedLM.from_pretrained(model_folder).eval()
    pairs = [("A bird", "can fly."), ("The old fish sleeps,", "and it is late.")]
    ((_, found),), dropped = score_continuations(fill_mask, ["item"], lambda _: pairs)
    expected = [conditional(model, fill_mask.tokenizer, *pair) for pair in pairs]
    assert found == pytest.approx(expected, abs=1e-3)
    assert dropped == {}


def test_what_a_model_cannot_read_is_left_out_and_counted(fill_mask: FillMask) -> None:
    items = ["can fly.", "the " * 80, "☃☃", "\u200b"]
    scored, dropped = score_continuations(fill_mask, items, lambda item: [("A bird", item)])
    assert [item for item, _ in scored] == ["can fly."]
    assert dropped == {
        "item longer than the model's positions": 1,
        "item with characters that the vocabulary cannot write": 1,
        "item whose continuation has no token": 1,
    }
    with pytest.raises(InputError, match="None of 1 items can be scored"):
        score_continuations(fill_mask, items[1:2], lambda item: [("A bird", item)])


def test_ewok_compares_each_target_with_itself(fill_mask: FillMask) -> None:
    item = ContextPair(
        (ITEM["Context1"], ITEM["Context2"]), (ITEM["Target1"], ITEM["Target2"]), "weather"
    )
    (one,) = ewok.score(fill_mask, [item]).scored
    of = {
        (c, t): score_continuations(fill_mask, [0], lambda _, c=c, t=t: [(c, t)])[0][0][1][0]
        for c in item.contexts
        for t in item.targets
    }
    (c1, c2), (t1, t2) = item.contexts, item.targets
    assert one.gains == pytest.approx((of[c1, t1] - of[c2, t1], of[c2, t2] - of[c1, t2]), abs=1e-4)


def test_ewok_counts_a_tie_as_half() -> None:
    weather, people = (ContextPair(("a", "b"), ("c", "d"), d) for d in ("weather", "people"))
    result = EwokResult(
        [
            ScoredContextPair(weather, (1.0, 1.0)),  # both right
            ScoredContextPair(weather, (1.0, -1.0)),  # one
            ScoredContextPair(people, (1.0, 1e-6)),  # one, and a tie
            ScoredContextPair(people, (0.0, -1.0)),  # a tie
        ],
        {},
    )
    measures = {measure.label: measure for measure in result.measures()}
    assert {label: (measure.value, measure.n) for label, measure in measures.items()} == {
        "accuracy": (62.5, 4),  # 100, 50, 75, 25
        "both targets right": (25.0, 4),
        "domain people": (50.0, 2),
        "domain weather": (75.0, 2),
    }
    assert measures["accuracy"].low == max(0.0, mean_interval([100.0, 50.0, 75.0, 25.0]).low)
    assert measures["domain people"].low == 0.0 and measures["domain people"].high == 100.0


def test_ewok_reads_the_tables_of_its_authors_and_the_lines_of_babylm(tmp_path: Path) -> None:
    tables, lines = tmp_path / "csv", tmp_path / "jsonl"
    tables.mkdir(), lines.mkdir()
    with (tables / "testsuite-weather.csv").open("w", newline="", encoding="utf-8") as file:
        file.write("THIS IS A NOTICE, do not train on it\n")
        writer = csv.DictWriter(file, ["MetaTemplateID", *ITEM])
        writer.writeheader()
        writer.writerow({"MetaTemplateID": 7, **ITEM})
        writer.writerow({"MetaTemplateID": 8, **ITEM, "Target2": ""})
    (lines / "weather.jsonl").write_text(json.dumps(ITEM) + "\n", encoding="utf-8")
    expected = ContextPair(
        ("It rained on the house.", "The sun shone, all day."),
        ("The man is wet.", "The man is dry."),
        "weather",
    )
    (tables / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    items = ewok.read(tables)
    assert items == ewok.read(lines) == ewok.read(lines / "weather.jsonl") == [expected]
    ((reason, count),) = items.dropped.items()
    assert count == 2 and "testsuite-weather.csv, line 4 has no text in 'Target2'" in reason
    assert "notes.csv has no column 'Context1' in its first line" in reason
    (tables / "weather.jsonl").write_text(json.dumps(ITEM) + "\n", encoding="utf-8")
    with pytest.raises(TextError, match=r"holds notes\.csv and weather\.jsonl, perhaps the same"):
        ewok.read(tables)


def test_comps_counts_by_file_and_kind() -> None:
    def one(part: str, negative: str, right: float, wrong: float) -> ScoredConceptPair:
        return ScoredConceptPair(ConceptPair("a", "b", "c", part, negative), right, wrong)

    result = CompsResult(
        [
            one("comps_base", "random", -1.0, -2.0),
            one("comps_base", "taxonomic", -1.0, -1.0),  # a tie is not right
            one("comps_base", "taxonomic", -1.0, -2.0),
            one("comps_wugs", "random", -2.0, -1.0),
        ],
        {},
    )
    measures = {measure.label: measure for measure in result.measures()}
    assert {label: (round(m.value, 3), m.n) for label, m in measures.items()} == {
        "comps_base: accuracy": (66.667, 3),
        "comps_base: random": (100.0, 1),
        "comps_base: taxonomic": (50.0, 2),
        "comps_wugs: accuracy": (0.0, 1),
        "comps_wugs: random": (0.0, 1),
    }
    assert measures["comps_base: accuracy"].low == 100 * proportion_interval(2, 3).low


def test_comps_scores_the_property_alone(scripted: Callable[..., FillMask]) -> None:
    """The concept's own probability, which differs, must not count."""

    def rule(pieces: list[str], place: int) -> dict[str, float]:
        before = pieces[place - 1]
        return {"▁can": 0.6 if before == "▁bird" else 0.2, "▁bird": 1e-6, "▁fish": 0.3}

    pair = ConceptPair("A bird", "A fish", "can", "comps_base", "taxonomic")
    (one,) = comps.score(scripted(rule), [pair]).scored
    assert one.acceptable - one.unacceptable == pytest.approx(
        torch.tensor(3.0).log().item(), abs=1e-4
    )


@pytest.mark.parametrize("module", [comps, ewok], ids=["comps", "ewok"])
def test_bad_records_are_named(module: Any, tmp_path: Path) -> None:
    good = PAIR if module is comps else ITEM
    missing = "property_phrase" if module is comps else "Context2"
    file = tmp_path / "some.jsonl"
    bad = {**good, missing: 3}
    file.write_text("\n".join([json.dumps(good), json.dumps(bad), "[", "[]"]), encoding="utf-8")
    items = module.read(file)
    ((reason, count),) = items.dropped.items()
    assert (len(items), count) == (1, 3)
    assert f"line 2 has no text in '{missing}'" in reason and "line 3 is not JSON" in reason
    file.write_text(json.dumps(bad), encoding="utf-8")
    with pytest.raises(TextError, match=rf"some\.jsonl, line 1 has no text in '{missing}'"):
        module.read(file)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(TextError, match=r"nothing has no .*; give .*\.jsonl files"):
        module.read(tmp_path / "nothing")
