"""The description of a run, and whether a saved run is the same: only then may it be resumed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from albert_lib.corpus import TokenStore
from albert_lib.errors import CheckpointError
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training import distributed
from albert_lib.training.checkpoint import (
    Checkpoint,
    check_writable,
    checkpoints,
    load_latest_for_all,
)
from albert_lib.training.precision import choose_precision
from albert_lib.training.recipe import Recipe
from albert_lib.training.run_lock import alone_in

# What only decides when a run is evaluated and saved, not what it computes.
MAY_CHANGE_ON_RESUME = ("evaluate_every", "evaluation_batches", "checkpoint_every", "keep_every")
# The sums are the same, but not the order of addition; where a batch is cut otherwise, dropout's
# draws are not either.
CHANGES_ROUNDING = {
    "parts.processes": "other draws of dropout and other last digits",
    "parts.accumulation": "other draws of dropout and other last digits",
    "threads": "other last digits",
}
BATCHES_VERSION = 2  # of how examples are drawn: raised when a seed gives other batches
# Fields of a recipe that older versions saved under another name.
RENAMED_MASKING_FIELDS = {"share": "rate"}
# … and those that they did not have, with the values that leave a run as it was.
NOTHING_CHANGES = {"stages": [], "average_decay": 0.0, "unigram_bias": False}


def describe_run(
    model: AlbertForPreTraining, store: TokenStore, tokenizer: AlbertTokenizer, recipe: Recipe
) -> dict[str, Any]:
    """Return, as JSON values, all that decides which weights a run ends with."""
    device = next(model.parameters()).device
    return {
        **describe_settings(recipe.to_dict(), device),
        "model": model.config.to_dict(),
        "tokenizer": tokenizer.fingerprint,
        "batches": BATCHES_VERSION,
        "text": {
            "tokens": store.n_tokens,
            "sentences": store.n_sentences,
            "documents": store.n_documents,
            "fingerprint": store.fingerprint,
        },
        "dtype": choose_precision(device, recipe.precision).name,
    }


def describe_settings(recipe: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """Return a recipe's fields, as JSON values, how its batches are cut, and the CPU's threads.

    Example:
        >>> gpu = torch.device("cuda")
        >>> describe_settings({"steps": 8, "accumulation": 2, "evaluate_every": 4}, gpu)
        {'recipe': {'steps': 8}, 'parts': {'processes': 1, 'accumulation': 2}, 'threads': None}
    """
    settings = json.loads(json.dumps(recipe))
    parts = {"processes": distributed.world_size(), "accumulation": settings.pop("accumulation")}
    kept = {name: v for name, v in settings.items() if name not in MAY_CHANGE_ON_RESUME}
    threads = torch.get_num_threads() if device.type == "cpu" else None
    return {"recipe": kept, "parts": parts, "threads": threads}


def find_same_run(
    folder: Path, description: dict[str, Any]
) -> tuple[Checkpoint | None, dict[str, Any]]:
    """Return the last checkpoint in a run's folder, if there is one, and the run's description.

    The precision of a run stays what it was at its first start, though this machine might choose
    another. Raises CheckpointError when the folder cannot be written to, is being written, or
    holds another run, or a model alone.
    """
    if distributed.is_first():
        check_writable(folder)
        with alone_in(folder):  # a second run hears of it now; `train` holds the lock
            refuse_to_replace(folder)
    checkpoint = load_latest_for_all(folder)
    if checkpoint is None:
        return None, description
    description = {**description, "dtype": checkpoint.run.get("dtype")}
    check_same_run(checkpoint, description)
    return checkpoint, description


def refuse_to_replace(folder: Path) -> None:
    """Raise CheckpointError for a model in a run's folder that no run there can have made."""
    if (folder / "model").exists() and not checkpoints(folder):
        raise CheckpointError(
            f"{folder / 'model'} is there, without a checkpoint of the run that made it, and would "
            f"be replaced; name another output folder, or move it away."
        )


def with_current_names(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a saved run's description under the names that the recipe has today.

    What the recipe of an older version could not say has the value that changes nothing. Runs
    that mask nothing, of fine-tuning, have no other names.
    """
    if "masking" not in run.get("recipe", {}):
        return dict(run)
    recipe = {**NOTHING_CHANGES, **run["recipe"]}
    today = {each.name for each in fields(MaskingConfig)}
    masking = {
        RENAMED_MASKING_FIELDS[name] if RENAMED_MASKING_FIELDS.get(name) in today else name: value
        for name, value in recipe["masking"].items()
    }
    return {**run, "recipe": {**recipe, "masking": masking}}


def check_same_run(checkpoint: Checkpoint, run: dict[str, Any]) -> None:
    """Raise CheckpointError naming the first setting in which a saved run differs from `run`.

    A batch that is cut otherwise, and another number of threads, are only warned of.
    """
    saved, requested = flatten(with_current_names(checkpoint.run)), flatten(run)
    folder = checkpoint.folder.parent
    for name in dict.fromkeys([*saved, *requested]):
        if saved.get(name) == requested.get(name):
            continue
        if name == "threads" and None in (saved.get(name), requested.get(name)):
            continue  # of an older version, or on an accelerator
        difference = f"{name}={saved.get(name)!r}, but {requested.get(name)!r} was requested"
        if name not in CHANGES_ROUNDING:
            raise CheckpointError(
                f"{folder} holds a run with {difference}; request the same or use a new output "
                f"folder."
            )
        if distributed.is_first():
            warnings.warn(
                f"{folder} holds a run with {difference}: it resumes with the same batches, but "
                f"{CHANGES_ROUNDING[name]}.",
                stacklevel=4,
            )


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings under dotted names; those of a list are counted from 1.

    Example:
        >>> flatten({"recipe": {"seed": 0, "stages": [{"steps": 8}]}, "dtype": "float32"})
        {'recipe.seed': 0, 'recipe.stages.1.steps': 8, 'dtype': 'float32'}
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            value = {str(number): each for number, each in enumerate(value, 1)}
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
