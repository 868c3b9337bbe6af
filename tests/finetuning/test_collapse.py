"""Collapsed runs are told, with their cause; healthy, young and falling ones are left alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from small_task import SHORT, WORDS, classifier, collate_words, word_rows

from albert_lib.config import AlbertConfig
from albert_lib.finetuning.collapse import find_collapse
from albert_lib.finetuning.finetune import finetune
from albert_lib.finetuning.models import Task
from albert_lib.finetuning.recipes import FinetuningRecipe, finetuning_recipe
from albert_lib.model import AlbertForSequenceClassification
from albert_lib.training import History

SST2 = finetuning_recipe("sst2").replace(warmup_steps=20)
BASE = AlbertConfig.preset("albert-base-v2")


def history_of(losses: Any) -> History:
    return History(
        [{"step": n, "loss": float(loss), "gradient_norm": 1.0} for n, loss in enumerate(losses, 1)]
    )


def noisy(level: float, steps: int, deviation: float = 0.03, seed: int = 0) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0, deviation, steps)


@pytest.mark.parametrize(("task", "classes"), [("sst2", 2), ("mnli", 3), ("race", 4)])
def test_a_loss_that_stays_at_guessing_is_told(task: Task, classes: int) -> None:
    recipe = finetuning_recipe(task).replace(warmup_steps=50)
    for seed in range(10):
        stuck = history_of(noisy(math.log(classes), 200, seed=seed))
        said = find_collapse(stuck, recipe, BASE)
        assert said is not None
        assert f"after 200 steps, where guessing has ln {classes} = " in said
        assert "The usual cause is too high a learning rate: try" in said
        above = history_of(noisy(math.log(classes) + 0.1, 200, deviation=0.1, seed=seed))
        assert find_collapse(above, recipe) is not None, "too high a rate swings above it"


def test_unbalanced_classes_have_a_lower_loss_of_guessing() -> None:
    share = 37_569 / 67_349  # SST-2's
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert find_collapse(history_of(noisy(entropy, 300)), SST2) is not None


def test_healthy_young_and_falling_runs_are_left_alone() -> None:
    ln2 = math.log(2)
    for seed in range(10):
        noise = noisy(0, 200, deviation=0.05, seed=seed)
        learned = 0.3 + 0.39 * np.exp(-np.arange(200) / 40) + noise
        assert find_collapse(history_of(learned), SST2, BASE) is None
        slow = ln2 - 0.0005 * np.arange(200) + noise / 5  # 0.64 on average in the last quarter
        assert find_collapse(history_of(slow), SST2, BASE) is None
        begins = np.concatenate([np.full(150, ln2), np.linspace(ln2, 0.66, 50)]) + noise / 20
        assert begins[150:].mean() > 0.97 * ln2
        assert find_collapse(history_of(begins), SST2, BASE) is None, "it begins to fall"
    flat = noisy(ln2, 400)
    assert find_collapse(history_of(flat[:49]), SST2) is None, "too young"
    assert find_collapse(history_of(flat[:50]), SST2) is not None
    in_warmup = SST2.replace(warmup_steps=301)
    assert find_collapse(history_of(flat), in_warmup) is None, "warm-up is hardly over"
    assert find_collapse(history_of(flat), SST2.replace(warmup_steps=300)) is not None
    assert find_collapse(History(), SST2) is None
    squad = finetuning_recipe("squad1").replace(warmup_steps=0)
    assert find_collapse(history_of(flat), squad) is None, "has no classes"


def test_what_was_learned_and_lost_again_is_told_as_such() -> None:
    losses = np.concatenate([noisy(0.69, 50), noisy(0.4, 100), noisy(0.7, 150)])
    said = find_collapse(history_of(losses), SST2, BASE)
    assert said is not None
    assert "though a quarter of the run had 0." in said
    assert "what it had learned is lost again." in said


def test_all_answers_null() -> None:
    squad2 = finetuning_recipe("squad2")
    said = find_collapse(history_of(noisy(2.0, 90)), squad2, predictions=[""] * 11_873)
    assert said is not None
    assert said.startswith("All 11873 questions are answered with nothing; the exact match")
    assert "50.07 on the development set of SQuAD 2.0. The usual cause is" in said
    squad1 = finetuning_recipe("squad1")
    said = find_collapse(History(), squad1, predictions=[""] * 20)
    assert said is not None
    assert said.startswith("All 20 questions are answered with nothing. The usual")
    assert find_collapse(History(), squad1, predictions=[""] * 19) is None
    assert find_collapse(History(), squad2, predictions=[*[""] * 200, "Denver"]) is None


def test_one_class_for_all() -> None:
    stuck = history_of(noisy(math.log(2), 200))
    said = find_collapse(stuck, SST2, predictions=["1"] * 872)
    assert said is not None
    assert "ln 2 = 0.69. All 872 predictions are '1'. The usual cause" in said
    young = find_collapse(History(), SST2, predictions=[0] * 200)
    assert young is not None
    assert young.startswith("All 200 predictions are 0. The usual")
    assert find_collapse(History(), SST2, predictions=[0] * 199 + [1]) is None


def test_one_class_from_a_run_that_learned_is_the_evaluations_fault() -> None:
    learned = history_of(noisy(0.25, 200))
    said = find_collapse(learned, SST2, predictions=["0"] * 872, from_scratch=True)
    assert said is not None
    assert "But the training loss fell to 0.25, so the run has learned: see that the dev" in said
    assert "No checkpoint" not in said


@pytest.mark.parametrize(
    ("recipe", "config", "cause"),
    [
        (SST2.replace(learning_rate=2e-5), "albert-xlarge-v2", "of 2e-05 is too high for many runs "
         "of a model 2048 wide, though the paper has one table for all sizes: try 5e-06"),
        (SST2.replace(learning_rate=1e-5), "albert-xlarge-v2", "The usual cause is too high"),
        (SST2.replace(learning_rate=4e-5), "albert-base-v2", "try 1e-05 instead of 4e-05"),
        (SST2.replace(batch_size=2), "albert-base-v2", "A batch has 2 rows, so a step is mostly"),
        (SST2.replace(batch_size=8), "albert-base-v2", "The usual cause is too high"),
    ],
)  # fmt: skip
def test_the_cause_is_in_the_numbers(recipe: FinetuningRecipe, config: str, cause: str) -> None:
    stuck = history_of(noisy(math.log(2), 200))
    said = find_collapse(stuck, recipe, AlbertConfig.preset(config))
    assert said is not None
    assert cause in said


def test_causes_that_are_surer_come_first() -> None:
    losses = noisy(math.log(2), 200)
    recipe = SST2.replace(batch_size=2, learning_rate=1e-3)
    early_v2 = AlbertConfig.preset("albert-xlarge-v2", hidden_dropout_prob=0.1)
    frozen = History([{"step": n, "loss": x, "gradient_norm": 0.0} for n, x in enumerate(losses)])
    said = [
        find_collapse(frozen, recipe, early_v2, from_scratch=True),
        find_collapse(frozen, recipe, early_v2),
        find_collapse(history_of(losses), recipe, early_v2),
        find_collapse(history_of(losses), recipe.replace(learning_rate=1e-5), early_v2),
        find_collapse(history_of(losses), SST2.replace(learning_rate=1e-5), early_v2),
    ]
    for sentence, cause in zip(
        said,
        [
            "No checkpoint was loaded",
            "No gradient reaches the weights",
            "A learning rate of 0.001 is too high",
            "A batch has 2 rows",
            "The encoder has dropout of 0.1, which models of version 2 were trained without",
        ],
        strict=True,
    ):
        assert sentence is not None
        assert cause in sentence


@pytest.mark.parametrize("learning_rate", [0.002, 0.5])
def test_real_runs_that_learn_and_that_collapse(learning_rate: float) -> None:
    recipe = SHORT.replace(
        steps=160, warmup_steps=16, batch_size=16, learning_rate=learning_rate, evaluate_every=0
    )
    model = classifier(recipe)
    history = finetune(model, word_rows(320), recipe, WORDS, progress=False)
    predictions = predictions_of(model)
    said = find_collapse(history, recipe, model.config, predictions=predictions)
    if learning_rate == 0.002:
        assert said is None
    else:
        assert said is not None
        assert "where guessing has ln 2 = 0.69" in said
        assert "All 100 predictions are " in said
        assert "try 0.12 instead of 0.5" in said


def predictions_of(model: AlbertForSequenceClassification) -> list[int]:
    batch = collate_words(word_rows(100, seed=3))
    logits = model(batch.ids, attention_mask=batch.mask).logits
    return [int(each) for each in logits.argmax(dim=1)]
