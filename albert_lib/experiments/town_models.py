"""A model and a recipe that learn to read the Town, or its Hamlet, in a minute or less.

Found by trials (benchmarks/README.md): a narrow layer applied twice, many short sequences a step,
position embeddings that start as sine waves, and Muon. AdamW learns the sentences as fast, and
then takes several times as long to use one sentence for another, or never does: at a learning
rate of 0.003 it stays on that plateau. The Hamlet, with fewer sentences to learn, allows a higher
rate.

Position embeddings usually start as noise, and until the model has learned which positions are
neighbours it can only learn frequencies; sine waves tell from the start (Vaswani et al., 2017,
section 3.5). They are only the initial values of ALBERT's own table, and are trained like it.
"""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from albert_lib.config import AlbertConfig, Sharing
from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig, PretrainingBatches
from albert_lib.objectives.pair_objective import PairObjective
from albert_lib.text import AlbertTokenizer
from albert_lib.training.evaluation import held_out_columns
from albert_lib.training.history import History
from albert_lib.training.pretraining import pretrain
from albert_lib.training.recipe import Recipe

EVALUATION_BATCHES = 4  # held-out ones in each evaluation during training
LONGEST_WAVE = 1000.0  # positions, over 2π
WAVE_DEVIATION = 0.1  # as large as that of word embeddings, or larger
# The paper's masking rate, word by word, for which the Bayes-optimal loss can be computed.
MASKING = MaskingConfig(max_ngram=1)


def town_config(vocab_size: int) -> AlbertConfig:
    """Return a small ALBERT: one layer of width 128, applied twice."""
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
    """Return one half as wide and twice as deep: sharing costs most where the width is small."""
    return town_config(vocab_size).replace(
        embedding_size=64,
        hidden_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=256,
        sharing=sharing,
    )


def town_recipe(steps: int, sequence_length: int) -> Recipe:
    """Return the recipe for the whole Town, in so many steps of 64 whole documents."""
    return Recipe(
        steps=steps,
        batch_size=64,
        sequence_length=sequence_length,
        learning_rate=0.004,
        warmup_steps=max(1, steps // 10),
        optimizer="muon",
        masking=MaskingConfig(max_ngram=1, rate=0.35),
        short_sequence_probability=0.0,
        evaluate_every=0,
        checkpoint_every=0,
    )


def hamlet_recipe(
    steps: int, sequence_length: int, pair_objective: PairObjective = "sop"
) -> Recipe:
    """Return the recipe for the Hamlet: a higher learning rate and a lower masking rate."""
    return town_recipe(steps, sequence_length).replace(
        learning_rate=0.006,
        masking=MaskingConfig(max_ngram=1, rate=0.25),
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
    evaluate_every: int = 50,
    progress: bool = True,
) -> tuple[AlbertForPreTraining, History]:
    """Train a new model, whose weights and batches are drawn from `seed`.

    With `held_out`, every `evaluate_every` steps and at the end the model is evaluated on the
    first four of these batches, and their losses and accuracies join the history as "held_out_…".
    They have their own masking, whose floor may be known, not the recipe's.
    """
    model = new_town_model(config, seed)
    recipe = recipe.replace(seed=seed)
    if held_out is None:
        return model, pretrain(model, store, tokenizer, recipe, progress=progress)
    recipe = recipe.replace(evaluate_every=evaluate_every)
    evaluate = partial(held_out_columns, model, held_out, EVALUATION_BATCHES, torch.float32)
    history = pretrain(
        model, store, tokenizer, recipe, measure=lambda run: evaluate, progress=progress
    )
    return model, history


def new_town_model(config: AlbertConfig, seed: int) -> AlbertForPreTraining:
    """Return a model whose weights are drawn from `seed`; torch's generators stay as they were."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AlbertForPreTraining(config)
    start_positions_as_waves(model)
    return model


def start_positions_as_waves(model: AlbertForPreTraining) -> None:
    """Set the position embeddings to sines and cosines of wavelengths up to 1000 · 2π."""
    start_as_waves(model.albert.embeddings.position_embeddings.weight)


@torch.no_grad()
def start_as_waves(table: Float[Tensor, "positions E"]) -> None:
    """Set a table of position embeddings so.

    Example:
        >>> import torch
        >>> from albert_lib.experiments.town_models import start_as_waves
        >>> table = torch.empty(8, 4)
        >>> start_as_waves(table)
        >>> [round(each, 2) for each in table[0].tolist()]  # sines, then cosines, of angle 0
        [0.0, 0.0, 0.14, 0.14]
    """
    positions, width = table.shape
    wave = LONGEST_WAVE ** (-torch.arange(0, width, 2) / width)
    angle = torch.arange(positions)[:, None] * wave
    both = torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)[:, :width]
    table.copy_(both * 2**0.5 * WAVE_DEVIATION)
