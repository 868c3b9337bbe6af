"""Pretraining: it learns, it is measured exactly, and no interruption changes the result."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import read_json
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig, PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training import (
    History,
    Lamb,
    Recipe,
    build_optimizer,
    evaluate,
    pretrain,
    pretraining,
    pretraining_loss,
    save_checkpoint,
)
from albert_lib.training.same_run import describe_run

SHORT = Recipe(
    steps=8, batch_size=4, sequence_length=32, learning_rate=0.02, warmup_steps=2,
    evaluate_every=3, evaluation_batches=2, checkpoint_every=2, precision="float32",
)  # fmt: skip
TIMED = "seconds"

KILLED_RUN = """
import os, signal, sys, types
import torch
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import TokenStore
from albert_lib.text import AlbertTokenizer
from albert_lib.training import Recipe, checkpoint, pretrain, pretraining
from albert_lib.config import AlbertConfig

world, output, threads, when, config, recipe = sys.argv[1:]
torch.set_num_threads(int(threads))

def die(*_, **__):
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

def on_step(row):
    if when == "after step 5" and row["step"] == 5:
        die()

if when == "while writing":
    checkpoint.write_json = die
if when == "while removing an old one":
    checkpoint.shutil = types.SimpleNamespace(rmtree=die)
if when == "while writing the final model":
    pretraining.AlbertTokenizer.save_pretrained = die

torch.manual_seed(0)
pretrain(
    AlbertForPreTraining(AlbertConfig(**eval(config))),
    TokenStore.open(world + "/train"),
    AlbertTokenizer.from_pretrained(world + "/tokenizer"),
    Recipe(**eval(recipe)),
    output=output, progress=False, on_step=on_step,
)
"""


def pretrain_quietly(
    world: Any, model: AlbertForPreTraining, recipe: Recipe, **how: Any
) -> History:
    return pretrain(model, world.store, world.tokenizer, recipe, progress=False, **how)


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    for (name, ours), theirs in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs), name


def without_time(history: History) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != TIMED} for row in history.rows]


def stop_after(step: int) -> Any:
    def stop(row: dict[str, float]) -> None:
        if row["step"] == step:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize(("optimizer", "precision"), [("lamb", "bfloat16"), ("adamw", "float32")])
def test_an_interrupted_run_ends_as_one_left_alone(
    optimizer: str, precision: str, world: Any, tmp_path: Path
) -> None:
    recipe = SHORT.replace(optimizer=optimizer, precision=precision)
    straight = world.model(dropout=0.2)
    expected = pretrain_quietly(world, straight, recipe, held_out=world.held_out)

    how = {"held_out": world.held_out, "output": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(world, world.model(0.2), recipe, on_step=stop_after(5), **how)
    resumed = world.model(dropout=0.2, seed=99)  # its weights come from the checkpoint
    history = pretrain_quietly(world, resumed, recipe, **how)
    assert_same_weights(resumed, straight)
    assert without_time(history) == without_time(expected)


def pretrain_until_killed(world: Any, output: Path, when: str) -> list[str]:
    """Run SHORT in a process of its own that kills itself; return the checkpoints it leaves."""
    config = world.model(dropout=0.1).config.to_dict()
    del config["model_type"]
    recipe = {k: v for k, v in SHORT.to_dict().items() if k != "masking"}
    arguments = [world.folder, output, torch.get_num_threads(), when, config, recipe]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *map(str, arguments)], capture_output=True, text=True
    )
    assert killed.returncode in (-getattr(signal, "SIGKILL", 9), 15), killed.stderr
    return sorted(path.name for path in output.glob("checkpoint-*"))


def test_killed_at_a_step_and_killed_while_saving(world: Any, tmp_path: Path) -> None:
    straight = world.model(dropout=0.1)
    pretrain_quietly(world, straight, SHORT)

    for when in ("after step 5", "while writing"):
        assert pretrain_until_killed(world, tmp_path, when)[-1] == "checkpoint-00000004"
    torn = tmp_path / "checkpoint-00000004" / "optimizer.safetensors"
    torn.write_bytes(torn.read_bytes()[:1000])

    resumed = world.model(dropout=0.1)
    with pytest.warns(UserWarning, match="checkpoint-00000004 is damaged"):
        pretrain_quietly(world, resumed, SHORT, output=tmp_path)
    assert_same_weights(resumed, straight)
    assert not list(tmp_path.glob(".checkpoint-*")), "what the kill left behind is swept up"


def test_killed_while_removing_and_while_writing_the_final_model(
    world: Any, tmp_path: Path
) -> None:
    straight, resumed = world.model(dropout=0.1), world.model(dropout=0.1)
    pretrain_quietly(world, straight, SHORT)
    saved = pretrain_until_killed(world, tmp_path, "while removing an old one")
    assert saved == ["checkpoint-00000004", "checkpoint-00000006"]
    assert (tmp_path / ".checkpoint-00000002-old").is_dir()
    saved = pretrain_until_killed(world, tmp_path, "while writing the final model")
    assert saved == ["checkpoint-00000006", "checkpoint-00000008"]
    assert not (tmp_path / "model").exists()
    assert [path.name[:7] for path in tmp_path.glob(".*")] == [".model-"]

    history = pretrain_quietly(world, resumed, SHORT, output=tmp_path)
    assert len(history) == 8
    assert_same_weights(resumed, straight)
    assert_same_weights(AlbertForPreTraining.from_pretrained(tmp_path / "model"), straight)
    assert not list(tmp_path.glob(".*")), "what the kills left behind is swept up"


def test_a_batch_in_parts_gives_the_losses_of_the_whole(world: Any) -> None:
    config = world.model().config.replace(classifier_dropout_prob=0.0)
    histories = []
    for accumulation in (1, 3):
        torch.manual_seed(0)
        model = AlbertForPreTraining(config)
        recipe = SHORT.replace(batch_size=7, accumulation=accumulation)
        histories.append(pretrain_quietly(world, model, recipe, held_out=world.held_out))
    whole, parts = histories
    assert parts.columns() == whole.columns()
    for column in set(whole.columns()) - {TIMED}:
        assert parts.column(column) == pytest.approx(whole.column(column), rel=0, abs=1e-5)


def test_another_accumulation_is_gone_on_with_and_said(world: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(world, world.model(), SHORT, output=tmp_path, on_step=stop_after(5))
    with pytest.warns(UserWarning, match=r"parts\.accumulation=1, but 2 was asked for: it goes on"):
        history = pretrain_quietly(
            world, world.model(), SHORT.replace(accumulation=2), output=tmp_path
        )
    assert len(history) == 8


def test_a_run_whose_seed_gave_other_batches_is_not_gone_on_with(
    world: Any, tmp_path: Path
) -> None:
    recipe, model = SHORT, world.model()
    run = describe_run(model, world.store, world.tokenizer, recipe)
    del run["batches"]
    optimizer = build_optimizer(model, recipe)
    rows = [{"step": step, "loss": 1.0} for step in range(1, 5)]
    save_checkpoint(tmp_path, 4, History(rows), model=model, optimizer=optimizer, run=run)
    with pytest.raises(CheckpointError, match="batches=None, but 2 was asked for"):
        pretrain_quietly(world, world.model(), recipe, output=tmp_path)


def test_a_machine_that_cannot_compile_is_told_so(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(function: Any) -> Any:
        raise RuntimeError("No working C++ compiler found\nand a long story")

    monkeypatch.setattr(torch, "compile", no_compiler)
    message = r"cannot compile \(No working C\+\+ compiler found\); install a C\+\+ compiler"
    with pytest.raises(ConfigError, match=message):
        pretrain_quietly(world, world.model(), SHORT.replace(compile=True))


def test_a_finished_run_comes_back_at_once(world: Any, tmp_path: Path) -> None:
    first = world.model()
    history = pretrain_quietly(world, first, SHORT, output=tmp_path)
    again, steps = world.model(seed=5), []
    how = {"output": tmp_path, "on_step": lambda row: steps.append(row)}
    assert pretrain_quietly(world, again, SHORT, **how).rows == history.rows
    assert steps == []
    assert_same_weights(again, first)
    assert_same_weights(AlbertForPreTraining.from_pretrained(tmp_path / "model"), first)
    tokenizer = AlbertTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.fingerprint == world.tokenizer.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 9}, r"recipe\.steps=8, but 9 was asked for"),
        ({"learning_rate": 0.1}, r"recipe\.learning_rate=0\.02, but 0\.1"),
        ({"masking": MaskingConfig(share=0.4)}, r"recipe\.masking\.share=0\.15, but 0\.4"),
    ],
)
def test_another_recipe_in_the_same_folder_is_refused(
    changes: dict[str, Any], message: str, world: Any, tmp_path: Path
) -> None:
    pretrain_quietly(world, world.model(), SHORT, output=tmp_path)
    with pytest.raises(CheckpointError, match=message):
        pretrain_quietly(world, world.model(), SHORT.replace(**changes), output=tmp_path)
    with pytest.raises(CheckpointError, match=r"model\.hidden_dropout_prob=0\.0, but 0\.3"):
        pretrain_quietly(world, world.model(dropout=0.3), SHORT, output=tmp_path)
    pretrain_quietly(world, world.model(), SHORT.replace(evaluate_every=1), output=tmp_path)


def test_the_measured_precision_stays_that_of_the_first_start(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = SHORT.replace(precision="auto")
    for precision, step in (("bfloat16", 4), ("float32", 6)):
        monkeypatch.setenv("ALBERT_LIB_PRECISION", precision)
        with pytest.raises(KeyboardInterrupt):
            pretrain_quietly(
                world, world.model(), recipe, output=tmp_path, on_step=stop_after(step)
            )
    saved = read_json(tmp_path / "checkpoint-00000006" / "state.json")
    assert saved["run"]["dtype"] == "bfloat16"


def test_partly_shared_layers_stay_in_checkpoints(world: Any, tmp_path: Path) -> None:
    model = AlbertForPreTraining(world.model().config.replace(sharing="attention"))
    pretrain_quietly(world, model, SHORT.replace(checkpoint_every=0), output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000008"]


def test_a_tiny_model_learns_a_tiny_text(world: Any) -> None:
    recipe = Recipe(
        steps=400, batch_size=16, sequence_length=32, learning_rate=0.005, warmup_steps=20,
        optimizer="adamw", evaluate_every=400, evaluation_batches=8, precision="float32",
    )  # fmt: skip
    history = pretrain_quietly(world, world.model(), recipe, held_out=world.store)
    entropy = world.store.unigram_entropy()
    assert history.column("mlm_loss")[0] == pytest.approx(math.log(55), abs=0.4)
    assert history.column("held_out_mlm_loss")[-1] < entropy - 1


def test_the_loss_is_the_unweighted_sum_of_two_means(world: Any) -> None:
    model = world.model().eval()
    batch = PretrainingBatches(
        world.store, world.tokenizer, batch_size=5, sequence_length=32, seed=3
    ).batch(0)
    losses = pretraining_loss(model, batch)
    everywhere = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
    labels = torch.full((5 * 32,), -100)
    labels[batch.masked_positions] = batch.masked_labels
    mlm = F.cross_entropy(everywhere.prediction_logits.flatten(0, 1), labels)
    sop = F.cross_entropy(everywhere.sop_logits, batch.sop_labels)
    assert losses["mlm_loss"].item() == pytest.approx(mlm.item(), rel=1e-5)
    assert losses["loss"].item() == pytest.approx((mlm + sop).item(), rel=1e-5)


def test_evaluation_is_the_mean_over_all_predictions(world: Any) -> None:
    model = world.model(dropout=0.5).train()
    batches = PretrainingBatches(
        world.held_out, world.tokenizer, batch_size=3, sequence_length=32, seed=1
    )
    found = evaluate(model, batches, 4)
    assert model.training, "the mode it was in is put back"
    model.eval()
    losses, right, order_losses, order_right = [], [], [], []
    for number in range(4):
        batch = batches.batch(number)
        output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        for place, label in zip(
            batch.masked_positions.tolist(), batch.masked_labels.tolist(), strict=True
        ):
            scores = output.prediction_logits.flatten(0, 1)[place]
            losses.append(-scores.log_softmax(0)[label].item())
            right.append(scores.argmax().item() == label)
        for scores, label in zip(output.sop_logits, batch.sop_labels.tolist(), strict=True):
            order_losses.append(-scores.log_softmax(0)[label].item())
            order_right.append(scores.argmax().item() == label)
    assert (found.predictions, found.pairs) == (len(losses), 12)
    assert found.mlm_loss == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert found.mlm_accuracy == pytest.approx(sum(right) / len(right))
    assert found.sop_loss == pytest.approx(sum(order_losses) / 12, rel=1e-5)
    assert found.sop_accuracy == pytest.approx(sum(order_right) / 12)


def test_the_recipe_names_the_optimiser(world: Any) -> None:
    assert isinstance(build_optimizer(world.model(), SHORT), Lamb)
    adamw = build_optimizer(world.model(), SHORT.replace(optimizer="adamw", weight_decay=0.3))
    assert isinstance(adamw, torch.optim.AdamW)
    assert [group["weight_decay"] for group in adamw.param_groups] == [0.3, 0.0]


def test_what_does_not_fit_is_refused(world: Any) -> None:
    with pytest.raises(ConfigError, match=r"sequence_length is 64 but the model has 32 positions"):
        pretrain_quietly(world, world.model(), SHORT.replace(sequence_length=64))
    small = AlbertForPreTraining(world.model().config.replace(vocab_size=50))
    with pytest.raises(ConfigError, match=r"tokenizer has 55 pieces but .* vocab_size is 50"):
        pretrain_quietly(world, small, SHORT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps is 0; make it at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; make it above 0"),
        ({"warmup_steps": 9}, "warmup_steps is 9; make it at most the 8 steps"),
        ({"seed": -1}, "seed is -1; make it 0 or more"),
        ({"accumulation": 5}, "accumulation is 5; make it at most 4 rows"),
    ],
)
def test_impossible_recipes_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SHORT.replace(**changes)


def test_a_round_number_of_predictions_changes_neither_losses_nor_gradients(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = PretrainingBatches(
        world.store, world.tokenizer, batch_size=5, sequence_length=32, seed=3
    ).batch(0)
    assert len(batch.masked_labels) % 32, "else there is nothing to add"
    assert len(pretraining.in_round_number(batch.masked_positions)) % 32 == 0
    found = []
    for number in (32, 1):
        monkeypatch.setattr(pretraining, "ROUND_NUMBER", number)
        model = world.model().eval()
        losses = pretraining_loss(model, batch)
        losses["loss"].backward()
        found.append((losses, [parameter.grad for parameter in model.parameters()]))
    (rounded, slopes), (plain, expected) = found
    for name, loss in plain.items():
        assert rounded[name].item() == pytest.approx(loss.item(), rel=1e-6)
    for one, other in zip(slopes, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-7)
