"""A recipe's checks, and its learning rate at every step against transformers' schedule."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from transformers import get_linear_schedule_with_warmup

from albert_lib.errors import ConfigError
from albert_lib.training import Recipe, warmup_linear


@pytest.mark.parametrize(("warmup", "total"), [(0, 7), (3, 20), (5, 5), (1, 2)])
def test_every_step_equals_transformers(warmup: int, total: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, total)
    for step in range(total + 3):
        ours = warmup_linear(step, peak=0.3, warmup_steps=warmup, total_steps=total)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-15)
        optimizer.step()
        schedule.step()


def test_the_papers_run() -> None:
    paper = {"peak": 0.00176, "warmup_steps": 3125, "total_steps": 125_000}
    assert warmup_linear(3125, **paper) == 0.00176
    assert warmup_linear((3125 + 125_000) // 2, **paper) == pytest.approx(0.00088, rel=1e-4)
    assert warmup_linear(125_000, **paper) == 0.0


WHOLE = (
    "steps", "batch_size", "sequence_length", "warmup_steps", "seed", "accumulation",
    "evaluate_every", "evaluation_batches", "checkpoint_every", "keep_every",
)  # fmt: skip
REAL = (
    "learning_rate", "weight_decay", "max_grad_norm", "short_sequence_probability",
    "average_decay",
)  # fmt: skip
SWITCHES = ("compile", "unigram_bias")


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [10.5, 32.0, True, "8", None, float("nan"), np.float64(8)])
def test_what_is_not_a_whole_number_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{name} is .*; make it a whole number"):
        Recipe(**{name: value})


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.1", None, 1j])
def test_what_is_not_a_finite_number_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{name} is .*; make it a finite number"):
        Recipe(**{name: value})


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("value", [1, "yes", None])
def test_a_switch_is_true_or_false(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{name} is .*; make it True or False"):
        Recipe(**{name: value})


@pytest.mark.usefixtures("without_shape_checks")
def test_masking_is_a_masking_config() -> None:
    with pytest.raises(ConfigError, match=r"masking is 0\.15; make it a MaskingConfig"):
        Recipe(masking=0.15)  # type: ignore[arg-type]


def test_every_number_of_the_recipe_is_checked() -> None:
    numbers = {n for n, v in Recipe().to_dict().items() if isinstance(v, (int, float))}
    assert numbers == {*WHOLE, *REAL, *SWITCHES}


@pytest.mark.usefixtures("without_shape_checks")
def test_numbers_of_numpy_become_those_of_python() -> None:
    recipe = Recipe(steps=np.int64(200), learning_rate=np.float32(0.5), weight_decay=0)
    assert json.loads(json.dumps(recipe.to_dict()))["steps"] == 200
    assert [type(v) for v in (recipe.steps, recipe.learning_rate, recipe.weight_decay)] == [
        int, float, float
    ]  # fmt: skip
