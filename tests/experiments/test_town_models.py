"""A model of the Town: how it begins, and what the variations are asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from albert_lib.corpus import TokenStore
from albert_lib.experiments.town_models import (
    WAVE_DEVIATION,
    hamlet_recipe,
    start_positions_as_waves,
    town_config,
    train_on_town,
)
from albert_lib.experiments.variations import Variation, held_out_batches, train_variation
from albert_lib.model import AlbertForPreTraining
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet


@pytest.fixture(scope="module")
def hamlet():
    return Town(0.5, seed=1, world=load_hamlet())


@pytest.fixture(scope="module")
def store(hamlet, tmp_path_factory):
    path = tmp_path_factory.mktemp("hamlet") / "days"
    return TokenStore.build(path, hamlet.documents(600), hamlet.tokenizer)


def test_positions_begin_as_waves_in_which_neighbours_are_alike():
    model = AlbertForPreTraining(town_config(100))
    start_positions_as_waves(model)
    table = model.albert.embeddings.position_embeddings.weight.detach()
    torch.testing.assert_close(
        table.square().mean().sqrt().item(), WAVE_DEVIATION, rtol=1e-4, atol=0
    )
    alike = torch.nn.functional.cosine_similarity(table[20:21], table[20:29], dim=1)
    assert (alike[:-1] > alike[1:]).all()
    # the same distance is the same likeness, wherever it lies
    torch.testing.assert_close(table[3] @ table[8], table[50] @ table[55], rtol=1e-3, atol=1e-5)


def test_the_same_seed_gives_the_same_model_and_leaves_the_generator(hamlet, store):
    length = hamlet.world.sequence_length
    before = torch.random.get_rng_state()
    models = [
        train_on_town(
            town_config(hamlet.tokenizer.vocab_size),
            hamlet_recipe(4, length),
            store,
            hamlet.tokenizer,
            seed=seed,
            progress=False,
        )[0]
        for seed in (1, 1, 2)
    ]
    weights = [torch.nn.utils.parameters_to_vector(model.parameters()) for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_look_asks_the_held_out_questions_as_they_are_hidden(hamlet, store):
    _, history = train_on_town(
        town_config(hamlet.tokenizer.vocab_size),
        hamlet_recipe(5, hamlet.world.sequence_length),
        store,
        hamlet.tokenizer,
        held_out=held_out_batches(store, hamlet),
        evaluate_every=2,
        progress=False,
    )
    steps, losses = history.curve("held_out_mlm_loss")
    assert list(steps) == [2, 4, 5]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("sharing", "pairs"), [("none", "sop"), ("ffn", "sop"), ("all", "nsp"), ("all", "none")]
)
def test_every_variation_is_trained_and_asked_both_questions(sharing, pairs, hamlet, store):
    variation = Variation(sharing, pairs, seed=1, steps=3)
    outcome = train_variation(variation, hamlet.world, store.folder, store.folder)
    assert outcome.variation == variation
    for found in (outcome.sop, outcome.nsp):
        assert 0 <= found.sop_accuracy <= 1
        assert found.pairs == 1024
    # the same documents, hidden in other pairs
    assert outcome.sop.predictions != outcome.nsp.predictions
