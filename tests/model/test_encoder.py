"""What PyTorch's own tools find in the encoder: L layers, shared weights listed once."""

from __future__ import annotations

import copy

import pytest
import torch
from safetensors.torch import load_file, save_file

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertModel
from albert_lib.model.encoder import AlbertEncoder

IDS = torch.arange(5, 17).view(2, 6)
SHARINGS = ("all", "attention", "ffn", "none")


@torch.no_grad()
@pytest.mark.parametrize("sharing", SHARINGS)
def test_a_forward_hook_on_every_layer_fires_once_a_layer(tiny: AlbertConfig, sharing: str) -> None:
    model = AlbertModel(tiny.replace(sharing=sharing)).eval()
    outputs: list[torch.Tensor] = []
    attended: list[torch.Tensor] = []
    for layer in dict.fromkeys(model.encoder.layers):
        layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output[0]))
    for attention in dict.fromkeys(layer.attention for layer in model.encoder.layers):
        attention.register_forward_hook(lambda _module, _inputs, output: attended.append(output[0]))
    states = model(IDS, output_hidden_states=True).hidden_states
    assert len(outputs) == len(attended) == tiny.num_hidden_layers
    assert all(torch.equal(a, b) for a, b in zip(outputs, states[1:], strict=True))


def test_the_printed_model_shows_the_layers(tiny: AlbertConfig) -> None:
    shown = str(AlbertEncoder(tiny))
    assert "(0-5): 6 x AlbertLayer(" in shown
    assert "(intermediate): Linear(in_features=32, out_features=64" in shown


@pytest.mark.parametrize("sharing", SHARINGS)
def test_shared_parameters_are_listed_once_everywhere(tiny: AlbertConfig, sharing: str) -> None:
    config = tiny.replace(sharing=sharing)
    model = AlbertForPreTraining(config)
    named = dict(model.named_parameters())
    assert list(model.state_dict()) == list(named)
    counted = sum(parameter.numel() for parameter in named.values())
    assert counted == config.num_parameters(mlm_head=True, sop_head=True)


@torch.no_grad()
@pytest.mark.parametrize("sharing", SHARINGS)
def test_a_state_dict_goes_through_a_file_into_another_model(tmp_path, tiny, sharing) -> None:
    config = tiny.replace(sharing=sharing, initializer_range=0.3)
    one, other = (AlbertModel(config).eval() for _ in range(2))
    save_file(one.state_dict(), tmp_path / "weights.safetensors")
    for assign in (False, True):
        report = other.load_state_dict(load_file(tmp_path / "weights.safetensors"), assign=assign)
        assert not report.missing_keys and not report.unexpected_keys
        assert torch.equal(one(IDS).last_hidden_state, other(IDS).last_hidden_state)
        assert other.num_parameters() == config.num_parameters()  # still shared
    short = one.state_dict()
    del short["encoder.layers.0.attention.key.bias"]
    with pytest.raises(RuntimeError, match=r"encoder\.layers\.0\.attention\.key\.bias"):
        other.load_state_dict(short)


@torch.no_grad()
@pytest.mark.parametrize("sharing", SHARINGS)
def test_a_copy_shares_among_its_own_layers_alone(tiny: AlbertConfig, sharing: str) -> None:
    model = AlbertModel(tiny.replace(sharing=sharing)).eval()
    double = copy.deepcopy(model).double()
    assert double.num_parameters() == model.num_parameters()
    assert {p.dtype for p in double.parameters()} == {torch.float64}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert list(double.state_dict()) == list(model.state_dict())
    difference = double(IDS).last_hidden_state - model(IDS).last_hidden_state
    assert difference.abs().max() < 1e-5


def test_initial_weights_are_drawn_by_kind_of_part(tiny: AlbertConfig) -> None:
    """A seed stands for the same weights as when the parts lay in lists, one kind after another."""
    config = tiny.replace(sharing="none", num_hidden_layers=2)
    torch.manual_seed(5)
    encoder = AlbertModel(config).encoder
    order = list(encoder.in_initialisation_order())
    first, second = encoder.layers
    expected = [first.attention, second.attention, first.feed_forward, second.feed_forward]
    assert order == [encoder.embedding_projection, *expected]


def test_a_group_that_rounding_never_uses_has_no_weights(tiny: AlbertConfig) -> None:
    config = tiny.replace(num_hidden_layers=22, num_hidden_groups=22, group_rounding="google")
    assert config.layer_copies()["attention"] == 21
    assert AlbertModel(config).num_parameters() == config.num_parameters()
