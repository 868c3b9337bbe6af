"""Pretraining: it learns, and it is measured exactly."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from short_runs import SHORT, TIMED, pretrain_quietly

from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import PretrainingBatches
from albert_lib.training import (
    Lamb,
    MuonWithAdamW,
    Recipe,
    build_optimizer,
    evaluate,
    pretraining_loss,
    pretraining_losses,
)
from albert_lib.training.unigram_bias import start_at_unigram


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


def test_a_machine_that_cannot_compile_is_told_so(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(function: Any) -> Any:
        raise RuntimeError("No working C++ compiler found\nand a long story")

    monkeypatch.setattr(torch, "compile", no_compiler)
    message = r"cannot compile \(No working C\+\+ compiler found\); install a C\+\+ compiler"
    with pytest.raises(ConfigError, match=message):
        pretrain_quietly(world, world.model(), SHORT.replace(compile=True))


def test_partly_shared_layers_stay_in_checkpoints(world: Any, tmp_path: Path) -> None:
    model = AlbertForPreTraining(world.model().config.replace(sharing="attention"))
    pretrain_quietly(world, model, SHORT.replace(checkpoint_every=0), output=tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["checkpoint-00000008", "history.jsonl"]


def test_a_model_that_cannot_be_written_is_refused_before_training(
    world: Any, tmp_path: Path
) -> None:
    config = world.model().config.replace(
        num_hidden_layers=18, num_hidden_groups=14, group_rounding="google"
    )
    model = AlbertForPreTraining(config)
    with pytest.raises(ConfigError, match="divide 18 layers among 14 groups differently than"):
        pretrain_quietly(world, model, SHORT, output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


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


def test_the_recipe_names_the_optimizer(world: Any) -> None:
    assert isinstance(build_optimizer(world.model(), SHORT), Lamb)
    adamw = build_optimizer(world.model(), SHORT.replace(optimizer="adamw", weight_decay=0.3))
    assert isinstance(adamw, torch.optim.AdamW)
    assert [group["weight_decay"] for group in adamw.param_groups] == [0.3, 0.0]
    muon = build_optimizer(world.model(), SHORT.replace(optimizer="muon"))
    assert isinstance(muon, MuonWithAdamW)


def test_what_does_not_fit_is_refused(world: Any) -> None:
    with pytest.raises(ConfigError, match=r"sequence_length is 64 but the model has 32 positions"):
        pretrain_quietly(world, world.model(), SHORT.replace(sequence_length=64))
    small = AlbertForPreTraining(world.model().config.replace(vocab_size=50))
    with pytest.raises(ConfigError, match=r"tokenizer has 55 pieces but .* vocab_size is 50"):
        pretrain_quietly(world, small, SHORT)


def test_a_table_that_is_filled_up_trains_and_its_rows_are_no_words(world: Any) -> None:
    rows = 64  # for 55 tokens
    padded = AlbertForPreTraining(world.model().config.replace(vocab_size=rows))
    before = padded.mlm_head.bias.detach().clone()
    pretrain_quietly(world, padded, SHORT.replace(unigram_bias=False))
    moved = padded.mlm_head.bias.detach() - before
    assert (moved[55:] < 0).all(), "what is never a target becomes less likely"
    start_at_unigram(padded, world.store)
    assert padded.mlm_head.bias[55:].max() <= padded.mlm_head.bias[:55].min()
    assert padded.mlm_head.bias.exp().sum().item() == pytest.approx(1)
    another = AlbertForPreTraining(world.model().config.replace(vocab_size=55 + 128))
    with pytest.raises(ConfigError, match=r"or take the tokenizer that it was trained with"):
        pretrain_quietly(world, another, SHORT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps is 0; make it at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; make it above 0"),
        ({"warmup_steps": 9}, "warmup_steps is 9; make it at most the 8 steps"),
        ({"seed": -1}, "seed is -1; make it 0 or more"),
        ({"seed": 2**63}, r"seed is 9223372036854775808; make it a number below 2⁶³"),
        ({"steps": 10**23}, r"steps is 1\d+; make it a number below 2⁶³"),
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
    assert len(pretraining_losses.pad_positions(batch.masked_positions)) % 32 == 0
    found = []
    for number in (32, 1):
        monkeypatch.setattr(pretraining_losses, "PREDICTIONS_MULTIPLE", number)
        model = world.model().eval()
        losses = pretraining_loss(model, batch)
        losses["loss"].backward()
        found.append((losses, [parameter.grad for parameter in model.parameters()]))
    (rounded, slopes), (plain, expected) = found
    for name, loss in plain.items():
        assert rounded[name].item() == pytest.approx(loss.item(), rel=1e-6)
    for one, other in zip(slopes, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-7)
