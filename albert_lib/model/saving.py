"""A model as a folder in Hugging Face's format, which other libraries read too."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from albert_lib.checksums import sums_renewed
from albert_lib.config import AlbertConfig
from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import folder_to_write, new_file, write_json
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE
from albert_lib.model.names import hugging_face_name

CONFIG_FILE = "config.json"


def save(
    parameters: Iterable[tuple[str, Tensor]],
    config: AlbertConfig,
    architecture: str,
    path: str | os.PathLike[str],
) -> None:
    """Write a model as config.json, model.safetensors and SHA256SUMS, each in one step.

    The errors are those of PretrainedModel.save_pretrained.

    Example:
        >>> import tempfile
        >>> from albert_lib.model import AlbertModel
        >>> config = AlbertConfig(vocab_size=9, embedding_size=4, hidden_size=12)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(AlbertModel(config).named_parameters(), config, "AlbertModel", folder)
        ...     sorted(os.listdir(folder))
        ['SHA256SUMS', 'config.json', 'model.safetensors']
    """
    exported = exportable_config(config)
    tensors = tensors_to_save(parameters, config)
    folder = folder_to_write(path)
    # Weights in several files, of a model that lay there before, belong to it no more.
    old = [folder / INDEX_FILE, *folder.glob("model-?????-of-?????.safetensors")]
    content = {"architectures": [architecture], **exported.to_dict()}
    try:
        with sums_renewed(folder, [CONFIG_FILE, WEIGHTS_FILE, *(file.name for file in old)]):
            with new_file(folder / WEIGHTS_FILE) as file:
                save_file(tensors, file, metadata={"format": "pt"})
            write_json(folder / CONFIG_FILE, content)
            for file in old:
                file.unlink(missing_ok=True)
    except (OSError, SafetensorError) as problem:
        raise CheckpointError(
            f"{folder} could not be written ({problem}); free some disk space or save elsewhere."
        ) from None


def tensors_to_save(
    parameters: Iterable[tuple[str, Tensor]], config: AlbertConfig
) -> dict[str, Tensor]:
    """The parameters by the names of Hugging Face's files, and what other libraries ask for.

    Example:
        >>> weight = torch.zeros(2, 2)
        >>> list(tensors_to_save([("albert.pooler.weight", weight)], AlbertConfig()))
        ['albert.pooler.weight']
    """
    tensors = {
        hugging_face_name(name, config): tensor.detach().contiguous() for name, tensor in parameters
    }
    if not config.has_projection:  # no other library leaves it out; an identity is the same
        prefix = "albert.encoder.embedding_hidden_mapping_in"
        tensors[f"{prefix}.weight"] = torch.eye(config.hidden_size)
        tensors[f"{prefix}.bias"] = torch.zeros(config.hidden_size)
    return tensors


def exportable_config(config: AlbertConfig) -> AlbertConfig:
    """The same model in terms that other libraries know: layers that share nothing are L groups.

    Raises ConfigError for what only this library can run: the two partial sharings, and layers
    dealt out to groups differently than Hugging Face's rounding does it.

    Example:
        >>> exportable_config(AlbertConfig(sharing="none", num_hidden_layers=6)).num_hidden_groups
        6
    """
    if config.sharing not in ("all", "none"):
        raise ConfigError(
            f'A model with sharing="{config.sharing}" has no form in Hugging Face\'s format; '
            f"keep it as a training checkpoint (pretrain(..., output=folder))."
        )
    if config.sharing == "none":
        config = config.replace(sharing="all", num_hidden_groups=config.num_hidden_layers)
    elif config.layer_groups() != config.replace(group_rounding="huggingface").layer_groups():
        raise ConfigError(
            f"Hugging Face would divide {config.num_hidden_layers} layers among "
            f"{config.num_hidden_groups} groups differently than "
            f'group_rounding="{config.group_rounding}"; use "huggingface" to share the model.'
        )
    return config.replace(project_equal_widths=True, group_rounding="huggingface")
