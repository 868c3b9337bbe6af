"""A card's measures and their intervals; random weights beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.experiments import card
from albert_lib.model import AlbertForPreTraining
from albert_lib.text import AlbertTokenizer


@pytest.fixture
def tokenizer() -> AlbertTokenizer:
    return AlbertTokenizer.from_pretrained("english-8k")


@pytest.fixture
def model(tokenizer: AlbertTokenizer) -> AlbertForPreTraining:
    torch.manual_seed(3)
    sizes: dict[str, Any] = {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 48}
    config = AlbertConfig(
        vocab_size=tokenizer.vocab_size, embedding_size=16, num_hidden_layers=1,
        max_position_embeddings=48, **sizes,
    )  # fmt: skip
    return AlbertForPreTraining(config).eval()


def test_held_out_measures_stand_within_their_intervals(
    model: AlbertForPreTraining, tokenizer: AlbertTokenizer, tmp_path: Any
) -> None:
    rng = np.random.default_rng(0)
    words = ("the", "old", "mill", "man", "walks", "river", "house", "and")
    documents = [[" ".join(rng.choice(words, size=9)) + "." for _ in range(20)] for _ in range(10)]
    store = TokenStore.build(tmp_path / "store", documents, tokenizer)
    rows = card.card_rows(
        model, tokenizer, lambda *both: card.held_out_measures(*both, store, n_rows=40)
    )
    labels = [row.measure.label for row in rows]
    assert labels == [
        "plain: loss", "plain: bits a byte", "plain: accuracy",
        "as trained: loss", "as trained: bits a byte", "as trained: accuracy", "SOP accuracy",
    ]  # fmt: skip
    for row in rows:
        assert row.measure.low <= row.measure.value <= row.measure.high
        assert row.measure.low < row.measure.high or row.measure.value in (0, 100)
    again = card.held_out_measures(card.random_weights(model), tokenizer, store, n_rows=40)
    assert [row.random for row in rows] == [measure.value for measure in again]
    assert rows[0].random != rows[0].measure.value, "other weights than the model's"


def test_the_interval_of_a_ratio_holds_it_as_often_as_it_says() -> None:
    """Rows of unequal size, whose fraction goes with their size."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        over = rng.integers(5, 20, size=120).astype(float)
        parts = rng.binomial(over.astype(int), over / 25).astype(float)
        low, high = card.ratio_interval(parts, over)
        sizes = np.arange(5, 20)
        true = (sizes * sizes / 25).sum() / sizes.sum()
        held += low <= true <= high
    assert 180 <= held <= 198


def test_random_weights_are_the_same_each_time_and_leave_the_generator(
    model: AlbertForPreTraining,
) -> None:
    state = torch.get_rng_state()
    one, other = card.random_weights(model), card.random_weights(model)
    assert torch.equal(torch.get_rng_state(), state)
    for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_cards_prompts_have_five_answers(
    model: AlbertForPreTraining, tokenizer: AlbertTokenizer
) -> None:
    found = dict(card.answers(model, tokenizer))
    assert list(found) == list(card.PROMPTS)
    assert all(len(words.split(", ")) == 5 for words in found.values())
