"""A small model with the shipped vocabulary, in this library and in transformers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from albert_lib.files import data_folder
from albert_lib.model import AlbertForMaskedLM
from albert_lib.probing import FillMask
from albert_lib.text import AlbertTokenizer


@pytest.fixture(scope="session")
def tokenizer() -> AlbertTokenizer:
    return AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")


@pytest.fixture(scope="session")
def model_folder(tokenizer: AlbertTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights written by transformers, wide enough that fills differ in probability."""
    folder = tmp_path_factory.mktemp("tiny-albert")
    config = transformers.AlbertConfig(
        vocab_size=tokenizer.vocab_size,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.AlbertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder / "vocabulary")
    for file in (folder / "vocabulary").iterdir():
        file.rename(folder / file.name)
    return folder


@pytest.fixture
def fill_mask(model_folder: Path, tokenizer: AlbertTokenizer) -> FillMask:
    return FillMask(AlbertForMaskedLM.from_pretrained(model_folder), tokenizer)


@pytest.fixture(scope="session")
def reference(model_folder: Path, tokenizer: AlbertTokenizer) -> transformers.Pipeline:
    """Transformers' own pipeline on the same weights and pieces."""
    pieces = list(zip(tokenizer.pieces, map(float, tokenizer.scores), strict=True))
    theirs = transformers.AlbertTokenizer(vocab=pieces, model_max_length=512)
    model = transformers.AlbertForMaskedLM.from_pretrained(model_folder)
    return transformers.pipeline("fill-mask", model=model, tokenizer=theirs)
