"""Stages by themselves: their values, what is refused, and the learning rate through them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from albert_lib.errors import ConfigError
from albert_lib.objectives import MaskingConfig
from albert_lib.training import Recipe, Stage
from albert_lib.training.stages import rate_in_stages


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"steps": 0}, "steps is 0; use a whole number of at least 1"),
        ({"steps": 2.5}, "steps is 2.5; use a whole number"),
        ({"steps": True}, "steps is True; use a whole number"),
        ({"batch_size": 0}, "batch_size is 0; use a whole number of at least 1, or None"),
        ({"num_hidden_layers": 1.5}, "num_hidden_layers is 1.5; use a whole number"),
        ({"sequence_length": "64"}, "sequence_length is '64'; use a whole number"),
        ({"accumulation": -1}, "accumulation is -1; use a whole number"),
        ({"copy_positions": 0}, "copy_positions is 0; use a whole number of at least 1, or None"),
        ({"final_rate": 1.01}, r"final_rate is 1\.01; make it between 0 and 1"),
        ({"final_rate": float("nan")}, "final_rate is nan; use a finite number"),
        ({"masking": 0.4}, r"masking is 0\.4; make it a MaskingConfig"),
        ({"masking": {"rate": 2}}, "rate is 2; mask more than 0 and at most 1"),
        ({"masking": {"share": 0.4}}, "masking has no field share; it has rate, max_ngram"),
    ],
)
def test_values_that_cannot_work(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=f"^stages.toml: stage 2: {says}"):
        Stage.from_dict({"steps": 5, **values}, "stages.toml: stage 2")


@pytest.mark.parametrize("name", ["hidden_size", "vocab_size", "optimizer", "sop"])
def test_what_no_stage_can_change(name: str) -> None:
    with pytest.raises(ConfigError, match=f"can't change {name}: the weights stay those"):
        Stage.from_dict({"steps": 5, name: 64})


def test_a_stage_without_steps() -> None:
    with pytest.raises(ConfigError, match="A stage has no steps; write how many it takes"):
        Stage.from_dict({"batch_size": 4})


def test_all_fields_are_read() -> None:
    values = {
        "steps": 5, "num_hidden_layers": 4, "masking": {"rate": 0.4, "random_probability": 0.0},
        "sequence_length": 48, "batch_size": 8, "accumulation": 2, "final_rate": 0.25,
        "copy_positions": 16,
    }  # fmt: skip
    expected = Stage(5, 4, MaskingConfig(rate=0.4, random_probability=0.0), 48, 8, 2, 0.25, 16)
    assert Stage.from_dict(values) == expected


def test_the_rate_is_that_of_pytorchs_schedulers() -> None:
    """Warm-up, constant, linear to a half, linear to zero: held against SequentialLR."""
    stages = (Stage(10), Stage(8, final_rate=0.5), Stage(6, final_rate=0.0))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    schedulers = torch.optim.lr_scheduler
    parts = [
        schedulers.LinearLR(optimizer, 1e-9, 1.0, total_iters=4),
        schedulers.ConstantLR(optimizer, 1.0, total_iters=6),
        schedulers.LinearLR(optimizer, 1.0, 0.5, total_iters=8),
        schedulers.LinearLR(optimizer, 0.5, 0.0, total_iters=6),
    ]
    theirs = schedulers.SequentialLR(optimizer, parts, milestones=[4, 10, 18])
    for step in range(24):
        ours = rate_in_stages(step, stages, peak=0.2, warmup_steps=4)
        assert ours == pytest.approx(theirs.get_last_lr()[0], abs=1e-9), step
        optimizer.step()
        theirs.step()


def test_one_stage_that_falls_to_zero_is_the_usual_schedule() -> None:
    usual = Recipe(steps=50, warmup_steps=7)
    staged = usual.replace(stages=(Stage(50, final_rate=0.0),))
    for step in range(51):
        assert staged.learning_rate_at(step) == pytest.approx(usual.learning_rate_at(step))


def test_warm_up_may_be_longer_than_a_stage() -> None:
    stages = (Stage(2, final_rate=0.0), Stage(4, final_rate=1.0), Stage(4, final_rate=0.5))
    rates = [rate_in_stages(step, stages, peak=1.0, warmup_steps=4) for step in range(10)]
    assert rates == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1, 0.875, 0.75, 0.625])


@pytest.mark.usefixtures("without_shape_checks")
def test_a_recipe_counts_the_steps_of_its_stages() -> None:
    with pytest.raises(ConfigError, match="steps is 1000, but the stages have 30 together"):
        Recipe(stages=(Stage(10), Stage(20)))
    with pytest.raises(ConfigError, match="stages has 10; give it Stage"):
        Recipe(steps=10, warmup_steps=0, stages=(10,))  # type: ignore[arg-type]
    recipe = Recipe.from_dict({"warmup_steps": 0, "stages": [{"steps": 10}, {"steps": 20}]})
    assert recipe.steps == 30
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"stepz": 3}, "The recipe has no field stepz; it has steps, batch_size"),
        ({"stages": {"steps": 3}}, "The recipe: stages is .* make it a list of tables"),
        ({"stages": [3]}, r"The recipe: stages is \[3\]; make it a list of tables"),
        ({"stages": [{"steps": 3}, {"hidden_size": 3}]}, "The recipe: stage 2 can't change hidden"),
        ({"masking": {"rat": 3}}, "The recipe: masking has no field rat; it has rate"),
        ({"average_decay": 1.0}, "The recipe: average_decay is 1.0; make it at least 0 and below"),
        ({"unigram_bias": 1}, "The recipe: unigram_bias is 1; make it True or False"),
    ],
)
def test_a_recipe_of_wrong_values(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=f"^{says}"):
        Recipe.from_dict(values)
