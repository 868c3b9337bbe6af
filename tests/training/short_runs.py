"""A recipe of eight steps, and what tests of pretraining have in common."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
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

KILLED_RUN = """
import os, signal, sys, types
import torch
from albert_lib.model import AlbertForPreTraining
from albert_lib.corpus import TokenStore
from albert_lib.text import AlbertTokenizer
from albert_lib.training import Recipe, checkpoint, pretrain, pretraining
from albert_lib.config import AlbertConfig

world, output, threads, when, config, recipe = sys.argv[1:]
torch.set_num_threads(int(threads))

def die(*_, **__):
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

def on_step(row):
    if when == f"after step {row['step']}":
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
    Recipe.from_dict(eval(recipe)),
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


def pretrain_until_killed(world: Any, recipe: Recipe, output: Path, when: str) -> list[str]:
    """Run a recipe in a process of its own that kills itself; return the checkpoints it leaves."""
    config = world.model(dropout=0.1).config.to_dict()
    del config["model_type"]
    threads, given = torch.get_num_threads(), recipe.to_dict()
    arguments = [world.folder, output, threads, when, config, given]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *map(str, arguments)], capture_output=True, text=True
    )
    assert killed.returncode in (-getattr(signal, "SIGKILL", 9), 15), killed.stderr
    return sorted(path.name for path in output.glob("checkpoint-*"))
