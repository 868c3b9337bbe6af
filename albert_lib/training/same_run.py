"""Telling whether a saved run is the one asked for: only then may it be gone on with."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from albert_lib.corpus import TokenStore
from albert_lib.errors import CheckpointError
from albert_lib.model import AlbertForPreTraining
from albert_lib.text import AlbertTokenizer
from albert_lib.training import distributed
from albert_lib.training.checkpoint import Checkpoint
from albert_lib.training.precision import PRECISIONS, best_dtype
from albert_lib.training.recipe import Recipe

# What only decides when a run is looked at and saved, not what it computes.
MAY_CHANGE_ON_RESUME = ("evaluate_every", "evaluation_batches", "checkpoint_every")
# How a batch is cut: the sums are the same, but not the order of adding, nor dropout's draws.
CHANGES_ROUNDING = ("parts.processes", "parts.accumulation")
BATCHES = 2  # of how examples are drawn and ordered: raised when a seed gives other batches


def describe_run(
    model: AlbertForPreTraining, store: TokenStore, tokenizer: AlbertTokenizer, recipe: Recipe
) -> dict[str, Any]:
    """Return, as JSON values, all that decides which weights a run ends with."""
    device = next(model.parameters()).device
    names = {dtype: name for name, dtype in PRECISIONS.items()}
    automatic = recipe.precision == "auto"
    settings = recipe.to_dict()
    parts = {"processes": distributed.world_size(), "accumulation": settings.pop("accumulation")}
    return {
        "recipe": {k: v for k, v in settings.items() if k not in MAY_CHANGE_ON_RESUME},
        "parts": parts,
        "model": model.config.to_dict(),
        "tokenizer": tokenizer.fingerprint,
        "batches": BATCHES,
        "text": {
            "tokens": store.n_tokens,
            "sentences": store.n_sentences,
            "documents": store.n_documents,
            "fingerprint": store.fingerprint,
        },
        "dtype": names[best_dtype(device)] if automatic else recipe.precision,
    }


def check_same_run(checkpoint: Checkpoint, run: dict[str, Any]) -> None:
    """Raise CheckpointError naming the first setting in which a saved run differs from `run`.

    Batches cut otherwise are only warned of.
    """
    saved, asked = flatten(checkpoint.run), flatten(run)
    folder = checkpoint.folder.parent
    for name in dict.fromkeys([*saved, *asked]):
        if saved.get(name) == asked.get(name):
            continue
        difference = f"{name}={saved.get(name)!r}, but {asked.get(name)!r} was asked for"
        if name not in CHANGES_ROUNDING:
            raise CheckpointError(
                f"{folder} holds a run with {difference}; ask for the same or use a new output "
                f"folder."
            )
        if distributed.is_first():
            warnings.warn(
                f"{folder} holds a run with {difference}: it goes on with the same batches, but "
                f"other draws of dropout and other last digits.",
                stacklevel=3,
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
