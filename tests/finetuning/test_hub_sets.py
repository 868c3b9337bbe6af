"""Data sets with the hub's columns, read from a folder as `datasets` would from the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import DownloadError, TextError
from albert_lib.finetuning import ChoiceQuestion, SquadFile, TextExamples
from albert_lib.finetuning.hub_sets import read_hub

datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")

HUB_ORDER = ["entailment", "neutral", "contradiction"]  # of glue, mnli on the hub
PAIRS = {
    "premise": ["It rains. ", "It rains.", "He sings.", "He sings."],
    "hypothesis": ["It is wet.", "It snows.", "n/a", 'He "sings'],
    "label": [0, 2, 1, -1],
    "idx": [5, 6, 7, 8],
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def written(
    folder: Path, split: str, columns: dict[str, Any], names: list[str] | None = None
) -> str:
    """A folder with one split as the hub keeps it, with the names of its labels."""
    data = datasets.Dataset.from_dict(columns)
    if names is not None:
        data = data.cast_column("label", datasets.ClassLabel(names=names))
    folder.mkdir(exist_ok=True)
    data.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
    return f"hf:{folder}"


def test_numbers_of_mnli_become_the_sets_own_words(tmp_path: Path) -> None:
    source = written(tmp_path / "glue", "validation", PAIRS, HUB_ORDER)
    found = read_hub("mnli", source, "validation")
    assert isinstance(found, TextExamples)
    labels = [example.label for example in found.examples]
    assert labels == ["entailment", "contradiction", "neutral", None]
    assert [example.id for example in found.examples] == ["5", "6", "7", "8"]
    assert found.examples[0].first == "It rains.", "without the space behind it"
    assert found.examples[2].second == "n/a"
    assert found.labels == ("contradiction", "entailment", "neutral"), "the paper's order"


def test_another_order_of_the_labels_is_read_by_their_names(tmp_path: Path) -> None:
    source = written(tmp_path / "mine", "train", PAIRS, ["contradiction", "entailment", "neutral"])
    found = read_hub("mnli", source)
    assert isinstance(found, TextExamples)
    assert [example.label for example in found.examples][:3] == [
        "contradiction", "neutral", "entailment",
    ]  # fmt: skip


def test_numbers_without_names_are_refused(tmp_path: Path) -> None:
    source = written(tmp_path / "bare", "train", PAIRS)
    with pytest.raises(TextError, match="row 0 has the label 0, and the set names no label"):
        read_hub("mnli", source)


def test_sentences_keep_their_numbers(tmp_path: Path) -> None:
    columns = {"sentence": ["dull ", "a joy "], "label": [0, 1], "idx": [0, 1]}
    source = written(tmp_path / "sst2", "train", columns, ["negative", "positive"])
    found = read_hub("sst2", source)
    assert isinstance(found, TextExamples)
    assert [(each.first, each.label) for each in found.examples] == [("dull", "0"), ("a joy", "1")]
    with pytest.raises(TextError, match="has no 'premise'"):
        read_hub("mnli", source)


def squad_columns() -> dict[str, Any]:
    return {
        "id": ["a", "b"],
        "title": ["Rhine", "Rhine"],
        "context": ["It flows north."] * 2,
        "question": [" Where to?", "How fast?"],
        "answers": [
            {"text": ["north", "flows north"], "answer_start": [9, 3]},
            {"text": [], "answer_start": []},
        ],
    }


def test_squad_keeps_answers_and_their_absence(tmp_path: Path) -> None:
    source = written(tmp_path / "squad_v2", "validation", squad_columns())
    found = read_hub("squad2", f"{source}#validation")
    assert isinstance(found, SquadFile)
    assert found.version == "2.0"
    first, second = found.questions
    assert [(each.text, each.start) for each in first.known_answers] == [
        ("north", 9), ("flows north", 3),
    ]  # fmt: skip
    assert first.question == "Where to?"
    assert second.is_impossible
    with pytest.raises(TextError, match=r"question 'b' has no answer, which version 1\.1"):
        read_hub("squad1", f"{source}#validation")


def test_answers_that_do_not_stand_there_are_named(tmp_path: Path) -> None:
    columns = squad_columns()
    columns["answers"][0]["answer_start"] = [8, 3]
    source = written(tmp_path / "squad_v2", "train", columns)
    with pytest.raises(TextError, match="'north' to question 'a' does not stand at character 8"):
        read_hub("squad2", source)


def test_rows_of_a_passage_of_race_are_numbered_together(tmp_path: Path) -> None:
    options = [["A fox", "B", "C", "D"], ["In bed", "B", "C", "D"], ["No", "B", "C", "D"]]
    columns = {
        "example_id": ["high1.txt", "high1.txt", "middle2.txt"],
        "article": ["A fox slept.", "A fox slept.", "It rained."],
        "question": ["Who?", "_ it slept.", "Sun?"],
        "options": options,
        "answer": ["A", "D", "B"],
    }
    found = read_hub("race", written(tmp_path / "race", "test", columns), "test")
    assert isinstance(found, list)
    assert all(isinstance(each, ChoiceQuestion) for each in found)
    assert [(each.id, each.level, each.answer) for each in found] == [
        ("high1.txt-0", "high", 0), ("high1.txt-1", "high", 3), ("middle2.txt-0", "middle", 1),
    ]  # fmt: skip
    assert found[1].statements()[0] == "In bed it slept."
    columns["answer"][1] = "E"
    written(tmp_path / "race", "test", columns)
    with pytest.raises(
        TextError, match=r"question 2 of the passage 'high1\.txt' has the answer 'E'"
    ):
        read_hub("race", f"hf:{tmp_path / 'race'}#test")


def test_a_split_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    source = written(tmp_path / "sst2", "train", {"sentence": ["dull"], "label": [0]})
    with pytest.raises(TextError, match=r"has no split validation .*#validation\.$"):
        read_hub("sst2", source, "validation")


def test_a_set_that_is_out_of_reach_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=r"cannot be read from the hub .*hf download"):
        read_hub("sst2", "hf:nyu-mll/glue:sst2", "validation")
