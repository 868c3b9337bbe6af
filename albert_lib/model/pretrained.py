"""What every ALBERT can do: be initialised, loaded, saved and counted."""

from __future__ import annotations

import os
from typing import Any, ClassVar, TypeVar

import torch
from torch import nn

from albert_lib.config import AlbertConfig
from albert_lib.model import weights

Model = TypeVar("Model", bound="PretrainedModel")


class PretrainedModel(nn.Module):
    """An ALBERT with its configuration, in Hugging Face's folder format on disk."""

    # Parts that start anew, with a warning, when a folder does not have them.
    NEW_PARTS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def from_pretrained(
        cls: type[Model], name_or_path: str | os.PathLike[str], **changes: Any
    ) -> Model:
        """Load a folder in Hugging Face's format (config.json, model.safetensors) or a hub id.

        `changes` replace fields of its configuration: the labels of a new task, dropout rates.
        The model comes back in float32 and in evaluation mode. Raises ConfigError for its
        config.json and for changes that cannot be, CheckpointError when weights are missing,
        torn, or of another shape, DownloadError when a hub id cannot be had.
        """
        return weights.load(cls, name_or_path, changes)

    def save_pretrained(self, path: str | os.PathLike[str]) -> None:
        """Write config.json and model.safetensors into a folder, beside what is there.

        transformers reads them too, and KerasHub where there is a pooler. Raises ConfigError for
        what no other implementation can represent (partial sharing, other roundings of groups),
        CheckpointError where the folder cannot be written.
        """
        weights.save(self, path)

    def num_parameters(self) -> int:
        """Unique trainable numbers, counted."""
        return sum(parameter.numel() for parameter in self.parameters())

    def initialise(self, part: nn.Module | None = None) -> None:
        """Normal weights with the configured deviation, zero biases, a zero padding row.

        With `truncated_init`, Google's way, what falls beyond two deviations is drawn again.
        """
        std = self.config.initializer_range
        for module in (self if part is None else part).modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                if self.config.truncated_init:
                    nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
                else:
                    nn.init.normal_(module.weight, std=std)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                with torch.no_grad():
                    module.weight[module.padding_idx].zero_()
