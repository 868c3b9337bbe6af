"""The paper's fine-tuning table, Google's schedule with its jump, and recipes as files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from albert_lib.config import AlbertConfig
from albert_lib.errors import ConfigError
from albert_lib.finetuning.models import TASKS, Task
from albert_lib.finetuning.recipes import (
    FinetuningRecipe,
    RecipeName,
    decay_from_start,
    finetuning_recipe,
    read_finetuning_recipe,
    recipe_names,
)

# Table 14 of the paper (arXiv 1909.11942): learning rate, batch, ALBERT's dropout, classifier's
# dropout, training steps, warm-up steps, maximum sequence length.
TABLE_14 = {
    "sst2": (1e-5, 32, 0.0, 0.1, 20935, 1256, 512),
    "mnli": (3e-5, 128, 0.0, 0.1, 10000, 1000, 512),
    "squad1": (5e-5, 48, 0.0, 0.1, 3649, 365, 384),
    "squad2": (3e-5, 48, 0.0, 0.1, 8144, 814, 512),
    "race": (2e-5, 32, 0.1, 0.1, 12000, 1000, 512),
}
TRAINING_QUESTIONS = {
    "squad1": (87_599, 2),
    "squad2": (130_319, 3),
}  # of the official files, epochs
SMALL = finetuning_recipe("sst2", "small")


@pytest.mark.parametrize("task", TASKS)
def test_the_papers_table(task: Task) -> None:
    recipe = finetuning_recipe(task)
    assert recipe.task == task
    assert (
        recipe.learning_rate, recipe.batch_size, recipe.body_dropout, recipe.head_dropout,
        recipe.steps, recipe.warmup_steps, recipe.max_length,
    ) == TABLE_14[task]  # fmt: skip
    assert (recipe.weight_decay, recipe.eps, recipe.max_grad_norm) == (0.01, 1e-6, 1.0)
    assert recipe.question_length == (128 if task == "race" else 64)
    assert recipe.advance == 128


@pytest.mark.parametrize("task", ["squad1", "squad2"])
def test_squads_steps_are_epochs_of_questions(task: Task) -> None:
    questions, epochs = TRAINING_QUESTIONS[task]
    recipe = finetuning_recipe(task)
    assert recipe.steps == questions * epochs // recipe.batch_size
    assert abs(recipe.warmup_steps - recipe.steps / 10) < 1


def test_what_googles_commands_do_otherwise() -> None:
    differs = {}
    for task in TASKS:
        paper, google = (
            finetuning_recipe(task).to_dict(),
            finetuning_recipe(task, "google").to_dict(),
        )
        assert google.pop("body_dropout") is None
        differs[task] = {name: value for name, value in google.items() if value != paper[name]}
    assert differs == {
        "sst2": {},
        "mnli": {"max_length": 128},
        "squad1": {"warmup_steps": 364, "head_dropout": 0.0},
        "squad2": {"learning_rate": 5e-5, "steps": 5429, "warmup_steps": 542, "max_length": 384},
        "race": {"learning_rate": 1e-5},
    }


def test_mnlis_learning_rate_falls_by_a_tenth_where_warm_up_ends() -> None:
    rate = finetuning_recipe("mnli").learning_rate_at
    assert rate(0) == 0
    assert rate(1) == pytest.approx(3e-8)
    assert rate(999) == pytest.approx(2.997e-5)
    assert rate(1000) == pytest.approx(2.70e-5)
    assert rate(1001) == pytest.approx(3e-5 * 8999 / 10000)
    assert rate(9999) == pytest.approx(3e-9)
    assert rate(10_000) == rate(10_001) == 0


def test_without_warm_up_the_rate_begins_at_its_peak() -> None:
    assert decay_from_start(0, peak=2.0, warmup_steps=0, total_steps=4) == 2.0


def test_dropout_of_a_model_by_the_recipe() -> None:
    base = AlbertConfig.preset("albert-base-v1")
    assert base.hidden_dropout_prob == 0.1
    sst2 = base.replace(**finetuning_recipe("sst2").model_changes())
    assert (sst2.hidden_dropout_prob, sst2.attention_probs_dropout_prob) == (0, 0)
    assert sst2.classifier_dropout_prob == 0.1
    as_it_is = base.replace(**finetuning_recipe("squad1", "google").model_changes())
    assert (as_it_is.hidden_dropout_prob, as_it_is.attention_probs_dropout_prob) == (0.1, 0.1)
    assert as_it_is.classifier_dropout_prob == 0


def test_clamping_to_the_models_positions_says_what_it_changed() -> None:
    squad2 = finetuning_recipe("squad2")
    assert squad2.clamped(512) == (squad2, ())
    shorter, changed = squad2.clamped(384)
    assert (shorter.max_length, shorter.advance, shorter.question_length) == (384, 128, 64)
    assert changed == ("max_length is 384 instead of 512: the model has 384 positions.",)
    shorter, changed = squad2.clamped(128)
    assert (shorter.max_length, shorter.advance, shorter.question_length) == (128, 64, 64)
    assert len(changed) == 2
    shorter, changed = squad2.clamped(64)
    assert (shorter.max_length, shorter.advance, shorter.question_length) == (64, 32, 32)
    assert len(changed) == 3
    assert shorter == squad2.replace(max_length=64, advance=32, question_length=32)
    with pytest.raises(ConfigError, match="positions is 4; use a whole number of at least 8"):
        squad2.clamped(4)


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "cola"}, "task is 'cola'; make it one of sst2, mnli, race, squad1, squad2"),
        ({"task": None}, "task is None; make it one of"),
        ({"precision": "half"}, "precision is 'half'; make it one of auto, float32, bfloat16"),
        ({"steps": 0}, "steps is 0; use a whole number of at least 1"),
        ({"steps": 2.5}, "steps is 2.5; use a whole number"),
        ({"batch_size": True}, "batch_size is True; use a whole number"),
        ({"steps": 209}, "warmup_steps is 210; make it at most the 209 steps"),
        ({"warmup_steps": -1}, "warmup_steps is -1; use a whole number of at least 0"),
        ({"max_length": 7}, "max_length is 7; use a whole number of at least 8"),
        ({"advance": 0}, "advance is 0; use a whole number of at least 1"),
        ({"question_length": 0}, "question_length is 0; use"),
        ({"accumulation": 33}, "accumulation is 33; make it at most 32 rows"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; make it above 0"),
        ({"learning_rate": "1e-5"}, "learning_rate is '1e-5'; use a finite number"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; use a finite number"),
        ({"eps": 0.0}, "eps is 0.0; make it above 0"),
        ({"max_grad_norm": 0.0}, "max_grad_norm is 0.0; make it above 0"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1; make it 0 or more"),
        ({"head_dropout": 1.0}, "head_dropout is 1.0; make it at least 0 and below 1"),
        ({"body_dropout": -0.1}, "body_dropout is -0.1; make it at least 0 and below 1"),
        ({"body_dropout": "0"}, "body_dropout is '0'; use a finite number"),
        ({"seed": -1}, "seed is -1; use a whole number of at least 0"),
        ({"evaluate_every": -1}, "evaluate_every is -1; use"),
        ({"checkpoint_every": 1.5}, "checkpoint_every is 1.5; use"),
        ({"keep_every": -2}, "keep_every is -2; use"),
    ],
)
def test_a_bad_value_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SMALL.replace(**changes)
    assert message in str(refused.value)
    assert str(refused.value).endswith(".")


def test_border_values_are_taken() -> None:
    recipe = SMALL.replace(
        warmup_steps=SMALL.steps, accumulation=32, max_length=8, head_dropout=0.0,
        body_dropout=0.99, weight_decay=0.0, seed=0, keep_every=0,
    )  # fmt: skip
    assert recipe.accumulation == 32


@pytest.mark.usefixtures("without_shape_checks")
def test_every_field_has_a_meaning_and_every_name_a_recipe() -> None:
    assert list(FinetuningRecipe.meanings()) == [each.name for each in fields(FinetuningRecipe)]
    assert set(recipe_names()) == set(get_args(RecipeName))
    for task in TASKS:
        small = finetuning_recipe(task, "small")
        assert small.learning_rate >= 3 * finetuning_recipe(task).learning_rate
        assert small.steps < finetuning_recipe(task).steps
    with pytest.raises(ConfigError, match="name is 'big'; make it one of paper, google, small"):
        finetuning_recipe("sst2", "big")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="task is 'sst'"):
        finetuning_recipe("sst", "small")  # type: ignore[arg-type]


def test_a_recipe_goes_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    asked = finetuning_recipe("race", "small").replace(seed=5, eps=1e-8)
    path.write_text(
        "\n".join(f"{name} = {value!r}" for name, value in asked.to_dict().items()).replace(
            "'", '"'
        )
    )
    assert read_finetuning_recipe(path, "race") == asked
    assert read_finetuning_recipe(path, "race", steps=600).steps == 600
    path.write_text("steps = 4000")
    assert read_finetuning_recipe(path, "squad1") == finetuning_recipe("squad1").replace(steps=4000)


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "learning_rates = 1",
            "has no field learning_rates; it may have like, task, learning_rate",
        ),
        ('task = "mnli"', "is for the task 'mnli', not sst2"),
        ('like = "big"', "like is 'big'; make it one of paper, google, small"),
        ("steps = 0", "steps is 0; use a whole number"),
        ("steps = ", "is not TOML"),
    ],
)
def test_a_bad_file_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_finetuning_recipe(path, "sst2")
    assert str(path) in str(refused.value)
    assert message in str(refused.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_finetuning_recipe(tmp_path / "none.toml", "sst2")
