"""A run learns, by Google's numbers; cut into parts, stopped or killed it ends as left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_task import (
    LONGEST,
    SHORT,
    WORDS,
    WordRow,
    classifier,
    collate_words,
    config_for,
    count_words,
    word_loss,
    word_rows,
)
from torch import nn

from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import project_folder, read_json
from albert_lib.finetuning.finetune import FinetuningRun, TaskFunctions, finetune
from albert_lib.finetuning.run_description import rows_fingerprint
from albert_lib.model import AlbertForSequenceClassification
from albert_lib.training import History, TrainingError

ROWS = word_rows()
PROGRAM = Path(__file__).with_name("finetune_cases.py")


def go(model: AlbertForSequenceClassification, recipe: Any = SHORT, **how: Any) -> History:
    return finetune(model, ROWS, recipe, WORDS, progress=False, **how)


def without_time(history: History) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    for (name, ours), theirs in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs), name


def accuracy_of(model: nn.Module) -> dict[str, float]:
    batch = collate_words(word_rows(200, seed=9))
    return {"held_out_accuracy": word_loss(model, batch)["accuracy"].item()}


def stop_after(step: int) -> Any:
    def stop(row: dict[str, float]) -> None:
        if row["step"] == step:
            raise KeyboardInterrupt

    return stop


def test_a_model_learns_and_says_early_how_well() -> None:
    recipe = SHORT.replace(steps=200, warmup_steps=20, evaluate_every=40, batch_size=16)
    model = classifier(recipe)
    history = finetune(model, word_rows(320), recipe, WORDS, evaluate=accuracy_of, progress=False)
    steps, accuracy = history.curve("held_out_accuracy")
    assert steps.tolist() == [40, 80, 120, 160, 200]
    assert accuracy[-1] > 0.95
    assert history.column("loss")[:10].mean() > 0.6
    assert history.column("loss")[-10:].mean() < 0.2
    assert not model.training
    assert accuracy[-1] == accuracy_of(model)["held_out_accuracy"]


def test_a_step_is_googles_by_hand() -> None:
    """Warm-up, clipping, moments without correction, decay: two steps restated in plain torch."""
    recipe = SHORT.replace(
        steps=2, warmup_steps=1, learning_rate=0.01, head_dropout=0.0, weight_decay=0.1,
        max_grad_norm=0.001, evaluate_every=0,
    )  # fmt: skip
    model, by_hand = classifier(recipe), classifier(recipe)
    run = FinetuningRun(model, ROWS, recipe, WORDS)
    batches = [collate_words([ROWS[n] for n in run.order.rows(step)]) for step in range(2)]
    history = run.train(progress=False)
    assert history.column("learning_rate").tolist() == [0.0, 0.005]
    assert history.column("tokens").tolist() == [batch.n_tokens for batch in batches]

    mean = {name: torch.zeros_like(each) for name, each in by_hand.named_parameters()}
    square = {name: torch.zeros_like(each) for name, each in by_hand.named_parameters()}
    for step, batch in enumerate(batches):
        by_hand.zero_grad()
        loss = word_loss(by_hand, batch)["loss"]
        assert history.rows[step]["loss"] == pytest.approx(loss.item(), abs=1e-6)
        loss.backward()
        parameters = dict(by_hand.named_parameters())
        gradients = {n: p.grad if p.grad is not None else p * 0 for n, p in parameters.items()}
        norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))  # type: ignore[arg-type]
        assert norm > 0.001, "clipping must have something to do"
        assert history.rows[step]["gradient_norm"] == pytest.approx(norm.item(), rel=1e-4)
        rate = (0.0, 0.01 * (1 - 1 / 2))[step]
        with torch.no_grad():
            for name, parameter in parameters.items():
                g = gradients[name] * 0.001 / norm
                mean[name] = 0.9 * mean[name] + 0.1 * g
                square[name] = 0.999 * square[name] + 0.001 * g**2
                update = mean[name] / (square[name].sqrt() + 1e-6)
                if "bias" not in name and "norm" not in name.lower():
                    update = update + 0.1 * parameter
                parameter -= rate * update
    for (name, ours), theirs in zip(model.named_parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5, msg=name)


def test_a_batch_in_parts_is_the_whole_batch() -> None:
    recipe = SHORT.replace(head_dropout=0.0)
    whole, cut = classifier(recipe), classifier(recipe)
    expected = go(whole, recipe)
    found = go(cut, recipe.replace(accumulation=3))  # parts of 2, 3 and 3 rows
    for ours, theirs in zip(without_time(found), without_time(expected), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)
    for (name, ours), theirs in zip(cut.named_parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5, msg=name)


def test_the_seed_decides_dropout_and_order() -> None:
    first = go(classifier())
    assert without_time(go(classifier())) == without_time(first)
    other = go(classifier(), SHORT.replace(seed=1))
    assert other.column("tokens").tolist() != first.column("tokens").tolist()
    without = SHORT.replace(head_dropout=0.0)
    assert go(classifier(without), without).rows[0]["loss"] != first.rows[0]["loss"]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_stopped_run_ends_as_one_left_alone(precision: Any, tmp_path: Path) -> None:
    recipe = SHORT.replace(precision=precision, keep_every=4)
    straight = classifier(recipe)
    expected = go(straight, recipe, evaluate=accuracy_of)
    with pytest.raises(KeyboardInterrupt):
        go(classifier(recipe), recipe, output=tmp_path, evaluate=accuracy_of, on_step=stop_after(5))
    resumed = classifier(recipe, head_seed=99)  # a head of other weights: the checkpoint's count
    steps: list[float] = []
    history = go(
        resumed, recipe, output=tmp_path, evaluate=accuracy_of,
        on_step=lambda row: steps.append(row["step"]),
    )  # fmt: skip
    assert steps == [5, 6, 7, 8]
    assert_same_weights(resumed, straight)
    assert without_time(history) == without_time(expected)
    saved = read_json(tmp_path / "checkpoint-00000008" / "state.json")
    assert saved["run"]["dtype"] == precision
    kept = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert kept == ["step-00000004", "step-00000008"]
    final = AlbertForSequenceClassification.from_pretrained(tmp_path / "model")
    assert_same_weights(final, straight)
    fourth = AlbertForSequenceClassification.from_pretrained(tmp_path / "models" / kept[0])
    assert not torch.equal(fourth.classifier.weight, final.classifier.weight)

    again = classifier(recipe, head_seed=5)
    assert go(again, recipe, output=tmp_path).rows == history.rows
    assert_same_weights(again, straight)


def run_program(*words: Any, processes: int = 1) -> subprocess.CompletedProcess[str]:
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(processes)]
    return subprocess.run(
        [*command, str(PROGRAM), *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(project_folder())},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_killed_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    changes = {"keep_every": 0}
    run, output = tmp_path / "run", tmp_path
    killed = run_program(output, run, 5, changes)
    assert killed.returncode in (-getattr(signal, "SIGKILL", 9), 15), killed.stderr
    assert sorted(path.name for path in run.glob("checkpoint-*"))[-1] == "checkpoint-00000004"
    assert not (run / "model").exists()
    resumed = run_program(output, run, "never", changes)
    assert resumed.returncode == 0, resumed.stderr
    found = load_file(output / "weights-0.safetensors")
    straight = run_program(output, tmp_path / "other", "never", changes)
    assert straight.returncode == 0, straight.stderr
    for name, expected in load_file(output / "weights-0.safetensors").items():
        assert torch.equal(found[name], expected), name


@pytest.mark.skipif(
    not torch.distributed.is_available() or sys.platform == "win32",
    reason="this build of PyTorch has no processes, or may lack libuv",
)
def test_two_processes_are_as_one(tmp_path: Path) -> None:
    recipe = SHORT.replace(head_dropout=0.0, batch_size=7)
    alone = classifier(recipe)
    history = go(alone, recipe)
    done = run_program(
        tmp_path, tmp_path / "run", "never", {"head_dropout": 0.0, "batch_size": 7}, processes=2
    )
    assert done.returncode == 0, done.stderr
    first, second = (load_file(tmp_path / f"weights-{n}.safetensors") for n in range(2))
    for name, parameter in alone.named_parameters():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(parameter.detach(), first[name], rtol=0, atol=2e-5, msg=name)
    for number in range(2):
        rows = json.loads((tmp_path / f"rows-{number}.json").read_text())
        assert [row["tokens"] for row in rows] == history.column("tokens").tolist()
        losses = [row["loss"] for row in rows]
        assert losses == pytest.approx(history.column("loss").tolist(), abs=1e-5)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "checkpoint-00000006", "checkpoint-00000008", "history.jsonl", "model",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 9}, r"recipe\.steps=8, but 9 was requested"),
        ({"learning_rate": 0.1}, r"recipe\.learning_rate=0\.002, but 0\.1"),
        ({"seed": 4}, r"recipe\.seed=0, but 4"),
        ({"task": "mnli"}, r"recipe\.task='sst2', but 'mnli'"),
    ],
)
def test_another_recipe_in_the_same_folder_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    go(classifier(), output=tmp_path)
    with pytest.raises(CheckpointError, match=message):
        go(classifier(), SHORT.replace(**changes), output=tmp_path)
    go(classifier(), SHORT.replace(evaluate_every=1, checkpoint_every=8), output=tmp_path)


def test_another_start_or_other_rows_are_another_run(tmp_path: Path) -> None:
    go(classifier(), output=tmp_path)
    with pytest.raises(CheckpointError, match=r"start='\w+', but '\w+' was requested"):
        go(classifier(seed=1), output=tmp_path)
    for rows in (ROWS[::-1], ROWS[:-1], [*ROWS[:-1], word_rows(1, seed=5)[0]]):
        with pytest.raises(CheckpointError, match=r"rows='\w+', but '\w+' was requested"):
            finetune(classifier(), rows, SHORT, WORDS, output=tmp_path, progress=False)
    with pytest.warns(UserWarning, match=r"parts\.accumulation=1, but 2 was requested"):
        go(classifier(), SHORT.replace(accumulation=2), output=tmp_path)


@dataclass(frozen=True, eq=False)
class LongRow:
    ids: np.ndarray
    text: str
    inner: WordRow


def test_the_fingerprint_of_rows_is_of_all_that_they_hold() -> None:
    ids = np.arange(3000)
    other = ids.copy()
    other[1500] = 0  # where repr has three dots
    inner = WordRow((2, 5, 3), 1)
    rows = [
        LongRow(ids, "a", inner),
        LongRow(other, "a", inner),
        LongRow(ids.astype(np.int32), "a", inner),
        LongRow(ids, "b", inner),
        LongRow(ids, "a", WordRow((2, 5, 3), 0)),
        LongRow(ids, "a", WordRow((2, 6, 3), 1)),
    ]
    assert len({rows_fingerprint([row]) for row in rows}) == len(rows)
    again = LongRow(ids.copy(), "a", WordRow((2, 5, 3), 1))
    assert rows_fingerprint([again]) == rows_fingerprint(rows[:1])
    assert rows_fingerprint(rows) != rows_fingerprint(rows[::-1])


def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    output = tmp_path / "run"
    with pytest.raises(ConfigError, match=f"max_length is 17, but the model has {LONGEST} pos"):
        go(classifier(), SHORT.replace(max_length=17), output=output)
    with pytest.raises(ConfigError, match=r"hidden_dropout_prob is 0\.0 in the model and 0\.3 by"):
        go(classifier(), SHORT.replace(body_dropout=0.3), output=output)
    with pytest.raises(ConfigError, match=r"classifier_dropout_prob is 0\.1 in the model and 0\.2"):
        go(classifier(), SHORT.replace(head_dropout=0.2), output=output)
    with pytest.raises(ConfigError, match="batch_size is 44, but there are 43 rows"):
        go(classifier(), SHORT.replace(batch_size=44), output=output)
    assert not output.exists()


def test_nothing_is_trained_from_scratch_unless_that_is_said() -> None:
    fresh = AlbertForSequenceClassification(config_for(SHORT))
    with pytest.raises(ConfigError, match=r"never been trained.*Load a checkpoint, or say from_sc"):
        go(fresh)
    assert len(go(fresh, from_scratch=True)) == 8
    assert len(go(fresh)) == 8, "now it has been"


def test_an_evaluation_sees_the_model_without_dropout_and_gradients() -> None:
    seen: list[tuple[bool, bool, torch.dtype]] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        logits = model(collate_words(ROWS[:2]).ids).logits
        seen.append((model.training, torch.is_grad_enabled(), logits.dtype))
        return {"held_out_number": float(len(seen))}

    recipe = SHORT.replace(precision="bfloat16")
    straight, measured = classifier(recipe), classifier(recipe)
    go(straight, recipe)
    history = go(measured, recipe, evaluate=evaluate)
    assert seen == [(False, False, torch.bfloat16)] * 3
    assert history.curve("held_out_number")[0].tolist() == [3, 6, 8]
    assert_same_weights(measured, straight)
    with pytest.raises(ConfigError, match="a column called loss, which training has; name it"):
        go(classifier(), evaluate=lambda model: {"loss": 1.0})


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    def breaks(model: nn.Module, batch: Any) -> dict[str, torch.Tensor]:
        return {name: value * float("nan") for name, value in word_loss(model, batch).items()}

    functions: TaskFunctions[Any, Any] = TaskFunctions(collate_words, breaks, count_words)
    with pytest.raises(TrainingError, match="Step 1: loss is nan"):
        finetune(classifier(), ROWS, SHORT, functions, output=tmp_path, progress=False)
    assert not list(tmp_path.glob("checkpoint-*"))
