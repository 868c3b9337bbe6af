"""A recipe of eight steps, and what tests of pretraining have in common."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from albert_lib.model import AlbertForPreTraining
from albert_lib.training import History, Recipe, pretrain

SHORT = Recipe(
    steps=8, batch_size=4, sequence_length=32, learning_rate=0.02, warmup_steps=2,
    evaluate_every=3, evaluation_batches=2, checkpoint_every=2, precision="float32",
)  # fmt: skip
TIMED = "seconds"


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
