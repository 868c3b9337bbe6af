"""Runs in stages: each stage trains as a run of its settings would, and kills change nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from short_runs import (
    SHORT,
    assert_same_weights,
    pretrain_quietly,
    pretrain_until_killed,
    stop_after,
    without_time,
)

from albert_lib.corpus import store
from albert_lib.diagnosis import Measurements
from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.depth import set_num_hidden_layers
from albert_lib.objectives import MaskingConfig, order
from albert_lib.training import PretrainingRun, Stage, load_latest
from albert_lib.training.stage_plan import StagedBatches, plan_stages
from albert_lib.training.unigram_bias import log_frequencies

NOTHING_TO_COPY = MaskingConfig(rate=0.4, mask_probability=0.9, random_probability=0.1)
STAGED = SHORT.replace(
    steps=9,
    checkpoint_every=2,
    average_decay=0.5,
    unigram_bias=True,
    stages=(
        Stage(3, masking=NOTHING_TO_COPY, sequence_length=16, batch_size=2),
        Stage(3, num_hidden_layers=3, batch_size=6, copy_positions=16),
        Stage(3, num_hidden_layers=4, sequence_length=32, accumulation=2, final_rate=0.0),
    ),
)


def test_a_stage_sets_what_it_names_and_leaves_the_rest(world: Any) -> None:
    seen: list[tuple[int, ...]] = []
    run = PretrainingRun(world.model(), world.store, world.tokenizer, STAGED)
    own_parts = run.own_parts

    def record(step: int) -> Any:
        parts = own_parts(step)
        rows, length = sum(len(part.input_ids) for part in parts), parts[0].input_ids.shape[1]
        seen.append((len(run.model.albert.encoder.layers), rows, length, len(parts)))
        return parts

    run.own_parts = record  # type: ignore[method-assign]
    history = run.train(progress=False)
    assert seen == [(2, 2, 16, 1)] * 3 + [(3, 6, 32, 1)] * 3 + [(4, 4, 32, 2)] * 3
    assert history.column("learning_rate").tolist() == pytest.approx(
        [0, 0.01, 0.02, 0.02, 0.02, 0.02, 0.02, 0.04 / 3, 0.02 / 3]
    )
    assert run.model.config.num_hidden_layers == 4


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_longer_stage_begins_with_the_trained_positions_over_the_rest(
    decay: float, world: Any
) -> None:
    """In the weights that train on and in their mean; those of an untrained row are gone."""
    stages = (Stage(3, sequence_length=12), Stage(3, copy_positions=12))
    recipe = SHORT.replace(steps=6, average_decay=decay, stages=stages)
    run = PretrainingRun(world.model(), world.store, world.tokenizer, recipe)
    own_parts, tables = run.own_parts, []

    def record(step: int) -> Any:
        for model in (run.model, run.final_model):
            tables.append(model.albert.embeddings.position_embeddings.weight.detach().clone())
        return own_parts(step)

    run.own_parts = record  # type: ignore[method-assign]
    run.train(progress=False)
    for before, copied in zip(tables[4:6], tables[6:8], strict=True):
        rows = torch.arange(len(copied)) % 12
        assert torch.equal(copied, copied[rows]) and not torch.equal(before[12:], copied[12:])
    assert not torch.equal(tables[-2], tables[-2][torch.arange(len(tables[-2])) % 12])


@pytest.mark.parametrize("stop", [2, 3, 5, 6, 8])
def test_stopped_within_a_stage_or_at_its_border(stop: int, world: Any, tmp_path: Path) -> None:
    how: dict[str, Any] = {"held_out": world.held_out, "measure": Measurements}
    recipe = STAGED.replace(checkpoint_every=stop if stop in (3, 6) else 2)
    straight = world.model(dropout=0.2)
    expected = pretrain_quietly(world, straight, recipe, **how)
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(
            world, world.model(0.2), recipe, output=tmp_path, on_step=stop_after(stop), **how
        )
    resumed = world.model(dropout=0.2, seed=99)
    history = pretrain_quietly(world, resumed, recipe, output=tmp_path, **how)
    assert_same_weights(resumed, straight)
    assert without_time(history) == without_time(expected)
    assert_same_weights(AlbertForPreTraining.from_pretrained(tmp_path / "model"), straight)


def test_killed_again_and_again_across_borders(world: Any, tmp_path: Path) -> None:
    recipe = STAGED.replace(checkpoint_every=1)
    straight, resumed = world.model(dropout=0.1), world.model(dropout=0.1)
    pretrain_quietly(world, straight, recipe)
    for step in (2, 3, 5, 7):
        left = pretrain_until_killed(world, recipe, tmp_path, f"after step {step}")
        assert left[-1] == f"checkpoint-{step:08d}"
    pretrain_quietly(world, resumed, recipe, output=tmp_path)
    assert_same_weights(resumed, straight)


def test_a_finished_run_comes_back_as_deep_as_it_ended(world: Any, tmp_path: Path) -> None:
    first, again = world.model(), world.model(seed=5)
    pretrain_quietly(world, first, STAGED, output=tmp_path)
    pretrain_quietly(world, again, STAGED, output=tmp_path)
    assert again.config == first.config and again.config.num_hidden_layers == 4
    assert_same_weights(again, first)


def test_groups_are_named_otherwise_at_another_depth_and_still_resumed(
    world: Any, tmp_path: Path
) -> None:
    def grouped(seed: int) -> AlbertForPreTraining:
        torch.manual_seed(seed)
        return AlbertForPreTraining(world.model().config.replace(num_hidden_groups=2))

    recipe = STAGED.replace(stages=(Stage(4), Stage(5, num_hidden_layers=6)), average_decay=0.0)
    straight = grouped(0)
    pretrain_quietly(world, straight, recipe)
    for stop in (3, 7):
        with pytest.raises(KeyboardInterrupt):
            pretrain_quietly(world, grouped(0), recipe, output=tmp_path, on_step=stop_after(stop))
    resumed = grouped(1)
    pretrain_quietly(world, resumed, recipe, output=tmp_path)
    assert_same_weights(resumed, straight)


def test_the_same_settings_in_two_stages_differ_only_in_what_is_read(world: Any) -> None:
    """The text is one window, so the second stage begins the second epoch."""
    recipe = SHORT.replace(stages=(Stage(2), Stage(6, masking=MaskingConfig())))
    staged = StagedBatches(world.store, world.tokenizer, plan_stages(recipe, 2))
    plain = StagedBatches(world.store, world.tokenizer, plan_stages(SHORT, 2))
    for step in range(2):
        assert torch.equal(staged.batch(step).input_ids, plain.batch(step).input_ids)
    assert not torch.equal(staged.batch(2).input_ids, plain.batch(2).input_ids)
    first = staged.of(staged.stages[1])
    assert first.first_window == (1, 0)
    assert torch.equal(staged.batch(2).input_ids, first.batch(0).input_ids)


def test_a_stage_reads_on_where_the_one_before_has_stopped(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small blocks: windows of the first epoch are read in turn, none of them twice."""
    monkeypatch.setattr(store, "BLOCK_TOKENS", 40)
    monkeypatch.setattr(order, "WINDOW_BLOCKS", 1)
    stages = (Stage(2), Stage(5, sequence_length=16), Stage(3, batch_size=2), Stage(4))
    recipe = SHORT.replace(steps=14, stages=stages)
    staged = StagedBatches(world.store, world.tokenizer, plan_stages(recipe, 2))
    expected = (0, 0)
    for stage, planned in zip(stages, staged.stages, strict=True):
        batches = staged.of(planned)
        assert batches.first_window == expected
        places = [
            batches._order.find(batches.first_example + n)[:2]
            for n in range(stage.steps * planned.recipe.batch_size)
        ]
        assert places[0] == expected, "it begins with the first example of its window"
        epoch, window = places[-1]
        assert epoch == 0, "the text is long enough for all"
        expected = (epoch, window + 1)
        step = staged.batch(planned.steps.stop - 1)
        assert torch.equal(step.input_ids, batches.batch(stage.steps - 1).input_ids)


def test_the_mean_is_the_one_computed_by_hand_and_is_what_is_evaluated(
    world: Any, tmp_path: Path
) -> None:
    recipe = SHORT.replace(average_decay=0.8, evaluate_every=8, checkpoint_every=1)
    weights: list[np.ndarray] = []
    model = world.model()
    run = PretrainingRun(model, world.store, world.tokenizer, recipe, output=tmp_path)

    def record(_: Any) -> None:
        weights.append(run.model.mlm_head.bias.detach().numpy().copy())

    history = run.train(held_out=world.held_out, on_step=record, progress=False)
    mean = weights[0]
    for each in weights[1:]:
        mean = 0.8 * mean + 0.2 * each
    assert model.mlm_head.bias.detach().numpy() == pytest.approx(mean, abs=1e-6)
    saved = load_latest(tmp_path)
    assert saved is not None
    assert (saved.folder / "mean.safetensors").is_file()
    plain = world.model()
    other = pretrain_quietly(
        world, plain, recipe.replace(average_decay=0.0), held_out=world.held_out
    )
    assert plain.mlm_head.bias.detach().numpy() == pytest.approx(weights[-1], abs=1e-7)
    assert history.column("loss").tolist() == other.column("loss").tolist()
    assert history.rows[-1]["held_out_mlm_loss"] != other.rows[-1]["held_out_mlm_loss"]


def test_a_damaged_mean_is_found(world: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(world, world.model(), STAGED, output=tmp_path, on_step=stop_after(5))
    torn = tmp_path / "checkpoint-00000004" / "mean.safetensors"
    torn.write_bytes(torn.read_bytes()[:-4] + b"\1\2\3\4")
    with pytest.warns(UserWarning, match=r"mean\.safetensors is not what was written"):
        pretrain_quietly(world, world.model(), STAGED, output=tmp_path)


def test_the_bias_begins_at_the_unigram_frequencies(world: Any) -> None:
    model = world.model()
    PretrainingRun(model, world.store, world.tokenizer, SHORT.replace(unigram_bias=True))
    counts = world.store.unigram_counts()
    bias = model.mlm_head.bias.detach().double()
    assert bias.exp().sum().item() == pytest.approx(1)
    assert bias.numpy() == pytest.approx(log_frequencies(counts), abs=1e-6)
    most = int(counts.argmax())
    assert bias[most].exp().item() == pytest.approx(
        (counts[most] + 1) / (counts.sum() + len(counts))
    )
    untouched = world.model()
    PretrainingRun(untouched, world.store, world.tokenizer, SHORT)
    assert not untouched.mlm_head.bias.any()


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ((Stage(4), Stage(4, sequence_length=64)),
         "Stage 2: sequence_length is 64 but the model has 32 positions"),
        ((Stage(4, sequence_length=16), Stage(4, copy_positions=17)),
         "Stage 2: copy_positions is 17 but the stages before train only the first 16; copy what"),
        ((Stage(4, copy_positions=8), Stage(4)), "Stage 1: .* the stages before .* the first 0"),
        ((Stage(4), Stage(4, copy_positions=32)),
         "Stage 2: copy_positions is 32, and the model has no more positions; leave it out"),
        ((Stage(4), Stage(4, sequence_length=4)), "sequence_length is 4, but .* needs at least 5"),
        ((Stage(4, batch_size=2), Stage(4, batch_size=2, accumulation=3)),
         "accumulation is 3; make it at most 2 rows"),
    ],
)  # fmt: skip
def test_stages_that_cannot_follow(
    stages: tuple[Stage, ...], says: str, world: Any, tmp_path: Path
) -> None:
    model = world.model()
    with pytest.raises(ConfigError, match=says):
        pretrain_quietly(world, model, SHORT.replace(stages=stages), output=tmp_path / "run")
    assert not (tmp_path / "run").exists(), "before any training"
    assert_same_weights(model, world.model())


def test_layers_of_their_own_cannot_grow(world: Any) -> None:
    model = AlbertForPreTraining(world.model().config.replace(sharing="none"))
    recipe = SHORT.replace(stages=(Stage(4), Stage(4, num_hidden_layers=3)))
    with pytest.raises(ConfigError, match='Stage 2: A model with sharing="none" has the weights'):
        pretrain_quietly(world, model, recipe)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"average_decay": 0.9}, r"recipe\.average_decay=0\.5, but 0\.9 was requested"),
        ({"unigram_bias": False}, r"recipe\.unigram_bias=True, but False"),
        ({"stages": (*STAGED.stages[:2], Stage(3, num_hidden_layers=5))},
         r"recipe\.stages\.3\.num_hidden_layers=4, but 5 was requested"),
        ({"stages": (Stage(4), *STAGED.stages[1:2], Stage(2))},
         r"recipe\.stages\.1\.steps=3, but 4 was requested"),
    ],
)  # fmt: skip
def test_a_folder_of_other_stages_is_refused(
    changes: dict[str, Any], says: str, world: Any, tmp_path: Path
) -> None:
    pretrain_quietly(world, world.model(), STAGED, output=tmp_path)
    with pytest.raises(CheckpointError, match=says):
        pretrain_quietly(world, world.model(), STAGED.replace(**changes), output=tmp_path)


def test_evaluations_ask_the_same_in_every_stage(world: Any) -> None:
    """Nothing is learned at rate 0, so only another depth may change what is measured."""
    stages = tuple(replace(stage, copy_positions=None) for stage in STAGED.stages)
    recipe = STAGED.replace(
        learning_rate=1e-30, weight_decay=0.0, evaluate_every=1, average_decay=0.0, warmup_steps=0,
        stages=stages,
    )  # fmt: skip
    model = world.model()
    rows = pretrain_quietly(world, model, recipe, held_out=world.held_out).rows
    losses = [row["held_out_mlm_loss"] for row in rows]
    assert losses[:3] == losses[:1] * 3 and losses[3:6] == losses[3:4] * 3
    assert len({losses[0], losses[3], losses[6]}) == 3
    set_num_hidden_layers(model, 2)
    unstaged = recipe.replace(steps=2, stages=())
    again = pretrain_quietly(world, model, unstaged, held_out=world.held_out)
    assert again.rows[0]["held_out_mlm_loss"] == losses[0]
