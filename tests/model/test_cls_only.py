"""A head that reads the pooled [CLS] alone spares most of the last layer, and gets the same."""

from __future__ import annotations

import pytest
import torch

from albert_lib import AlbertConfig, AlbertForMultipleChoice, AlbertForSequenceClassification
from albert_lib.errors import InputError
from albert_lib.model import AlbertModel

CONFIG = AlbertConfig(
    vocab_size=60,
    embedding_size=8,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=48,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    classifier_dropout_prob=0.0,
    initializer_range=0.2,
)
IDS = torch.randint(5, 60, (4, 9), generator=torch.Generator().manual_seed(0))
MASK = torch.tensor([[1] * 9, [1] * 9, [1] * 5 + [0] * 4, [1, 1] + [0] * 7])


@pytest.mark.parametrize("additive_mask", [False, True])
@pytest.mark.parametrize("mask", [None, MASK])
def test_the_cls_is_that_of_the_whole_model(mask: torch.Tensor, additive_mask: bool) -> None:
    torch.manual_seed(0)
    model = AlbertModel(CONFIG.replace(additive_mask=additive_mask)).eval()
    whole, alone = model(IDS, mask), model(IDS, mask, cls_only=True)
    assert alone.last_hidden_state.shape == (4, 1, 24)
    torch.testing.assert_close(alone.last_hidden_state, whole.last_hidden_state[:, :1])
    torch.testing.assert_close(alone.pooler_output, whole.pooler_output)


@pytest.mark.parametrize("kind", [AlbertForSequenceClassification, AlbertForMultipleChoice])
def test_loss_and_gradients_are_those_of_the_whole_model(kind: type) -> None:
    torch.manual_seed(0)
    model = kind(CONFIG).train()
    choices = kind is AlbertForMultipleChoice
    ids, mask = (IDS.view(2, 2, 9), MASK.view(2, 2, 9)) if choices else (IDS, MASK)
    labels = torch.tensor([1, 0] if choices else [1, 0, 1, 1])
    gradients = []
    for whole in (False, True):  # asking for all states asks for a whole last layer
        model.zero_grad()
        output = model(ids, mask, labels=labels, output_hidden_states=whole)
        output.loss.backward()
        gradients.append({name: each.grad.clone() for name, each in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-6, rtol=1e-4, msg=name)


def test_states_and_attentions_stay_whole_where_they_are_asked_for() -> None:
    model = AlbertForSequenceClassification(CONFIG).eval()
    output = model(IDS, output_hidden_states=True, output_attentions=True)
    assert output.hidden_states[-1].shape == (4, 9, 24)
    assert output.attentions[-1].shape == (4, 2, 9, 9)


def test_less_is_computed() -> None:
    """Of the last of three layers 10/12 of the maps are spared: all but its keys and values."""
    from torch.utils.flop_counter import FlopCounterMode

    model = AlbertForSequenceClassification(CONFIG).eval()
    counted = []
    for whole in (False, True):
        with FlopCounterMode(display=False) as counter:
            model(IDS, output_hidden_states=whole)
        counted.append(counter.get_total_flops())
    assert counted[0] < 0.8 * counted[1]


def test_positions_and_cls_alone_are_not_asked_for_together() -> None:
    with pytest.raises(InputError, match="not both"):
        AlbertModel(CONFIG)(IDS, masked_positions=torch.tensor([1]), cls_only=True)
