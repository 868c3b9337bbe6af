"""A model and a recipe for minutes on a laptop, found by measured trials.

The trials and what they showed are in benchmarks/README.md; `python -m benchmarks.learning` trains
by this recipe for five minutes and compares. In short: with minutes, what counts is how often the
weights are moved and how many answers they are asked for a second. So the layer is narrow and
applied twice, sequences are short, batches small, and half of the pieces are hidden instead of 15
of 100. Muon leaves the second plateau in half the steps that AdamW takes.
"""

from __future__ import annotations

import time
from math import ceil

import torch

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training.pretraining import pretrain
from albert_lib.training.recipe import Recipe

TRIAL_STEPS, SETTLING_STEPS = 60, 10
LOOKS = 20  # at held-out text in a run


def quick_config(vocab_size: int) -> AlbertConfig:
    """The small ALBERT that learns most in minutes: one layer of width 128, applied twice.

    Its initial weights have as large a deviation, for its width, as the published ones for 768.
    """
    return AlbertConfig(
        vocab_size=vocab_size,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=8,
        intermediate_size=512,
        initializer_range=0.05,
    )


def quick_recipe(steps: int) -> Recipe:
    """How to train it when there is time for `steps` steps of 16 x 48 positions."""
    return Recipe(
        steps=steps,
        batch_size=16,
        sequence_length=48,
        learning_rate=0.003,
        warmup_steps=max(1, steps // 20),
        optimizer="muon",
        masking=MaskingConfig(rate=0.5),
        evaluate_every=ceil(steps / LOOKS),
        checkpoint_every=max(1, steps // 4),
    )


def steps_in(
    seconds: float,
    config: AlbertConfig,
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    held_out: TokenStore,
) -> int:
    """How many steps of the quick recipe this machine takes in `seconds`, measured on a few.

    The looks at held-out text are reckoned with. The model that is measured on is thrown away;
    torch's generators stay as they were. What the measuring itself takes is subtracted.
    """
    began = time.perf_counter()
    with torch.random.fork_rng():
        model = AlbertForPreTraining(config)
        recipe = quick_recipe(TRIAL_STEPS).replace(evaluate_every=TRIAL_STEPS)
        history = pretrain(model, store, tokenizer, recipe, held_out=held_out, progress=False)
    taken = time.perf_counter() - began
    look = taken - history.column("seconds").sum()
    pace = history.column("seconds")[SETTLING_STEPS:].mean()
    return max(TRIAL_STEPS, int((seconds - taken - LOOKS * look) / pace))
