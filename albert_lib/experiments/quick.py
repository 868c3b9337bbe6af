"""A model and a recipe for minutes on a laptop, found by measured trials.

The trials are in benchmarks/README.md; `python -m benchmarks.learning` trains by this recipe for
five minutes and compares. In minutes, what counts is the number of updates and of predictions a
second. So the layer is narrow and applied twice, sequences are short, batches small, and the
masking rate is 0.5 instead of 0.15. Muon leaves the second plateau in half the steps of AdamW.
"""

from __future__ import annotations

import time
from math import ceil

import torch

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.diagnosis import Measurements
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training.pretraining import pretrain
from albert_lib.training.recipe import Recipe

TRIAL_STEPS, SETTLING_STEPS = 60, 10
EVALUATIONS = 20  # in a run


def quick_config(vocab_size: int) -> AlbertConfig:
    """Return the small ALBERT that learns most in minutes: a layer of width 128, applied twice.

    Its initial weights are as large, for its width, as those of the published models for 768.
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
    """Return the recipe for `steps` steps of 16 x 48 positions."""
    return Recipe(
        steps=steps,
        batch_size=16,
        sequence_length=48,
        learning_rate=0.003,
        warmup_steps=max(1, steps // 20),
        optimizer="muon",
        masking=MaskingConfig(rate=0.5),
        evaluate_every=ceil(steps / EVALUATIONS),
        checkpoint_every=max(1, steps // 4),
    )


def steps_in(
    seconds: float,
    config: AlbertConfig,
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    held_out: TokenStore,
) -> int:
    """Return how many steps of the quick recipe this machine takes in `seconds`, by a trial.

    The number depends on this machine's speed at this moment, and with it the weights of a run
    of so many steps: a run whose numbers must be the same again takes a number of steps instead.
    Evaluations are included, and the time of the trial itself is subtracted. The model of the
    trial is thrown away; torch's generators stay as they were.
    """
    began = time.perf_counter()
    with torch.random.fork_rng():
        model = AlbertForPreTraining(config)
        recipe = quick_recipe(TRIAL_STEPS).replace(evaluate_every=TRIAL_STEPS)
        history = pretrain(
            model, store, tokenizer, recipe,
            held_out=held_out, measure=Measurements, progress=False,
        )  # fmt: skip
    taken = time.perf_counter() - began
    evaluation = taken - history.column("seconds").sum()
    pace = history.column("seconds")[SETTLING_STEPS:].mean()
    return max(TRIAL_STEPS, int((seconds - taken - EVALUATIONS * evaluation) / pace))
