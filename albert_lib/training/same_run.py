"""Telling whether a saved run is the one asked for: only then may it be gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from albert_lib.errors import CheckpointError
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import TokenStore
from albert_lib.text import AlbertTokenizer
from albert_lib.training.checkpoint import Checkpoint
from albert_lib.training.precision import PRECISIONS, best_dtype
from albert_lib.training.recipe import Recipe

# What only decides when a run is looked at and saved, not what it computes.
MAY_CHANGE_ON_RESUME = ("evaluate_every", "evaluation_batches", "checkpoint_every")


def describe_run(
    model: AlbertForPreTraining, store: TokenStore, tokenizer: AlbertTokenizer, recipe: Recipe
) -> dict[str, Any]:
    """Return, as JSON values, all that decides which weights a run ends with."""
    device = next(model.parameters()).device
    names = {dtype: name for name, dtype in PRECISIONS.items()}
    automatic = recipe.precision == "auto"
    settings = recipe.to_dict()
    return {
        "recipe": {k: v for k, v in settings.items() if k not in MAY_CHANGE_ON_RESUME},
        "model": model.config.to_dict(),
        "tokenizer": tokenizer.fingerprint,
        "text": {"tokens": store.n_tokens, "sentences": store.n_sentences},
        "dtype": names[best_dtype(device)] if automatic else recipe.precision,
    }


def check_same_run(checkpoint: Checkpoint, run: dict[str, Any]) -> None:
    """Raise CheckpointError naming the first setting in which a saved run differs from `run`."""
    saved, asked = flatten(checkpoint.run), flatten(run)
    for name in dict.fromkeys([*saved, *asked]):
        if saved.get(name) != asked.get(name):
            raise CheckpointError(
                f"{checkpoint.folder.parent} holds a run with {name}={saved.get(name)!r}, but "
                f"{asked.get(name)!r} was asked for; ask for the same or use a new output folder."
            )


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings under dotted names: {"recipe": {"seed": 0}} → {"recipe.seed": 0}."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
