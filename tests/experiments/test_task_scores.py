"""Scores of tasks by hand, with intervals; and the settings that stand beside a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from albert_lib import AlbertConfig, AlbertForSequenceClassification
from albert_lib.errors import ConfigError, InputError
from albert_lib.experiments.finetuned_folder import load_settings, save_settings
from albert_lib.experiments.task_scores import (
    TaskPredictions,
    class_names,
    over_seeds,
    score_task,
)
from albert_lib.finetuning import (
    Answer,
    ChoiceQuestion,
    RankedAnswer,
    SpanPrediction,
    SquadFile,
    SquadQuestion,
    TextExample,
    TextExamples,
)
from albert_lib.finetuning.recipes import finetuning_recipe
from albert_lib.probing import proportion_interval

OPTIONS = ("a", "b", "c", "d")


def test_accuracy_has_its_interval() -> None:
    examples = tuple(TextExample(str(n), "dull", None, str(n % 2)) for n in range(10))
    data = TextExamples(examples, ("0", "1"))
    found = score_task(data, TaskPredictions("sst2", ("0",) * 9 + ("1",)))
    interval = proportion_interval(6, 10)
    assert found == {
        "task": "sst2", "accuracy": 0.6, "accuracy_low": interval.low,
        "accuracy_high": interval.high, "examples": 10,
    }  # fmt: skip


def test_levels_of_race_stand_apart() -> None:
    data = [
        ChoiceQuestion("1", "It rains.", "Why?", OPTIONS, 2, "middle"),
        ChoiceQuestion("2", "It rains.", "Why?", OPTIONS, 0, "high"),
    ]
    found = score_task(data, TaskPredictions("race", ("C", "B")))
    assert (found["accuracy"], found["middle"], found["high"]) == (0.5, 1.0, 0.0)


def span(text: str, score: float, null_score: float) -> SpanPrediction:
    return SpanPrediction((RankedAnswer(text, 0, len(text), score, 1.0),), null_score)


def squad(version: str) -> SquadFile:
    known = SquadQuestion("1", "It flows north.", "Where to?", (Answer("north", 9),))
    answers = (Answer("flows", 3),) if version == "1.1" else ()
    other = SquadQuestion("2", "It flows north.", "How fast?", answers)
    return SquadFile(version, (known, other))  # type: ignore[arg-type]


def test_squad_is_scored_by_its_version() -> None:
    spans = (span("north", 2.0, 1.0), span("flows north", 1.0, 4.0))  # margins -1 and 3
    words = tuple(each.answers[0].text for each in spans)
    found = score_task(squad("1.1"), TaskPredictions("squad1", words, spans))
    assert (found["exact_match"], found["f1"]) == (50.0, pytest.approx(100 * (1 + 2 / 3) / 2))
    assert 0 <= found["f1_low"] < found["f1"] < found["f1_high"] <= 100
    predictions = TaskPredictions("squad2", words, spans)
    assert score_task(squad("2.0"), predictions)["exact"] == 100.0, "even: 3 is above 0"
    found = score_task(squad("2.0"), predictions, threshold=5.0)
    assert found["exact"] == 50.0
    assert (found["best_f1_on_this_data"], found["best_threshold_on_this_data"]) == (100.0, 1.0)
    assert predictions.answers(0.0) == ("north", "")
    assert predictions.answers(None) == ("north", "flows north")
    json.dumps(found, allow_nan=False)


def test_seeds_end_in_median_and_range() -> None:
    runs = [{"task": "sst2", "accuracy": a, "examples": 10} for a in (0.5, 0.9, 0.6)]
    assert over_seeds(runs) == {
        "task": "sst2", "seeds": 3, "accuracy": 0.6, "accuracy_range": [0.5, 0.9], "examples": 10,
    }  # fmt: skip


def test_classes_are_matched_by_name() -> None:
    def model(*labels: str) -> AlbertForSequenceClassification:
        config = AlbertConfig(
            vocab_size=100, hidden_size=24, num_hidden_layers=1, intermediate_size=48,
            labels=labels,
        )  # fmt: skip
        return AlbertForSequenceClassification(config)

    own = class_names("mnli", model("ENTAILMENT", "NEUTRAL", "CONTRADICTION"))
    assert own == ("entailment", "neutral", "contradiction")
    numbered = class_names("mnli", model("LABEL_0", "LABEL_1", "LABEL_2"))
    assert numbered == ("contradiction", "entailment", "neutral"), "the paper's order"
    with pytest.raises(InputError, match="tells good, bad apart, and the task sst2 has 0, 1"):
        class_names("sst2", model("good", "bad"))


def test_settings_are_found_again(tmp_path: Path) -> None:
    recipe = finetuning_recipe("squad2", "small")
    save_settings(tmp_path, recipe, null_threshold=-1.5)
    found, threshold = load_settings(tmp_path, finetuning_recipe("squad2"))
    assert (found.max_length, found.advance, threshold) == (128, 64, -1.5)
    assert load_settings(tmp_path / "else", recipe) == (recipe, None)
    with pytest.raises(ConfigError, match=r"finetuning\.json is not of a model for sst2"):
        load_settings(tmp_path, finetuning_recipe("sst2"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"null_threshold": True}, "null_threshold is True; make it a finite number"),
        ({"max_length": "long"}, "max_length"),
    ],
)
def test_damaged_settings_are_one_sentence(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    recipe = finetuning_recipe("squad2")
    save_settings(tmp_path, recipe)
    file = tmp_path / "finetuning.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(ConfigError, match=sentence) as problem:
        load_settings(tmp_path, recipe)
    assert str(file) in str(problem.value)
