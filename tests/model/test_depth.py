"""A shared layer applied another number of times: the same weights, another depth."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.depth import set_num_hidden_layers, with_depth

SMALL: dict[str, Any] = {
    "vocab_size": 30, "embedding_size": 8, "hidden_size": 16, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 12,
}  # fmt: skip


def model_of(**how: Any) -> AlbertForPreTraining:
    torch.manual_seed(0)
    return AlbertForPreTraining(AlbertConfig(**SMALL, **how)).eval()


@pytest.mark.parametrize("groups", [{}, {"num_hidden_groups": 2}, {"inner_group_num": 2}])
@pytest.mark.parametrize("deep", [2, 3, 6])
def test_the_model_is_the_one_built_so_deep_with_these_weights(
    groups: dict[str, int], deep: int
) -> None:
    model, built = (
        model_of(num_hidden_layers=2, **groups),
        model_of(num_hidden_layers=deep, **groups),
    )
    parameters = [id(each) for each in model.parameters()]
    before = {id(each): each.clone() for each in model.parameters()}
    set_num_hidden_layers(model, deep)
    assert model.config == built.config == model.albert.config
    assert sorted(id(each) for each in model.parameters()) == sorted(parameters)
    assert all(torch.equal(each, before[id(each)]) for each in model.parameters())
    assert model.state_dict().keys() == built.state_dict().keys()
    built.load_state_dict(model.state_dict())
    ids = torch.randint(5, 30, (3, 12))
    ours, theirs = model(ids), built(ids)
    assert torch.equal(ours.prediction_logits, theirs.prediction_logits)
    assert torch.equal(ours.sop_logits, theirs.sop_logits)


def test_there_and_back_is_the_same_model() -> None:
    model = model_of(num_hidden_layers=3)
    ids = torch.randint(5, 30, (3, 12))
    before = model(ids).prediction_logits
    set_num_hidden_layers(model, 5)
    assert not torch.equal(model(ids).prediction_logits, before)
    set_num_hidden_layers(model, 3)
    assert torch.equal(model(ids).prediction_logits, before)


def test_a_deeper_model_is_saved_as_it_has_become(tmp_path: Any) -> None:
    model = model_of(num_hidden_layers=2)
    set_num_hidden_layers(model, 5)
    model.save_pretrained(tmp_path)
    loaded = AlbertForPreTraining.from_pretrained(tmp_path).eval()
    assert loaded.config.num_hidden_layers == 5
    ids = torch.randint(5, 30, (3, 12))
    assert torch.equal(loaded(ids).prediction_logits, model(ids).prediction_logits)


@pytest.mark.parametrize("sharing", ["attention", "ffn", "none"])
def test_layers_of_their_own_cannot_be_applied_more_often(sharing: Any) -> None:
    model = model_of(num_hidden_layers=2, sharing=sharing)
    layers = list(model.albert.encoder.layers)
    with pytest.raises(ConfigError, match="has the weights of 2 layers"):
        set_num_hidden_layers(model, 3)
    assert list(model.albert.encoder.layers) == layers and model.config.num_hidden_layers == 2
    assert with_depth(model.config, 2) == model.config


def test_no_group_may_be_left_out() -> None:
    config = AlbertConfig(**SMALL, num_hidden_layers=4, num_hidden_groups=3)
    with pytest.raises(ConfigError, match="num_hidden_groups=3 exceeds num_hidden_layers=2"):
        with_depth(config, 2)
