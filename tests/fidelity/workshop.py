"""Folders to compare on: published shapes with random weights, or the published weights themselves.

With freshly initialised weights nearly every piece gets the same probability, and five answers
would be compared at random. Where a gap is filled, word embeddings are ten times as large: then
the favourite gets a few percent, as on the model card.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers

from albert_lib import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForMultipleChoice,
    AlbertForPreTraining,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
    AlbertTokenizer,
    FillMask,
)
from albert_lib.files import data_folder, project_folder
from albert_lib.model.weights import PretrainedModel

HEADS: dict[str, type[PretrainedModel]] = {
    "pretraining": AlbertForPreTraining,
    "masked LM": AlbertForMaskedLM,
    "sequence classification": AlbertForSequenceClassification,
    "question answering": AlbertForQuestionAnswering,
    "multiple choice": AlbertForMultipleChoice,
}
SHARP = 10.0


class Workshop:
    """Makes each folder once and removes all of them at the end."""

    def __init__(self, preset: str, vocabulary: Path | None = None) -> None:
        """`preset` is the shape that most rows use; `vocabulary` a folder with a spiece.model."""
        self.preset = preset
        self.tokenizer = AlbertTokenizer.from_pretrained(
            vocabulary or data_folder() / "tokenizers" / "english-8k"
        )
        self._scratch = tempfile.TemporaryDirectory()
        self.folder = cache(self._make_folder)
        self.fill_mask = cache(
            lambda: FillMask.from_pretrained(self.folder(self.preset, sharpness=SHARP))
        )
        self.pipeline: Any = cache(self._make_pipeline)

    def config(self, preset: str, **changes: Any) -> AlbertConfig:
        """A published configuration with this vocabulary's size."""
        size = self.tokenizer.vocab_size
        return AlbertConfig.preset(preset).replace(vocab_size=size, **changes)

    def scratch(self, name: str) -> Path:
        """A path of its own for a row to write to."""
        return Path(self._scratch.name, name)

    def close(self) -> None:
        """Remove everything that was made."""
        self._scratch.cleanup()

    @torch.no_grad()
    def _make_folder(
        self, preset: str, head: str = "pretraining", sharpness: float = 1.0, **changes: Any
    ) -> Path:
        torch.manual_seed(0)
        model = HEADS[head](self.config(preset, **changes))
        model.get_parameter("albert.embeddings.word_embeddings.weight").mul_(sharpness)
        # Random numbers may not start out as published ones, but biases are never all zero.
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
        folder = self.scratch(f"{preset} {head} {sharpness} {len(changes)}")
        model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        return folder

    def _make_pipeline(self) -> Any:
        return transformers.pipeline(
            "fill-mask", model=str(self.folder(self.preset, sharpness=SHARP))
        )


def theirs(kind: str, folder: Path) -> Any:
    """The folder as transformers reads it; an error if it finds anything missing."""
    model, found = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True)
    if found["missing_keys"] or found["mismatched_keys"]:
        raise AssertionError(f"transformers misses {found['missing_keys']} in {folder}")
    return model.eval()


def published_vocabulary() -> Path | None:
    """The folder with the published spiece.model, if this machine has it."""
    data = Path(os.environ.get("ALBERT_SHARED_DATA", project_folder().parent / "shared" / "data"))
    return data / "albert" if (data / "albert" / "spiece.model").is_file() else None


def quiet() -> None:
    """No progress bars and advice from transformers between the lines of a table."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", module="transformers")
