"""A pretrained model with a task's head: what is new in it is said, what is missing refused."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from albert_lib.errors import ConfigError
from albert_lib.finetuning.recipes import FinetuningRecipe
from albert_lib.model.weights import PretrainedModel

LoadedModel = TypeVar("LoadedModel", bound=PretrainedModel)
NEW_WEIGHTS = "new weights, to be trained"  # how the warning of a head that starts anew goes on


def load_to_finetune(
    model_class: type[LoadedModel],
    name_or_path: str | os.PathLike[str],
    recipe: FinetuningRecipe,
    *,
    announce: Callable[[str], object] = print,
    **changes: Any,
) -> LoadedModel:
    """Load a checkpoint as a task's model, with the recipe's dropout and a head drawn by its seed.

    With Google's scripts an empty path trains from scratch without a word (google-research/albert
    issue 132). Here only the head may be new, and the pooler where there is none: `announce` is
    called with a sentence that names them. CheckpointError, with the key, for all else that is
    missing or of another shape. `changes` are fields of AlbertConfig, such as the labels.

    Example:
        >>> import tempfile
        >>> from albert_lib import AlbertConfig, AlbertForPreTraining
        >>> from albert_lib import AlbertForSequenceClassification
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> small = AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48)
        >>> told = []
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     AlbertForPreTraining(small).save_pretrained(folder)
        ...     model = load_to_finetune(
        ...         AlbertForSequenceClassification, folder, finetuning_recipe("mnli"),
        ...         announce=told.append, labels=("contradiction", "entailment", "neutral"))
        >>> model.classifier.weight.shape, told[0].partition(" lacks ")[2]
        (torch.Size([3, 24]), 'classifier.weight, classifier.bias: new weights, drawn with seed 0.')
    """
    with warnings.catch_warnings(record=True) as caught, torch.random.fork_rng(devices=[]):
        warnings.simplefilter("always")
        torch.manual_seed(recipe.seed)
        model = model_class.from_pretrained(name_or_path, **{**recipe.model_changes(), **changes})
    for warning in caught:
        _announce_or_warn(warning, recipe.seed, announce)
    return model


def _announce_or_warn(
    warning: warnings.WarningMessage, seed: int, announce: Callable[[str], object]
) -> None:
    """Announce what is new in a model; pass on a warning that says something else."""
    said, is_new, _ = str(warning.message).partition(NEW_WEIGHTS)
    if not is_new:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        return
    announce(f"{said}new weights, drawn with seed {seed}.")
    if "albert.pooler." in said:
        announce(
            "The pooler is among them: this checkpoint was saved without one, and a pretrained "
            "pooler usually scores higher."
        )


def check_model(model: PretrainedModel, recipe: FinetuningRecipe, *, from_scratch: bool) -> None:
    """Raise ConfigError unless a model can be trained by a recipe, and was trained before.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> check_model(model, finetuning_recipe("sst2"), from_scratch=True)
    """
    kind, config = type(model).__name__, model.config
    for name, rate in recipe.model_changes().items():
        if getattr(config, name) != rate:
            raise ConfigError(
                f"{name} is {getattr(config, name)} in the model and {rate} by the recipe; load it "
                f"with load_to_finetune({kind}, ...), or change the recipe."
            )
    positions = config.max_position_embeddings
    if recipe.max_length > positions:
        raise ConfigError(
            f"max_length is {recipe.max_length}, but the model has {positions} positions; use "
            f"recipe.clamped({positions})."
        )
    if not from_scratch and is_untrained(model):
        raise ConfigError(
            f"This {kind} has never been trained: its LayerNorms are as they were made. Load a "
            f"checkpoint, or say from_scratch=True."
        )


def is_untrained(model: nn.Module) -> bool:
    """Whether every LayerNorm of a model is as it was made: scales of 1 and shifts of 0, exactly.

    A single step of training changes them, of pretraining or of anything else.

    Example:
        >>> norm = nn.LayerNorm(4)
        >>> is_untrained(norm)
        True
        >>> _ = nn.init.constant_(norm.bias, 1e-9)
        >>> is_untrained(norm)
        False
    """
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    return all(bool((norm.weight == 1).all() and (norm.bias == 0).all()) for norm in norms)
