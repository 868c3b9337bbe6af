"""Models in and out of Hugging Face's folder format: config.json and model.safetensors."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from albert_lib.config import AlbertConfig
from albert_lib.errors import CheckpointError, ConfigError, listed
from albert_lib.files import folder_to_write, new_file, write_json
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE, resolve_folder
from albert_lib.model.encoder import layer_groups
from albert_lib.model.names import HEADS, hugging_face_name
from albert_lib.model.weight_files import read_tensors

if TYPE_CHECKING:
    from albert_lib.model.pretrained import PretrainedModel

    Model = TypeVar("Model", bound=PretrainedModel)

_POOLER = "albert.pooler"


def save(model: PretrainedModel, path: str | os.PathLike[str]) -> None:
    """Write `model` as config.json and model.safetensors, each in one step."""
    config = exportable_config(model.config)
    tensors = {
        hugging_face_name(name, model.config): tensor.detach().contiguous()
        for name, tensor in model.named_parameters()
    }
    if not model.config.has_projection:  # no other library leaves it out; an identity is the same
        prefix = "albert.encoder.embedding_hidden_mapping_in"
        tensors[f"{prefix}.weight"] = torch.eye(config.hidden_size)
        tensors[f"{prefix}.bias"] = torch.zeros(config.hidden_size)
    folder = folder_to_write(path)
    architecture = {"architectures": [type(model).__name__]}
    try:
        with new_file(folder / WEIGHTS_FILE) as file:
            save_file(tensors, file, metadata={"format": "pt"})
        write_json(folder / "config.json", {**architecture, **config.to_dict()})
    except (OSError, SafetensorError) as problem:
        raise CheckpointError(
            f"{folder} could not be written ({problem}); free some disk space or save elsewhere."
        ) from None
    # Weights in several files, of a model that lay there before, belong to it no more.
    for old in [folder / INDEX_FILE, *folder.glob("model-?????-of-?????.safetensors")]:
        old.unlink(missing_ok=True)


def exportable_config(config: AlbertConfig) -> AlbertConfig:
    """The same model in terms that other libraries know: layers that share nothing are L groups.

    Raises ConfigError for what only this library can run: the two partial sharings, and layers
    dealt out to groups otherwise than Hugging Face's rounding does it.
    """
    if config.sharing not in ("all", "none"):
        raise ConfigError(
            f'A model with sharing="{config.sharing}" has no form in Hugging Face\'s format; '
            f"keep it as a training checkpoint (pretrain(..., output=folder))."
        )
    if config.sharing == "none":
        config = config.replace(sharing="all", num_hidden_groups=config.num_hidden_layers)
    elif layer_groups(config) != layer_groups(config.replace(group_rounding="huggingface")):
        raise ConfigError(
            f"Hugging Face would deal {config.num_hidden_layers} layers out to "
            f"{config.num_hidden_groups} groups otherwise than "
            f'group_rounding="{config.group_rounding}"; use "huggingface" to share the model.'
        )
    return config.replace(project_equal_widths=True, group_rounding="huggingface")


def load(
    model_class: type[Model], name_or_path: str | os.PathLike[str], changes: Mapping[str, Any]
) -> Model:
    """Read a folder into a new model; see PretrainedModel.from_pretrained."""
    folder = resolve_folder(name_or_path, "weights")
    config = AlbertConfig.from_json(folder / "config.json").replace(**changes)
    tensors = read_tensors(folder)
    with torch.device("meta"), _WithoutRandomNumbers():  # shapes without memory
        model = model_class(config)
    wanted = {hugging_face_name(name, config): name for name, _ in model.named_parameters()}
    new = _settle_missing(folder, model, wanted.keys(), tensors.keys())
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    ours = {name: tensors[key] for key, name in wanted.items() if key in tensors}
    _check_shapes(folder, model, {k: shapes[n] for k, n in wanted.items() if n in ours}, tensors)
    _check_left_over(folder, model, wanted.keys(), tensors.keys())
    model.load_state_dict({name: t.float() for name, t in ours.items()}, strict=False, assign=True)
    for part in new:
        part.to_empty(device="cpu")
        model.initialise(part)
    return model.eval()


def _settle_missing(
    folder: Path, model: PretrainedModel, wanted: Iterable[str], found: Collection[str]
) -> list[nn.Module]:
    """Decide what becomes of parameters that the folder lacks; return the parts that start anew.

    A task's head starts anew, which is how fine-tuning begins; a bare model does without its
    pooler; anything else that is missing, half a head too, means that the folder holds another
    kind of model.
    """
    missing = [key for key in wanted if key not in found]
    new: dict[str, list[str]] = {}
    fatal = []
    for key in missing:
        part = next((p for p in (*model.NEW_PARTS, _POOLER) if key.startswith(f"{p}.")), None)
        if part is None or any(other.startswith(f"{part}.") for other in found):
            fatal.append(key)
        elif part in model.NEW_PARTS:
            new.setdefault(part, []).append(key)
        else:
            model.register_module("pooler", None)
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


def _check_shapes(
    folder: Path,
    model: PretrainedModel,
    wanted: Mapping[str, torch.Size],
    tensors: Mapping[str, Tensor],
) -> None:
    wrong = [key for key, shape in wanted.items() if tensors[key].shape != shape]
    if not wrong:
        return
    shapes = [
        f"{key} is {tuple(tensors[key].shape)} instead of {tuple(wanted[key])}" for key in wrong
    ]
    if all(key.startswith(tuple(f"{part}." for part in model.NEW_PARTS)) for key in wrong):
        raise CheckpointError(
            f"{folder}: {listed(shapes)}; load it as the kind of model, and with as many labels, "
            f"as it was saved."
        )
    raise CheckpointError(
        f"{folder}: {listed(shapes)}; its config.json and its weights do not belong together."
    )


def _check_left_over(
    folder: Path, model: PretrainedModel, wanted: Collection[str], found: Collection[str]
) -> None:
    """Say what the file holds beyond the model; another kind's head and pooler go without saying.

    Raises CheckpointError where what is left over is part of the encoder: the model would be
    another one than was saved.
    """
    others = tuple(
        f"{part}."
        for part in (*HEADS, _POOLER)
        if not any(key.startswith(f"{part}.") for key in wanted)
    )
    unknown = sorted(key for key in found if key not in wanted and not key.startswith(others))
    encoder = [k for k in unknown if k.startswith(("albert.encoder.", "albert.embeddings."))]
    if encoder:
        raise CheckpointError(
            f"{folder} also holds {listed(encoder)}, for which its config.json has no place; "
            f"config.json and the weights do not belong together."
        )
    if unknown:
        kind = type(model).__name__
        warnings.warn(
            f"{folder} also holds {listed(unknown)}, which no {kind} has; left aside.",
            stacklevel=4,
        )


class _WithoutRandomNumbers(TorchFunctionMode):
    """Leave out initial weights that a file is about to replace.

    On the meta device drawing them computes nothing but would import a compiler (70 MB, 1 s).
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (nn.init.normal_, nn.init.uniform_):
            return kwargs["tensor"]
        return func(*args, **(kwargs or {}))
