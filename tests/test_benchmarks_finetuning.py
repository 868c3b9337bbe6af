"""The benchmark of fine-tuning: baselines worked out by hand, contenders at a tiny size."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.finetuning import (
    Answer,
    ChoiceQuestion,
    SquadFile,
    SquadQuestion,
    TextExample,
    TextExamples,
)
from albert_lib.model import AlbertForPreTraining
from albert_lib.text import AlbertTokenizer
from benchmarks import finetuning, finetuning_baselines, finetuning_contenders
from benchmarks.finetuning_baselines import BagOfWords
from benchmarks.finetuning_contenders import Measured
from benchmarks.targets import Report

needs_accelerate = pytest.mark.skipif(
    importlib.util.find_spec("accelerate") is None,
    reason="accelerate is not installed (the extra benchmark-finetuning)",
)


def sentences(*pairs: tuple[str, str]) -> TextExamples:
    examples = tuple(
        TextExample(str(n), text, None, label) for n, (text, label) in enumerate(pairs)
    )
    return TextExamples(examples, ("0", "1"))


def test_grams_are_words_and_neighbours() -> None:
    assert finetuning_baselines.grams("It's bad") == [
        "it", "'", "s", "bad", "it '", "' s", "s bad",
    ]  # fmt: skip
    assert finetuning_baselines.grams("") == []


def test_the_regression_is_the_one_worked_out_by_hand() -> None:
    """Of "good" (1) and "bad" (0), each weight is ±a and the loss 2 ln(1 + e^-2a) + 2 p a².

    Its slope is zero where p a (1 + e^2a) = 1: with p = 1 / (2 ln 3) at a = ln(3) / 2, so that
    "good" is 1 with a probability of 1 / (1 + e^-2a) = 3/4.
    """
    fitted = BagOfWords.fit(["good", "bad"], ["1", "0"], penalty=1 / (2 * math.log(3)), least=1)
    a = math.log(3) / 2
    assert fitted.columns == {"good": 0, "bad": 1} and fitted.labels == ("0", "1")
    np.testing.assert_allclose(fitted.weights, [[-a, a], [a, -a], [0, 0]], atol=1e-4)
    found = fitted.probabilities(["good", "Bad", "good good", "never seen"])
    # "good" twice has twice the score: 1 / (1 + e^-4a) = 9/10; what is not known says nothing
    np.testing.assert_allclose(found[:, 1], [3 / 4, 1 / 4, 9 / 10, 1 / 2], atol=1e-4)
    assert fitted.predict(["good", "bad"]) == ["1", "0"]


def test_without_words_the_regression_knows_how_frequent_classes_are() -> None:
    """The last row has no penalty: it names each class as often as it occurs."""
    fitted = BagOfWords.fit(["a", "b", "c", "d"], ["x", "x", "y", "z"], least=2)
    assert fitted.columns == {}
    np.testing.assert_allclose(fitted.probabilities(["e"]), [[0.5, 0.25, 0.25]], atol=1e-4)


def test_text_baselines_are_scored_on_the_dev_half() -> None:
    train = sentences(
        ("dull", "0"), ("fine", "1"), ("fine film", "1"), ("so dull", "0"), ("o", "0")
    )
    dev = sentences(("a dull one", "0"), ("fine", "1"), ("fine", "1"), ("a fine mess", "0"))
    always, counted = finetuning_baselines.text_baselines("sst2", train, dev)
    assert (always.value, counted.value, counted.n_examples) == (50.0, 75.0, 4)
    assert counted.low == pytest.approx(30.06, abs=0.01)  # Wilson's interval of 3 of 4
    assert counted.high == pytest.approx(95.44, abs=0.01)
    assert counted.cells() == ("sst2", "words and pairs", "accuracy", "75.0", "30.1 to 95.4", "4")


def test_of_a_pair_only_the_hypothesis_is_read() -> None:
    labels = ("contradiction", "entailment", "neutral")
    pairs = [("not wet", "entailment"), ("not dry", "entailment"), ("wet", "neutral")]
    train = TextExamples(
        tuple(TextExample("0", "It rains.", text, label) for text, label in pairs * 2), labels
    )
    dev = TextExamples((TextExample("0", "not not not", "wet", "neutral"),), labels)
    scores = finetuning_baselines.text_baselines("mnli", train, dev)
    assert [each.value for each in scores] == [0.0, 100.0]


def choice(passage: str, question: str, *options: str) -> ChoiceQuestion:
    a, b, c, d = options
    return ChoiceQuestion("1-0", passage, question, (a, b, c, d), answer=1)


def test_options_are_chosen_by_length_and_by_overlap() -> None:
    fox = choice(
        "A fox ate a hen. Later the cow ran off.",
        "Who ran off?",
        "The fox", "The cow", "A hen that slept", "A dog and a fox",
    )  # fmt: skip
    assert finetuning_baselines.longest_option(fox) == 2  # of two with 16 and 15 characters
    assert finetuning_baselines.overlapping_option(fox) == 1  # "the cow ran off" in one window
    same = choice("A fox.", "Who?", "a", "b", "c", "d")
    assert finetuning_baselines.longest_option(same) == 0
    scores = finetuning_baselines.choice_baselines([fox, same])
    assert [each.value for each in scores] == [0.0, 50.0]


def test_a_word_that_stands_often_in_the_passage_is_worth_less() -> None:
    """The same number of words in common: "red" stands twice (ln 3/2), "blue" once (ln 2)."""
    found = choice("red x y z blue x y z red", "?", "red", "blue", "green", "red")
    assert finetuning_baselines.overlapping_option(found) == 1
    worth = finetuning_baselines.rarity(["red", "red", "blue"])
    assert worth == pytest.approx({"red": math.log(1.5), "blue": math.log(2)})


def asked(context: str, question: str) -> str:
    return finetuning_baselines.nearest_span(SquadQuestion("1", context, question, None))


def test_the_span_is_the_one_nearest_to_the_words_of_the_question() -> None:
    # "flows" and "Rhine" stand once each: between them and "north" lies nothing
    assert asked(
        "Cologne is old. The Rhine flows north. Bonn is small.", "Where flows the Rhine?"
    ) == ("north")
    # 3.5 is one word; "height" is 2 away from it, "metres" a word of the question
    assert asked("Its height is 3.5 metres", "What height in metres?") == "3.5"
    # A span stops before punctuation and before words of the question, and ends with no "of"
    assert asked("The king of Spain, Philip, died", "Who died?") == "Philip"
    assert asked("the of and", "Which of the two?") == ""
    assert asked("", "Which?") == ""


def test_a_longer_span_is_taken_where_both_ends_are_near() -> None:
    """Scores of spans between "born" and "in": "Ada Lovelace" is next to both of them.

    "Ada" alone is 1 from "born" and 2 from "Paris"; "Ada Lovelace" 1 from each.
    """
    assert asked("born Ada Lovelace Paris", "Who was born in Paris?") == "Ada Lovelace"
    # Seven words are one too many; the first six are as near as the last six.
    assert asked("born k l m n o p q Paris", "Who was born in Paris?") == "k l m n o p"


def test_no_answer_is_right_for_impossible_questions_alone() -> None:
    one = SquadQuestion("1", "It flows north.", "Where to?", (Answer("north", 9),))
    none = [SquadQuestion(str(n), "It flows north.", "How fast?", ()) for n in (2, 3, 4)]
    found = finetuning_baselines.f1_score(
        "nobody", "squad2", SquadFile("2.0", (one, *none)), ["", "", "", ""]
    )
    assert (found.value, found.n_examples, found.measure) == (75.0, 4, "F1")
    # Student's interval of 0, 100, 100, 100: 75 ± 3.182 * 50 / sqrt(4)
    assert (found.low, found.high) == pytest.approx((75 - 79.56, 75 + 79.56), abs=0.01)
    half = finetuning_baselines.f1_score("half", "squad1", SquadFile("1.1", (one,)), ["far north"])
    assert half.value == pytest.approx(200 / 3)  # one of two words, and all of one


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """A few examples of each task, laid out as the shared files are."""
    folder = tmp_path / "tasks"
    for part in ("sst2", "mnli", "squad", "mctest/train", "mctest/dev"):
        (folder / part).mkdir(parents=True)
    lines = [f"{'so ' * (n % 7)}{word}\t{n % 2}" for n, word in enumerate(["dull", "fine"] * 40)]
    labels = ("contradiction", "entailment", "neutral")
    pairs = [
        json.dumps({"sentence1": "It rains.", "sentence2": f"It is {label}.", "gold_label": label})
        for label in labels * 2
    ]
    passage = {"id": "1", "article": "A fox slept.", "questions": ["Who slept?"]}
    passage |= {"options": [["A fox.", "A hen.", "A cow.", "A large pig."]], "answers": ["A"]}
    for part in ("train", "dev"):
        (folder / f"sst2/{part}.tsv").write_text("\n".join(["sentence\tlabel", *lines]))
        (folder / f"mnli/{part}.jsonl").write_text("\n".join(pairs))
        (folder / f"mctest/{part}/1.txt").write_text(json.dumps(passage))
        for version in ("1.1", "2.0"):
            question = {"id": "1", "question": "Where is it that it flows?"}
            question |= {"answers": [{"text": "north", "answer_start": 9}]}
            data = [{"paragraphs": [{"context": "It flows north.", "qas": [question]}]}]
            content = json.dumps({"version": version, "data": data})
            (folder / f"squad/{part}-v{version}.json").write_text(content)
    return folder


@pytest.fixture
def start(tmp_path: Path, english_tokenizer: AlbertTokenizer) -> Path:
    """A tiny model as pretraining leaves it: its LayerNorms are no longer as they were made."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(
        AlbertConfig(
            vocab_size=english_tokenizer.vocab_size, embedding_size=16, hidden_size=32,
            num_attention_heads=2, num_hidden_layers=2, intermediate_size=64,
            max_position_embeddings=128, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.normal_(module.bias, std=0.02)
    model.save_pretrained(tmp_path / "start")
    english_tokenizer.save_pretrained(tmp_path / "start")
    return tmp_path / "start"


def test_the_baselines_of_all_tasks_are_one_table(
    tasks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finetuning.main(["--tasks", "--data", str(tasks)]) == 0
    heads, _, *lines = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
    )
    assert heads == ["task", "answered by", "score", "%", "95 % interval", "examples"]
    found = {(line[0], line[1].split()[0]): line[3] for line in lines}
    assert found == {
        ("sst2", "commonest"): "50.0",
        ("sst2", "words"): "100.0",
        ("mnli", "commonest"): "33.3",
        ("mnli", "words"): "100.0",
        ("race (MCTest)", "longest"): "0.0",
        ("race (MCTest)", "words"): "100.0",
        ("squad1", "span"): "100.0",
        ("squad2", "no"): "0.0",
    }


def test_a_fine_tuned_model_stands_below_the_baselines_of_its_task(
    tasks: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = AlbertTokenizer.from_pretrained(start)
    settings = finetuning_contenders.Settings(steps=2, threads=1, seed=0)
    rows = finetuning.encoded(tasks / "sst2" / "train.tsv", tokenizer)
    finetuning.prepare(tmp_path / "run", start, settings, rows, rows)
    model = tmp_path / "run" / "model"
    words = ["--tasks", "--data", str(tasks), "--model", f"sst2={model}"]
    assert finetuning.main(words) == 0
    line = capsys.readouterr().out.splitlines()[4]
    assert line.startswith(f"| sst2 | {model} | accuracy | ") and line.endswith(" | 80 |")
    assert finetuning.main(["--tasks", "--data", str(tasks), "--model", "cola=x"]) == 2
    assert capsys.readouterr().err.startswith("--model names the task 'cola'; write one of sst2,")


def test_without_accelerate_albert_lib_runs_alone_and_a_sentence_says_so(
    tasks: Path,
    start: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    words = ["--steps", "2", "--data", str(tasks), "--start", str(start)]
    assert finetuning.main(words) in (0, 1)
    shown = capsys.readouterr().out
    assert "pip install -e '.[benchmark-finetuning]'" in shown.splitlines()[0]
    lines = [line for line in shown.splitlines() if line.startswith("| ")]
    assert "Trainer" not in lines[2] and lines[2].startswith("| albert_lib | ")
    assert re.search(r"padding of a whole epoch, %: [\d.]+ \(target <= 1", shown)


@needs_accelerate
def test_every_contender_reads_the_same_rows(
    tasks: Path, start: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--steps", "2", "--data", str(tasks), "--start", str(start)]
    assert finetuning.main(words) in (0, 1)
    shown = capsys.readouterr().out
    assert shown.count("| Trainer") >= 2
    assert "times as fast as Trainer by length: " in shown


def test_too_many_steps_are_said_in_one_sentence(
    tasks: Path, start: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--steps", "3", "--data", str(tasks), "--start", str(start)]
    assert finetuning.main(words) == 2
    assert capsys.readouterr().err == (
        "3 steps of 32 rows take 96 rows, and there are 80; make --steps at most 2.\n"
    )


def test_files_that_are_missing_are_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALBERT_SHARED_DATA", str(tmp_path))
    assert finetuning.main(["--tasks"]) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'tasks'} is missing; let ALBERT_SHARED")


def test_who_can_run_depends_on_the_processor_and_on_accelerate() -> None:
    every = list(finetuning_contenders.CONTENDERS)
    assert finetuning_contenders.contenders(True, True) == every
    assert finetuning_contenders.contenders(False, True) == ["random", "grouped", "ours"]
    assert finetuning_contenders.contenders(True, False) == ["ours", "ours-float32"]


def runs(name: str, cpu: list[float], n_right: list[int] | None = None) -> list[Measured]:
    return [
        Measured(name, "float32", 2 * seconds, seconds, 900, 1000, right, 1000)
        for seconds, right in zip(cpu, n_right or [500] * len(cpu), strict=True)
    ]


def test_speeds_are_medians_and_the_accuracy_is_the_middle_run_s() -> None:
    measured = {"ours": runs("ours", [10.0, 30.0, 20.0], [700, 500, 800])}
    line = finetuning.speed_table(measured).splitlines()[2]
    assert line == ("| albert_lib | float32 | 40.0 | 20.0 | 10.0 % | 45 | 70.0 % | 67.1 to 72.8 |")


@pytest.mark.parametrize(("has_bfloat16", "missed"), [(True, 1), (False, 0)])
def test_ratios_are_medians_of_rounds_and_are_held_to_their_targets(
    has_bfloat16: bool, missed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = {
        "random": runs("random", [60.0, 60.0, 60.0]),
        "grouped": runs("grouped", [20.0, 20.0, 30.0]),
        "ours": runs("ours", [10.0, 5.0, 20.0]),
    }
    if has_bfloat16:
        measured |= {"ours-float32": runs("", [10.0] * 3)}
        measured |= {"grouped-bfloat16": runs("", [11.0, 11.0, 11.0])}
    report = Report()
    finetuning.add_figures(report, measured, has_bfloat16)
    values = [figure.value for figure in report.figures]
    # of 2, 4 and 1.5; of 6, 12 and 3; of 2, 2 and 3; of 1.1, 2.2 and 0.55
    assert values == pytest.approx([2.0, 6.0, 2.0, 1.1][: 2 + 2 * has_bfloat16])
    assert report.close() == missed  # 2 is less than 2.5; in float32 nothing is asked
    assert "the same by the wall clock: 2.00" in capsys.readouterr().out


def test_contenders_that_read_different_rows_are_an_error() -> None:
    one, other = runs("ours", [1.0]), [Measured("random", "float32", 1, 1, 901, 1000, 1, 2)]
    finetuning.check_same_rows(one + one)
    with pytest.raises(RuntimeError, match=r"different rows: {'ours': 900, 'random': 901} tokens"):
        finetuning.check_same_rows(one + other)
