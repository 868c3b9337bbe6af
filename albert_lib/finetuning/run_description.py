"""The description of a fine-tuning run: what decides its weights, by which a saved one is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.finetuning.recipes import FinetuningRecipe
from albert_lib.model.weights import PretrainedModel
from albert_lib.training.precision import choose_precision
from albert_lib.training.same_run import describe_settings
from albert_lib.training.saved_tensors import weights

ORDER_VERSION = 1  # of which rows make a batch: raised when a seed gives other batches


def describe_finetuning(
    model: PretrainedModel, rows: Iterable[object], recipe: FinetuningRecipe
) -> dict[str, Any]:
    """Return, as JSON values, all that decides which weights a run ends with.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertModel
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> model = AlbertModel(AlbertConfig(
        ...     vocab_size=20, hidden_size=24, num_hidden_layers=1, intermediate_size=48))
        >>> list(describe_finetuning(model, ["a row"], finetuning_recipe("sst2")))
        ['recipe', 'parts', 'threads', 'model', 'kind', 'start', 'rows', 'batches', 'dtype']
    """
    return {
        **describe_settings(recipe.to_dict(), model.device),
        "model": model.config.to_dict(),
        "kind": type(model).__name__,
        "start": weights_fingerprint(pretrained_weights(model)),
        "rows": rows_fingerprint(rows),
        "batches": ORDER_VERSION,
        "dtype": choose_precision(model.device, recipe.precision).name,
    }


def pretrained_weights(model: PretrainedModel) -> dict[str, Tensor]:
    """Return the weights, by name, that a checkpoint must have: all but those of the head.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=20, hidden_size=24, num_hidden_layers=1, intermediate_size=48))
        >>> found = pretrained_weights(model)
        >>> "classifier.weight" in found, "albert.embeddings.word_embeddings.weight" in found
        (False, True)
    """
    may_be_new = tuple(f"{part}." for part in model.NEW_PARTS)
    return {n: each for n, each in weights(model).items() if not n.startswith(may_be_new)}


def weights_fingerprint(named: Mapping[str, Tensor]) -> str:
    """Return a hash of weights and their names.

    Example:
        >>> len(weights_fingerprint({"bias": torch.zeros(3)}))
        16
    """
    digest = hashlib.sha256()
    for name, tensor in named.items():
        content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(name.encode() + b"\0" + content.numpy().tobytes())
    return digest.hexdigest()[:16]


def rows_fingerprint(rows: Iterable[object]) -> str:
    """Return a hash of rows in their order: of their fields and arrays, or else of their `repr`.

    Example:
        >>> rows_fingerprint([(1, 2), (3,)]) == rows_fingerprint([(3,), (1, 2)])
        False
    """
    digest = hashlib.sha256()
    for row in rows:
        for content in _contents(row):
            digest.update(content + b"\0")
    return digest.hexdigest()[:16]


def _contents(value: object) -> Iterator[bytes]:
    """Yield what a value holds; an array in whole, of which `repr` would leave out the middle."""
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _contents(getattr(value, each.name))
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode() + value.tobytes()
    else:
        yield repr(value).encode()
