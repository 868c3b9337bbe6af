"""Small models with random weights, as they are in memory, as folders, and as ONNX."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer
from albert_lib.commands.export import export


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, english_tokenizer: AlbertTokenizer) -> Path:
    """A pretraining model and its tokenizer."""
    path = tmp_path_factory.mktemp("small") / "model"
    torch.manual_seed(0)
    config = AlbertConfig(
        vocab_size=8000,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
    )
    AlbertForPreTraining(config).save_pretrained(path)
    english_tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def exported_once(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as ONNX."""
    path = tmp_path_factory.mktemp("exported") / "model"
    export(str(folder), path)
    return path


@pytest.fixture
def exported(exported_once: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(exported_once, tmp_path / "exported"))
