"""A model and a recipe that learn to read the Town, or its Hamlet, in a minute or less.

Found by trials (benchmarks/README.md): a narrow layer applied twice, many short sequences a step,
positions that begin as sine waves, and Muon. AdamW learns the sentences as fast, and then takes
several times as long to read from one sentence to the next, or never does: at 0.003 it stays on
that plateau. The Hamlet, with fewer sentences to learn, bears a higher rate.

Learnt position embeddings begin as noise, and until the model has found out which places are
neighbours it can only count; sine waves tell from the start (Vaswani et al., 2017, section 3.5).
They are but the initial values of ALBERT's own table, and are trained on like all others.
"""

from __future__ import annotations

import torch

from albert_lib.config import AlbertConfig
from albert_lib.config_checks import Sharing
from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig, PretrainingBatches
from albert_lib.objectives.pair_objective import PairObjective
from albert_lib.text import AlbertTokenizer
from albert_lib.training.history import History, Row
from albert_lib.training.pretraining import held_out_values, pretrain
from albert_lib.training.recipe import Recipe
from albert_lib.training.recording import is_due

LOOKS = 4  # held-out batches in a look at the curve
LONGEST_WAVE = 1000.0  # positions, over 2π
WAVE_DEVIATION = 0.1  # as large as word embeddings, or larger
MASKING = MaskingConfig(max_ngram=1)  # the paper's share, hidden so that the ideal reader is known


def town_config(vocab_size: int) -> AlbertConfig:
    """A small ALBERT: one layer of width 128, applied twice."""
    return AlbertConfig(
        vocab_size=vocab_size,
        embedding_size=128,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=8,
        intermediate_size=512,
        max_position_embeddings=128,
        initializer_range=0.05,
    )


def narrow_config(vocab_size: int, sharing: Sharing = "all") -> AlbertConfig:
    """Half as wide and twice as deep: what sharing costs shows where width is scarce."""
    return town_config(vocab_size).replace(
        embedding_size=64,
        hidden_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=256,
        sharing=sharing,
    )


def town_recipe(steps: int, sequence_length: int) -> Recipe:
    """How to train it on the whole Town, in so many steps of 64 whole documents."""
    return Recipe(
        steps=steps,
        batch_size=64,
        sequence_length=sequence_length,
        learning_rate=0.004,
        warmup_steps=max(1, steps // 10),
        optimizer="muon",
        masking=MaskingConfig(max_ngram=1, share=0.35),
        short_sequence_probability=0.0,
        evaluate_every=0,
        checkpoint_every=0,
    )


def hamlet_recipe(
    steps: int, sequence_length: int, pair_objective: PairObjective = "sop"
) -> Recipe:
    """The same for the Hamlet, which has fewer sentences to learn: faster, and less hidden."""
    return town_recipe(steps, sequence_length).replace(
        learning_rate=0.006,
        masking=MaskingConfig(max_ngram=1, share=0.25),
        pair_objective=pair_objective,
    )


def train_on_town(
    config: AlbertConfig,
    recipe: Recipe,
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    *,
    seed: int = 0,
    held_out: PretrainingBatches | None = None,
    every: int = 50,
    progress: bool = True,
) -> tuple[AlbertForPreTraining, History]:
    """Train a new model, whose weights and batches are drawn from `seed`.

    With `held_out`, every so many steps and at the end the first four of these batches are asked,
    and their losses and accuracies join the history as "held_out_…". They are hidden by their
    own rule, whose floor may be known, not by the recipe's.
    """
    model = new_town_model(config, seed)

    def look(row: Row) -> None:
        if held_out is not None and is_due(int(row["step"]), every, recipe.steps):
            row.update(held_out_values(model, held_out, LOOKS, torch.float32))

    recipe = recipe.replace(seed=seed)
    history = pretrain(model, store, tokenizer, recipe, progress=progress, on_step=look)
    return model, history


def new_town_model(config: AlbertConfig, seed: int) -> AlbertForPreTraining:
    """A fresh model whose weights are drawn from `seed`; torch's generators stay as they were."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AlbertForPreTraining(config)
    begin_with_waves(model)
    return model


@torch.no_grad()
def begin_with_waves(model: AlbertForPreTraining) -> None:
    """Set the position embeddings to sines and cosines of wave lengths up to 1000 · 2π."""
    table = model.albert.embeddings.position_embeddings.weight  # (positions, E)
    positions, width = table.shape
    wave = LONGEST_WAVE ** (-torch.arange(0, width, 2) / width)
    angle = torch.arange(positions)[:, None] * wave
    both = torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)[:, :width]
    table.copy_(both * 2**0.5 * WAVE_DEVIATION)
