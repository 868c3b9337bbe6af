"""python -m albert_lib finetune, evaluate TASK, predict: each task, from files to scores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import task_folders
from safetensors.torch import load_file

from albert_lib.__main__ import main
from albert_lib.finetuning import read_squad
from albert_lib.finetuning.squad_scoring import score_questions

Run = Callable[..., str]
FILES: dict[str, Callable[[Path], Path]] = {
    "sst2": task_folders.sst2,
    "mnli": task_folders.mnli,
    "squad1": lambda folder: task_folders.squad(folder, "1.1"),
    "squad2": lambda folder: task_folders.squad(folder, "2.0"),
    "race": task_folders.race,
}
MAIN = {"sst2": "accuracy", "mnli": "accuracy", "squad1": "f1", "squad2": "f1", "race": "accuracy"}
SHORT = ("--steps", "4", "--warmup-steps", "1", "--batch-size", "4", "--max-length", "48")


def last_line(printed: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.mark.parametrize("task", FILES)
def test_every_task_ends_with_the_scores_that_evaluate_finds_again(
    run: Run, model: Path, tmp_path: Path, task: str
) -> None:
    data, out = FILES[task](tmp_path), tmp_path / "out"
    files = ("--train", data, "--dev", data)
    printed = run("finetune", task, "--model", model, *files, "--out", out, *SHORT)
    scores = last_line(printed)
    assert scores["task"] == task
    name = MAIN[task]
    assert scores[f"{name}_low"] <= scores[name] <= scores[f"{name}_high"]
    assert "new weights, drawn with seed 0" in printed
    trained = out / "model"
    again = run("evaluate", task, "--model", trained, "--data", data)
    assert last_line(again) == scores, "the folder holds the model that was scored"


def test_lengths_are_clamped_and_said(run: Run, model: Path, tmp_path: Path) -> None:
    data = task_folders.sst2(tmp_path)
    recipe = tmp_path / "mine.toml"
    recipe.write_text('like = "small"\nmax_length = 600\nsteps = 2\nwarmup_steps = 1\n')
    files = ("--train", data, "--recipe", recipe, "--batch-size", "4")
    printed = run("finetune", "sst2", "--model", model, *files, "--out", tmp_path / "out")
    assert "max_length is 512 instead of 600: the model has 512 positions." in printed
    assert math.isfinite(last_line(printed)["loss"]), "without --dev"


def test_a_run_that_is_done_is_read_and_one_of_another_recipe_refused(
    run: Run, capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    data = task_folders.sst2(tmp_path)
    words = ("finetune", "sst2", "--model", model, "--train", data, "--dev", data)
    words = (*words, "--out", tmp_path / "out", *SHORT)
    first = last_line(run(*words))
    assert last_line(run(*words)) == first
    assert main([str(word) for word in (*words, "--learning-rate", "0.01")]) == 2
    assert "learning_rate" in capsys.readouterr().err


def test_several_seeds_end_in_a_median_and_a_range(run: Run, model: Path, tmp_path: Path) -> None:
    data, out = task_folders.sst2(tmp_path), tmp_path / "out"
    words = ("--train", data, "--dev", data, "--out", out, *SHORT, "--seeds", "0", "1", "2")
    printed = run("finetune", "sst2", "--model", model, *words)
    found = last_line(printed)
    lines = [line for line in printed.splitlines() if line.startswith("seed ")]
    values = [float(line.split()[3]) for line in lines]
    assert found["seeds"] == len(values) == 3
    assert found["accuracy"] == pytest.approx(sorted(values)[1], abs=1e-3)
    if min(values) != max(values):
        assert found["accuracy_range"] == pytest.approx([min(values), max(values)], abs=1e-3)
    heads = [
        load_file(out / f"seed-{seed}" / "model" / "model.safetensors")["classifier.weight"]
        for seed in range(3)
    ]
    assert not heads[0].equal(heads[1])


def test_from_scratch_takes_the_shape_alone(run: Run, model: Path, tmp_path: Path) -> None:
    data = task_folders.sst2(tmp_path)
    tables = []
    for name, more in (("pretrained", ()), ("scratch", ("--from-scratch",))):
        words = ("--train", data, "--out", tmp_path / name, *SHORT, *more)
        run("finetune", "sst2", "--model", model, *words)
        saved = load_file(tmp_path / name / "model" / "model.safetensors")
        tables.append(saved["albert.embeddings.word_embeddings.weight"])
    start = load_file(model / "model.safetensors")["albert.embeddings.word_embeddings.weight"]
    assert (tables[0] - start).abs().max() < 0.01
    assert (tables[1] - start).abs().max() > 0.05


def test_glues_table_is_as_its_server_reads_it(run: Run, model: Path, tmp_path: Path) -> None:
    data, out = task_folders.sst2(tmp_path / "labelled"), tmp_path / "out"
    run("finetune", "sst2", "--model", model, "--train", data, "--out", out, *SHORT)
    hidden = task_folders.sst2(tmp_path, labelled=False)
    words = ("--model", out / "model", "--data", hidden, "--out", tmp_path / "test")
    printed = run("predict", "sst2", *words)
    assert "GLUE expects 1,821 predictions in SST-2.tsv, and these are 12." in printed
    lines = (tmp_path / "test" / "SST-2.tsv").read_text().splitlines()
    assert lines[0] == "index\tprediction"
    assert [line.split("\t")[0] for line in lines[1:]] == [str(row) for row in range(12)]
    assert {line.split("\t")[1] for line in lines[1:]} <= {"0", "1"}


@pytest.mark.parametrize("head", [(), ("--conditioned",)], ids=["simple", "conditioned"])
def test_squads_files_score_as_the_command_does(
    run: Run, model: Path, tmp_path: Path, head: tuple[str, ...]
) -> None:
    data, out = task_folders.squad(tmp_path, "2.0"), tmp_path / "out"
    words = ("--train", data, "--dev", data, "--out", out, *SHORT, *head)
    scores = last_line(run("finetune", "squad2", "--model", model, *words))
    threshold = json.loads((out / "model" / "finetuning.json").read_text())
    assert threshold["chosen_on_questions"] == 1, "every 20th passage of 24"
    words = ("--model", out / "model", "--data", data, "--out", tmp_path / "dev")
    run("predict", "squad2", *words)
    predictions, best, no_answer = (
        json.loads((tmp_path / "dev" / f"{name}.json").read_text())
        for name in ("predictions", "best_spans", "na_prob")
    )
    questions = read_squad(data)
    each = score_questions(questions, predictions).values()
    assert 100 * sum(score.f1 for score in each) / len(each) == pytest.approx(scores["f1"])
    passages = {question.id: question.context for question in questions.questions}
    assert all(best[name] in passages[name] for name in passages), "slices of the text"
    probability = 0.5 + 0.5 * math.tanh(threshold["null_threshold"] / 2)
    assert all((predictions[n] == "") == (p > probability) for n, p in no_answer.items())


def test_mnli_takes_words_in_the_models_own_order(run: Run, model: Path, tmp_path: Path) -> None:
    data, out = task_folders.mnli(tmp_path), tmp_path / "out"
    words = ("--train", data, "--dev", data, "--out", out, *SHORT)
    before = last_line(run("finetune", "mnli", "--model", model, *words))
    config = json.loads((out / "model" / "config.json").read_text())
    assert list(config["id2label"].values()) == ["contradiction", "entailment", "neutral"]
    names = ["NEUTRAL", "CONTRADICTION", "ENTAILMENT"]  # another order, as of a hub's model
    config["id2label"] = {str(n): name for n, name in enumerate(names)}
    config["label2id"] = {name: n for n, name in enumerate(names)}
    (out / "model" / "config.json").write_text(json.dumps(config))
    words = ("--model", out / "model", "--data", data)
    after = last_line(run("evaluate", "mnli", *words))
    assert after["accuracy"] != before["accuracy"] or before["accuracy"] == pytest.approx(1 / 3)


REFUSED = {
    "no head": (
        ("evaluate", "sst2", "--model", "MODEL", "--data", "SST2"),
        "has no trained head for sst2; make one with `python -m albert_lib finetune sst2",
    ),
    "no data": (("evaluate", "sst2", "--model", "MODEL"), "with --data, and --model"),
    "the other version": (
        ("finetune", "squad1", "--model", "MODEL", "--train", "SQUAD2", "--out", "OUT"),
        "is of SQuAD's version 2.0, which is the task squad2",
    ),
    "a seed twice": (
        ("finetune", "sst2", "--model", "MODEL", "--train", "SST2", "--out", "OUT",
         "--seeds", "1", "1"),
        "name each seed once",
    ),
    "mismatched": (
        ("predict", "sst2", "--model", "MODEL", "--data", "SST2", "--out", "OUT", "--mismatched"),
        "--mismatched is for mnli alone",
    ),
    "an unknown recipe": (
        ("finetune", "sst2", "--model", "MODEL", "--train", "SST2", "--out", "OUT",
         "--recipe", "nowhere.toml"),
        "nowhere.toml",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_one_sentence(
    refusal: Run, model: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    places = {
        "MODEL": model,
        "SST2": task_folders.sst2(tmp_path),
        "SQUAD2": task_folders.squad(tmp_path, "2.0"),
        "OUT": tmp_path / "out",
    }
    assert sentence in refusal(*(places.get(word, word) for word in words))
    assert not (tmp_path / "out").exists()
