"""Models in and out of Hugging Face's folder format: config.json and model.safetensors."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from albert_lib.checksums import warn_of_changes
from albert_lib.config import AlbertConfig
from albert_lib.config_json import labels_of
from albert_lib.errors import CheckpointError, ConfigError, listed
from albert_lib.hub import resolve_folder
from albert_lib.model.encoder import AlbertEncoder
from albert_lib.model.names import POOLER, hugging_face_name
from albert_lib.model.saving import save
from albert_lib.model.weight_files import (
    check_left_over,
    check_shapes,
    number_type_of,
    read_tensors,
    refuse_overflow,
    weight_files,
)

Model = TypeVar("Model", bound="PretrainedModel")


class PretrainedModel(nn.Module):
    """What every ALBERT can do: be initialised, loaded, saved and counted."""

    # Parts that start anew, with a warning, when a folder does not have them.
    NEW_PARTS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def from_pretrained(
        cls: type[Model],
        name_or_path: str | os.PathLike[str],
        *,
        dtype: torch.dtype | str | None = None,
        **changes: Any,
    ) -> Model:
        """Load a folder in Hugging Face's format (config.json, model.safetensors) or a hub id.

        The model comes back in evaluation mode. Warns where the weights are not what a SHA256SUMS
        beside them says; other files may have been edited. Raises ConfigError for its config.json
        and for changes that are refused, CheckpointError when weights are missing, torn, or of
        another shape, DownloadError when a hub id cannot be had.

        Args:
            name_or_path: a folder, or the hub id of a published model.
            dtype: torch.bfloat16, "bfloat16", … or "auto", as saved; default: float32. Also
                known as `torch_dtype`.
            changes: fields of AlbertConfig to change, such as the labels of a new task or dropout
                rates; `num_labels` and `id2label` are understood too.

        Example:
            >>> import tempfile, torch
            >>> from albert_lib import AlbertConfig, AlbertModel
            >>> small = AlbertConfig(
            ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     AlbertModel(small).save_pretrained(folder)
            ...     AlbertModel.from_pretrained(folder, dtype=torch.bfloat16).dtype
            torch.bfloat16
        """
        return load(cls, name_or_path, dtype or changes.pop("torch_dtype", None), changes)

    def save_pretrained(self, path: str | os.PathLike[str]) -> None:
        """Write config.json, model.safetensors and SHA256SUMS into a folder, beside what is there.

        transformers reads the first two too, and KerasHub where there is a pooler. Raises
        ConfigError for what no other implementation can represent (partial sharing, other roundings
        of groups), CheckpointError where the folder cannot be written.

        Example:
            >>> import pathlib, tempfile
            >>> from albert_lib import AlbertConfig, AlbertModel
            >>> small = AlbertConfig(
            ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     AlbertModel(small).save_pretrained(folder)
            ...     sorted(file.name for file in pathlib.Path(folder).iterdir())
            ['SHA256SUMS', 'config.json', 'model.safetensors']
        """
        save(self.named_parameters(), self.config, type(self).__name__, path)

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Count the unique parameters; the arguments are those of transformers.

        Args:
            only_trainable: leave out what `requires_grad_(False)` froze.
            exclude_embeddings: leave out the three embedding tables.

        Example:
            >>> import torch
            >>> from albert_lib import AlbertConfig, AlbertModel
            >>> config = AlbertConfig.preset("albert-base-v2")
            >>> with torch.device("meta"):
            ...     AlbertModel(config).num_parameters() == config.num_parameters()
            True
        """
        tables = [m.weight for m in self.modules() if isinstance(m, nn.Embedding)]
        left_out = {id(table) for table in tables} if exclude_embeddings else set()
        return sum(
            parameter.numel()
            for parameter in self.parameters()
            if id(parameter) not in left_out and (parameter.requires_grad or not only_trainable)
        )

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return next(self.parameters()).dtype

    def initialise(self, part: nn.Module | None = None) -> None:
        """Draw normal weights with the configured deviation; zero biases and padding row.

        With `truncated_init`, Google's way, what falls beyond two deviations is drawn again.

        Example:
            >>> import torch
            >>> from albert_lib import AlbertConfig, AlbertModel
            >>> model = AlbertModel(AlbertConfig(
            ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
            >>> model.initialise()
            >>> model.pooler.bias.abs().max().item()
            0.0
        """
        std = self.config.initializer_range
        for module in _in_initialisation_order(self if part is None else part):
            if isinstance(module, nn.Linear | nn.Embedding):
                if self.config.truncated_init:
                    nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
                else:
                    nn.init.normal_(module.weight, std=std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                nn.init.zeros_(module.weight.data[module.padding_idx])
            if isinstance(module, nn.LayerNorm):  # the memory of a new part holds anything
                module.reset_parameters()


def _in_initialisation_order(module: nn.Module) -> Iterator[nn.Module]:
    """Go through modules as `modules()` does, but through an encoder by the kind of part."""
    yield module
    encoder = module if isinstance(module, AlbertEncoder) else None
    for child in module.children() if encoder is None else encoder.in_initialisation_order():
        yield from _in_initialisation_order(child)


def load(
    model_class: type[Model],
    name_or_path: str | os.PathLike[str],
    dtype: torch.dtype | str | None,
    changes: Mapping[str, Any],
) -> Model:
    """Read a folder into a new model; see PretrainedModel.from_pretrained.

    Example:
        >>> import tempfile
        >>> from albert_lib.model import AlbertModel
        >>> config = AlbertConfig(vocab_size=9, embedding_size=4, hidden_size=12)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     AlbertModel(config).save_pretrained(folder)
        ...     load(AlbertModel, folder, dtype=None, changes={}).config == config
        True
    """
    changes = _config_changes(model_class, changes)
    folder = resolve_folder(name_or_path, "weights")
    config = AlbertConfig.from_json(folder / "config.json").replace(**changes)
    tensors = read_tensors(folder)
    with torch.device("meta"), _WithoutRandomNumbers():  # shapes without memory
        model = model_class(config)
    wanted = {hugging_face_name(name, config): name for name, _ in model.named_parameters()}
    new = _settle_missing(folder, model, wanted.keys(), tensors.keys())
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    ours = {name: tensors[key] for key, name in wanted.items() if key in tensors}
    check_shapes(
        folder, model.NEW_PARTS, {k: shapes[n] for k, n in wanted.items() if n in ours}, tensors
    )
    check_left_over(folder, type(model).__name__, wanted.keys(), tensors.keys())
    number_type = number_type_of(dtype, ours)
    state = {name: tensor.to(number_type) for name, tensor in ours.items()}
    refuse_overflow(folder, state)
    model.load_state_dict(state, strict=False, assign=True)
    for part in new:
        part.to_empty(device="cpu")
        model.initialise(part)
        part.to(number_type)
    warn_of_changes(weight_files(folder))
    return model.eval()


# Arguments that users of transformers know, and what to write here.
_INSTEAD = {
    "output_hidden_states": "give it to the call: model(..., output_hidden_states=True)",
    "output_attentions": "give it to the call: model(..., output_attentions=True)",
    "return_dict": "leave it out, and call .to_tuple() on the output",
    "device_map": "move the model afterwards: model.to(device)",
    "revision": "write it into the name: name@revision",
    "cache_dir": "set the environment variable HF_HUB_CACHE",
    "local_files_only": "set the environment variable HF_HUB_OFFLINE=1",
    "token": "run `hf auth login`",
    "config": "give the fields that change, such as hidden_dropout_prob=0.1",
    "attn_implementation": "leave it out: the faster attention is chosen",
    "low_cpu_mem_usage": "leave it out: nothing is in memory twice",
    "use_safetensors": "leave it out: nothing else is read",
    "ignore_mismatched_sizes": "load AlbertModel and add a new head",
}


def _config_changes(model_class: type[PretrainedModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of AlbertConfig that arguments of from_pretrained change."""
    for name in given:
        if name in _INSTEAD:
            raise ConfigError(
                f"{model_class.__name__}.from_pretrained takes no {name}; {_INSTEAD[name]}."
            )
    label_keys = ("num_labels", "id2label", "label2id")
    changes = {name: value for name, value in given.items() if name not in label_keys}
    return {**changes, **labels_of(given)}


def _settle_missing(
    folder: Path, model: PretrainedModel, wanted: Collection[str], found: Collection[str]
) -> list[nn.Module]:
    """Decide about parameters that the folder lacks; return the parts that start anew.

    A task's head starts anew, which is how fine-tuning begins; a bare model loses its pooler;
    anything else that is missing, half a head too, means that the folder holds another kind of
    model.
    """
    missing = [key for key in wanted if key not in found]
    new: dict[str, list[str]] = {}
    fatal = []
    for key in missing:
        part = next((p for p in (*model.NEW_PARTS, POOLER) if key.startswith(f"{p}.")), None)
        if part is None or any(other.startswith(f"{part}.") for other in found):
            fatal.append(key)
        elif part in model.NEW_PARTS:
            new.setdefault(part, []).append(key)
        else:
            model.register_module("pooler", None)
    if fatal and not any(key.startswith("albert.") and key in found for key in wanted):
        raise CheckpointError(
            f"{folder} does not name its weights as Hugging Face's ALBERT does (they are "
            f"{listed(sorted(found))}); rename them, choose an ALBERT, or read Google's own "
            f"checkpoint with `python -m albert_lib convert`."
        )
    if fatal:
        raise CheckpointError(
            f"{folder} lacks {listed(fatal)}; load it as the kind of model it was saved as."
        )
    if new:
        names = [key for keys in new.values() for key in keys]
        warnings.warn(
            f"{folder} lacks {listed(names)}: new weights, to be trained before they are used.",
            stacklevel=4,
        )
    return [model.get_submodule(part) for part in new]


class _WithoutRandomNumbers(TorchFunctionMode):
    """Leave out initial weights that a file is about to replace.

    On the meta device drawing them computes nothing but would import a compiler (70 MB, 1 s).
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (nn.init.normal_, nn.init.uniform_):
            return kwargs["tensor"]
        return func(*args, **(kwargs or {}))
