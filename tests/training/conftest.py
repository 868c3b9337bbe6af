"""A tiny text with its vocabulary, its stores and a tiny model, made once a session."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.text import AlbertTokenizer

DAY = ("wakes", "eats", "works", "sings", "sleeps")
PEOPLE = ("the baker", "the miller", "the sailor", "the teacher", "the smith", "the widow")
PLACES = ("by the river", "at the mill", "in the harbour", "on the hill", "near the church")


@dataclass(frozen=True)
class TinyWorld:
    """What a pretraining run needs, very small."""

    folder: Path  # holds tokenizer, train and held-out
    tokenizer: AlbertTokenizer
    store: TokenStore
    held_out: TokenStore

    def model(self, dropout: float = 0.0, seed: int = 0) -> AlbertForPreTraining:
        """A new model with its own random weights, in training mode."""
        config = AlbertConfig(
            vocab_size=self.tokenizer.vocab_size,
            embedding_size=16,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=32,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return AlbertForPreTraining(config)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> TinyWorld:
    """Every inhabitant's day at every place, in the order of the day."""
    documents = [
        [f"{person} {deed} {place}." for deed in DAY]
        for person, place in itertools.product(PEOPLE, PLACES)
    ]
    tokenizer = AlbertTokenizer.train(itertools.chain.from_iterable(documents), 55)
    folder = tmp_path_factory.mktemp("world")
    tokenizer.save_pretrained(folder / "tokenizer")
    return TinyWorld(
        folder,
        tokenizer,
        TokenStore.build(folder / "train", documents[:-4], tokenizer),
        TokenStore.build(folder / "held-out", documents[-4:], tokenizer),
    )
