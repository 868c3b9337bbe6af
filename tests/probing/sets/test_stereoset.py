"""StereoSet: its file format, and its three scores worked out by hand."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import TextError
from albert_lib.model import AlbertForMaskedLM, AlbertForPreTraining
from albert_lib.probing import FillMask
from albert_lib.probing.sets.stereoset import NO_ORDER_HEAD, ContextExample, icat, read, score

LABELS = ("unrelated", "stereotype", "anti-stereotype")  # the file has them in any order
# context, target, and the probabilities of the stereotype, its opposite, and the unrelated word
CHANCES = {
    "north": (0.4, 0.2, 0.1),
    "south": (0.1, 0.3, 0.2),
    "east": (0.2, 0.2, 0.3),
}
WORDS = ("cruel", "kind", "green")  # stereotype, opposite, unrelated


def example(place: str, target: str, bias_type: str = "gender") -> dict[str, Any]:
    texts = dict(zip(("stereotype", "anti-stereotype", "unrelated"), WORDS, strict=True))
    return {
        "id": place,
        "target": target,
        "bias_type": bias_type,
        "context": f"In the {place} the men are BLANK.",
        "sentences": [
            {
                "id": f"{place} {label}",
                "sentence": f"In the {place} the men are {texts[label]}.",
                "labels": [{"label": label, "human_id": "1"}],
                "gold_label": label,
            }
            for label in LABELS
        ],
    }


def pair(number: int, target: str) -> dict[str, Any]:
    texts = {"stereotype": "They shout.", "anti-stereotype": "They sing.", "unrelated": "It rains."}
    return {
        "id": f"pair {number}",
        "target": target,
        "bias_type": "gender",
        "context": f"The men came in {number}.",
        "sentences": [
            {"id": f"{number} {label}", "sentence": texts[label], "labels": [], "gold_label": label}
            for label in LABELS
        ],
    }


def content(intra: list[Any], inter: list[Any]) -> dict[str, Any]:
    return {"version": "1.1", "data": {"intrasentence": intra, "intersentence": inter}}


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Two examples about one target and one about another."""
    examples = [example("north", "men"), example("south", "men"), example("east", "boys", "race")]
    return write(tmp_path / "dev.json", content(examples, []))


def rule(pieces: list[str], _: int) -> dict[str, float]:
    chances = next(CHANCES[piece[1:]] for piece in pieces if piece[1:] in CHANCES)
    return {f"▁{word}": chance for word, chance in zip(WORDS, chances, strict=True)}


def named(measures: list[Measure]) -> dict[str, float]:
    return {measure.label: measure.value for measure in measures}


def test_examples_are_read_in_the_order_of_the_labels(three: Path) -> None:
    items = read(three)
    assert [item.name for item in items] == ["north", "south", "east"]
    assert items[2] == ContextExample(
        part="intrasentence",
        name="east",
        target="boys",
        bias_type="race",
        context="In the east the men are BLANK.",
        sentences=tuple(f"In the east the men are {word}." for word in WORDS),  # type: ignore[arg-type]
    )
    assert items[2].words() == ["cruel", "kind", "green"], "without the full stop"
    assert read(three.parent) == items, "a folder with one .json"


def test_scores_are_averaged_over_targets_not_examples(
    three: Path, scripted: Callable[..., FillMask]
) -> None:
    result = score(scripted(rule), read(three))
    # north: 100 and 100; south: 50 and 0; so men: 75 and 50. east: a tie and none: boys 0 and 0.
    measures = named(result.measures())
    assert measures["intrasentence: lms"] == pytest.approx(37.5)
    assert measures["intrasentence: ss"] == pytest.approx(25)
    assert measures["intrasentence: icat"] == pytest.approx(37.5 * 25 / 50)
    assert measures["intrasentence, gender: lms"] == pytest.approx(75)
    assert measures["intrasentence, gender: icat"] == pytest.approx(75)
    assert measures["intrasentence, race: ss"] == 0
    assert result.dropped == {}
    assert "overall: lms" not in measures, "that is of both parts"


def test_intervals_are_over_targets(three: Path, scripted: Callable[..., FillMask]) -> None:
    measures = {m.label: m for m in score(scripted(rule), read(three)).measures()}
    both, alone = measures["intrasentence: ss"], measures["intrasentence, race: ss"]
    margin = 12.706204736 * 50 / 2  # t at one degree of freedom, times the deviation of 50 and 0
    assert (both.low, both.high) == pytest.approx((25 - margin, 25 + margin))
    assert (both.n, both.neutral, both.unit) == (3, 50.0, "%")
    assert (alone.low, alone.high) == (-math.inf, math.inf), "one target says nothing of others"
    combined = measures["intrasentence: icat"]
    # two targets drawn twice: 75 and 50 twice, both once, or 0 twice
    assert (combined.low, combined.high) == pytest.approx((0.0, 75.0))


def test_a_word_of_several_pieces_is_read_from_left_to_right(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    seen: list[list[str]] = []

    def by_piece(pieces: list[str], place: int) -> dict[str, float]:
        seen.append(pieces)
        return {"friend": 0.9} if pieces[place - 1] == "▁boy" else {"▁boy": 0.3, "▁kind": 0.5}

    case = example("north", "men")
    for sentence in case["sentences"]:
        sentence["sentence"] = sentence["sentence"].replace("cruel", "boyfriend")
    (found,) = score(
        scripted(by_piece), read(write(tmp_path / "x.json", content([case], [])))
    ).scored
    assert found.stereotype == pytest.approx((0.3 + 0.9) / 2), "means of probabilities, not logs"
    assert found.anti_stereotype == pytest.approx(0.5)
    start = "[CLS] ▁in ▁the ▁north ▁the ▁men ▁are".split()
    assert sorted(seen, key=len) == [
        [*start, "[MASK]", ".", "[SEP]"],  # asked once for all three words
        [*start, "▁boy", "[MASK]", ".", "[SEP]"],
    ]


def test_the_order_head_scores_the_next_sentence(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    def order(pieces: list[str]) -> float:
        first, second = "men" in "".join(pieces), pieces.index("[SEP]")
        assert first
        text = "".join(pieces[second:])
        return 0.8 if "sing" in text else 0.6 if "shout" in text else 0.7

    path = write(
        tmp_path / "dev.json", content([example("north", "men")], [pair(1, "men"), pair(2, "boys")])
    )
    result = score(scripted(rule, order), read(path))
    measures = named(result.measures())
    assert measures["intersentence: lms"] == 50
    assert measures["intersentence: ss"] == 0
    assert measures["overall: lms"] == pytest.approx((75 + 50) / 2), "men: 100 and 50; boys: 50"
    assert measures["overall: ss"] == pytest.approx((50 + 0) / 2)
    assert [round(example.unrelated, 6) for example in result.scored[1:]] == [0.7, 0.7]


def test_the_order_head_is_the_models_own(tmp_path: Path, model_folder: Path) -> None:
    masked = FillMask.from_pretrained(model_folder, order_head=True)
    assert isinstance(masked.model, AlbertForMaskedLM), "this folder has no order head"
    pretraining = AlbertForPreTraining(masked.model.config)
    items = read(write(tmp_path / "dev.json", content([], [pair(1, "men"), pair(2, "boys")])))
    first, _ = score(FillMask(pretraining, masked.tokenizer), items).scored
    batch = masked.tokenizer(["The men came in 1."], ["They shout."])
    expected = pretraining.eval()(**batch).sop_logits.softmax(dim=-1)[0, 0]
    assert first.stereotype == pytest.approx(expected.item(), abs=1e-6)


def test_without_an_order_head_the_next_sentences_are_left_out(
    tmp_path: Path, fill_mask: FillMask
) -> None:
    path = write(tmp_path / "dev.json", content([example("north", "men")], [pair(1, "men")]))
    result = score(fill_mask, read(path))
    assert result.dropped == {NO_ORDER_HEAD: 1}
    assert [example.item.part for example in result.scored] == ["intrasentence"]


def test_what_cannot_be_asked_is_counted_by_reason(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    cases = [example(place, "men") for place in ("north", "south", "east", "north")]
    cases[0]["context"] = "In the BLANK the men are BLANK."
    cases[1]["sentences"][0]["sentence"] = "In the south the men are ..."
    cases[2]["context"] = "In the east " + "the men and " * 20 + "the men are BLANK."
    for sentence in cases[2]["sentences"]:
        sentence["sentence"] = cases[2]["context"].replace("BLANK", "kind")
    far = pair(1, "men")
    far["context"] = "The men came in. " * 10
    path = write(tmp_path / "dev.json", content(cases, [far]))
    result = score(scripted(rule), read(path))
    assert result.dropped == {
        "intrasentence example: several blanks": 1,
        "intrasentence example: a word of punctuation alone": 1,
        "intrasentence example: longer than the model's positions": 1,
        "intersentence example: longer than the model's positions": 1,
    }
    assert len(result.scored) == 1


def test_icat_is_100_for_a_model_that_takes_no_side() -> None:
    assert icat(100.0, 50.0) == 100
    assert icat(100.0, 100.0) == icat(100.0, 0.0) == 0
    assert icat(80.0, 70.0) == pytest.approx(48)


def without(case: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name != key}


def labelled(label: str) -> dict[str, Any]:
    case = example("north", "men")
    case["sentences"][0]["gold_label"] = label
    return case


BAD_EXAMPLES = {
    "no target": (without(example("north", "men"), "target"), "has no 'target'"),
    "no sentences": (without(example("north", "men"), "sentences"), "has no 'sentences'"),
    "another kind": ({**example("north", "men"), "context": 7}, "'context' .* is int, not str"),
    "a wrong label": (labelled("funny"), "gold_label 'funny' .* is none of"),
    "a label twice": (labelled("stereotype"), "gold_label 'stereotype' .* occurs twice"),
    "two sentences": (
        {**example("north", "men"), "sentences": example("north", "men")["sentences"][:2]},
        "no sentence with gold_label 'anti-stereotype'",
    ),
    "no blank": ({**example("north", "men"), "context": "They are kind."}, "has no BLANK"),
    "a short sentence": (
        {**example("north", "men"), "context": "In the north the men are very BLANK."},
        "no word where its context says BLANK",
    ),
    "no object": ("north", "has no 'id'"),
}


@pytest.mark.parametrize(("case", "sentence"), BAD_EXAMPLES.values(), ids=BAD_EXAMPLES.keys())
def test_a_bad_example_is_left_out_and_named(tmp_path: Path, case: Any, sentence: str) -> None:
    good = example("south", "men")
    path = write(tmp_path / "dev.json", content([good, case, good], []))
    items = read(path)
    assert len(items) == 2
    ((reason, count),) = items.dropped.items()
    assert count == 1
    assert re.search(sentence, reason) and f"{path}: " in reason
    assert "intrasentence example 1" in reason
    write(path, content([case], []))
    with pytest.raises(TextError, match=sentence):
        read(path)


@pytest.mark.parametrize("place", ["context", "sentence"])
def test_a_next_sentence_that_is_empty_is_left_out(tmp_path: Path, place: str) -> None:
    good, bad = example("south", "men"), example("north", "men")
    if place == "context":
        bad["context"] = " "
    else:
        bad["sentences"][1]["sentence"] = "\n"
    items = read(write(tmp_path / "dev.json", content([], [good, bad])))
    assert len(items) == 1
    assert "intersentence example 1 has an empty context or sentence" in next(iter(items.dropped))


BAD_FILES = {
    "empty": (b"", "is not valid JSON"),
    "truncated": (json.dumps(content([example("north", "men")], [])).encode()[:300], "not valid"),
    "not UTF-8": ('{"data": "é"}'.encode("latin-1"), "is not valid JSON"),
    "a list": (b"[]", "holds no data with intrasentence or intersentence"),
    "no parts": (b'{"data": {}}', "holds no data with intrasentence or intersentence"),
    "no examples": (b'{"data": {"intrasentence": []}}', "holds no example"),
}


@pytest.mark.parametrize(("raw", "sentence"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_one_sentence(tmp_path: Path, raw: bytes, sentence: str) -> None:
    (tmp_path / "dev.json").write_bytes(raw)
    with pytest.raises(TextError, match=sentence) as problem:
        read(tmp_path / "dev.json")
    assert str(tmp_path / "dev.json") in str(problem.value)


def test_a_folder_must_leave_no_choice(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"holds no \*\.json; name StereoSet's file itself"):
        read(tmp_path)
    for name in ("dev.json", "test.json"):
        write(tmp_path / name, content([], []))
    with pytest.raises(TextError, match=r"holds dev\.json, test\.json; name"):
        read(tmp_path)
    with pytest.raises(TextError, match=r"gone\.json does not exist"):
        read(tmp_path / "gone.json")
