"""Weights in and out of Hugging Face's folder format, through one table of names.

The published files hold every tensor under Hugging Face's name; ours are shorter. A rule of
the table maps one to the other, `{k}` standing for a layer set, which Hugging Face numbers by
group and by layer within the group.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import new_folder, resolve_folder, write_json

if TYPE_CHECKING:
    from albert_lib.model.albert import PretrainedModel

    Model = TypeVar("Model", bound=PretrainedModel)

_LAYER = "albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}"
NAMES: dict[str, str] = {  # ours → Hugging Face's
    "albert.embeddings.norm": "albert.embeddings.LayerNorm",
    "albert.embeddings": "albert.embeddings",
    "albert.encoder.embedding_projection": "albert.encoder.embedding_hidden_mapping_in",
    "albert.encoder.attentions.{k}.output": f"{_LAYER}.attention.dense",
    "albert.encoder.attentions.{k}": f"{_LAYER}.attention",
    "albert.encoder.attention_norms.{k}": f"{_LAYER}.attention.LayerNorm",
    "albert.encoder.ffns.{k}.expand": f"{_LAYER}.ffn",
    "albert.encoder.ffns.{k}.contract": f"{_LAYER}.ffn_output",
    "albert.encoder.ffn_norms.{k}": f"{_LAYER}.full_layer_layer_norm",
    "albert.pooler": "albert.pooler",
    "mlm_head.norm": "predictions.LayerNorm",
    "mlm_head": "predictions",
    "sop_head": "sop_classifier",
}
# The output matrix is the word embedding, so files may carry it twice or not at all.
_TIED = {"predictions.decoder.weight", "predictions.decoder.bias"}
_QUIRKS = {"albert.embeddings.position_ids"}  # a constant that old versions saved


def hugging_face_name(name: str, config: AlbertConfig) -> str:
    """Hugging Face's name of one of our parameters; first matching rule of NAMES."""
    for ours, theirs in NAMES.items():
        pattern = "^" + re.escape(ours).replace(r"\{k\}", r"(?P<k>\d+)") + r"(?=\.)"
        match = re.match(pattern, name)
        if match:
            k = int(match.groupdict().get("k") or 0)
            layers = 1 if config.sharing == "none" else config.inner_group_num
            prefix = theirs.format(group=k // layers, inner=k % layers)
            return prefix + name[match.end() :]
    raise KeyError(f"no rule names {name}")


def save(model: PretrainedModel, path: str | os.PathLike[str]) -> None:
    """Write `model` as config.json and model.safetensors, in one step."""
    config = exportable_config(model.config)
    bare = not any(name.startswith("albert.") for name, _ in model.named_parameters())
    tensors = {
        hugging_face_name(
            f"albert.{name}" if bare else name, model.config
        ): tensor.detach().contiguous()
        for name, tensor in model.named_parameters()
    }
    with new_folder(path) as folder:
        copy_companions(Path(path), folder)
        architecture = {"architectures": [type(model).__name__]}
        write_json(folder / "config.json", {**architecture, **config.to_dict()})
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def copy_companions(old: Path, new: Path) -> None:
    """Keep a tokenizer or card that already lies in the folder being rewritten."""
    if not old.is_dir():
        return
    for file in old.iterdir():
        if file.is_file() and file.name not in ("config.json", "model.safetensors"):
            (new / file.name).write_bytes(file.read_bytes())


def exportable_config(config: AlbertConfig) -> AlbertConfig:
    """The same model in terms that other libraries know: layers that share nothing are L groups.

    Raises ConfigError for the two partial sharings, which only this library can run.
    """
    if config.sharing == "none":
        return config.replace(sharing="all", num_hidden_groups=config.num_hidden_layers)
    if config.sharing != "all":
        raise ConfigError(
            f'A model with sharing="{config.sharing}" has no form in Hugging Face\'s format; '
            f"keep it as a training checkpoint (pretrain(..., output=folder))."
        )
    return config


def load(model_class: type[Model], name_or_path: str | os.PathLike[str]) -> Model:
    """Read a folder into a new model; see PretrainedModel.from_pretrained."""
    folder = resolve_folder(name_or_path)
    config = AlbertConfig.from_json(folder / "config.json")
    tensors = read_tensors(folder)
    with torch.device("meta"):  # shapes without memory: the file's tensors become the weights
        model = model_class(config)
    wanted = {}
    for name, parameter in model.named_parameters():
        prefixed = (
            name if name.startswith(("albert.", "mlm_head.", "sop_head.")) else f"albert.{name}"
        )
        wanted[hugging_face_name(prefixed, config)] = (name, tuple(parameter.shape))
    _check_fit(folder, {key: shape for key, (_, shape) in wanted.items()}, tensors)
    state = {name: tensors[key].float() for key, (name, _) in wanted.items()}
    model.load_state_dict(state, assign=True)
    return model.eval()


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder under Hugging Face's full names.

    A bare AlbertModel is saved there without the `albert.` prefix; it is put back.
    """
    file = folder / "model.safetensors"
    if not file.is_file():
        raise CheckpointError(_what_is_there_instead(folder))
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as problem:
        raise CheckpointError(
            f"{file} is damaged or cut short ({problem}); copy or download it again."
        ) from None
    heads = ("albert.", "predictions.", "sop_classifier.", "classifier.", "qa_outputs.")
    named = {
        key if key.startswith(heads) else f"albert.{key}": tensor for key, tensor in tensors.items()
    }
    if "predictions.bias" not in named and "predictions.decoder.bias" in named:
        named["predictions.bias"] = named["predictions.decoder.bias"]
    return {key: tensor for key, tensor in named.items() if key not in _TIED | _QUIRKS}


def _what_is_there_instead(folder: Path) -> str:
    if (folder / "pytorch_model.bin").is_file():
        return (
            f"{folder} holds pytorch_model.bin, a pickle that could run code when opened; convert "
            f"it where you trust it with transformers' save_pretrained, which writes "
            f"model.safetensors."
        )
    missing = folder / "model.safetensors"
    return f"{missing} does not exist; save or download the model into that folder."


def _check_fit(
    folder: Path, wanted: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Tensor]
) -> None:
    missing = [key for key in wanted if key not in tensors]
    if missing:
        raise CheckpointError(
            f"{folder} lacks {_listed(missing)}; load it as the kind of model it was saved as."
        )
    wrong = [
        f"{key} is {tuple(tensors[key].shape)} instead of {shape}"
        for key, shape in wanted.items()
        if tuple(tensors[key].shape) != shape
    ]
    if wrong:
        raise CheckpointError(
            f"{folder}: {_listed(wrong)}; its config.json and model.safetensors do not "
            f"belong together."
        )


def _listed(items: Iterable[str], most: int = 3) -> str:
    items = list(items)
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest
