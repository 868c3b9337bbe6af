"""The pieces that learners write, against the models that are made of them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib import AlbertConfig, AlbertForPreTraining
from albert_lib.model import (
    explicit_attention,
    factorized_embedding,
    feed_forward,
    masked_states,
    mlm_loss,
    pooled_cls,
    post_norm_layer,
    share_across_depth,
    sop_loss,
    split_heads,
    tied_logits,
)

IDS = torch.tensor([[2, 17, 4, 3, 8, 3], [2, 9, 4, 4, 3, 0]])
SEGMENTS = torch.tensor([[0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0]])
MASK = (IDS != 0).long()
LABELS = torch.tensor([[-100, -100, 42, -100, -100, -100], [-100, 9, 0, 71, -100, -100]])
ORDERS = torch.tensor([1, 0])


@pytest.fixture
def model(tiny: AlbertConfig) -> AlbertForPreTraining:
    """Weights that are neither 0 nor 1, so that a forgotten one would be noticed."""
    model = AlbertForPreTraining(tiny).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def states_of_pieces(model: AlbertForPreTraining) -> list[Tensor]:
    tables, encoder = model.albert.embeddings, model.albert.encoder
    layer, heads = encoder.layers[0], model.config.num_attention_heads
    own = layer.attention

    def attend(hidden: Tensor) -> Tensor:
        parts = (split_heads(part(hidden), heads) for part in (own.query, own.key, own.value))
        context, _ = explicit_attention(*parts, MASK)
        return own.output(context.transpose(1, 2).flatten(2))

    def expand(hidden: Tensor) -> Tensor:
        return feed_forward(hidden, layer.feed_forward.intermediate, layer.feed_forward.projection)

    hidden = factorized_embedding(
        IDS, SEGMENTS, tables.word_embeddings, tables.position_embeddings,
        tables.token_type_embeddings, tables.norm, encoder.embedding_projection,
    )  # fmt: skip
    return share_across_depth(
        hidden,
        lambda hidden: post_norm_layer(
            hidden, attend, layer.attention_norm, expand, layer.feed_forward_norm
        ),
        model.config.num_hidden_layers,
    )


def test_pieces_put_together_are_the_model(model: AlbertForPreTraining) -> None:
    states = states_of_pieces(model)
    whole = model(IDS, MASK, SEGMENTS, output_hidden_states=True)
    assert len(states) == len(whole.hidden_states) == model.config.num_hidden_layers + 1
    assert torch.equal(states[0], whole.hidden_states[0])
    for ours, models in zip(states, whole.hidden_states, strict=True):
        torch.testing.assert_close(ours, models, rtol=1e-5, atol=1e-5)
    pooled = pooled_cls(states[-1], model.albert.pooler)
    torch.testing.assert_close(
        model.sop_head(pooled), whole.sop_logits, rtol=1e-5, atol=1e-5
    )  # in evaluation mode its dropout does nothing


def test_pieces_give_the_model_s_loss_and_its_gradients(model: AlbertForPreTraining) -> None:
    last = states_of_pieces(model)[-1]
    head, words = model.mlm_head, model.albert.embeddings.word_embeddings.weight
    logits = tied_logits(masked_states(last, LABELS), head.dense, head.norm, words, head.bias)
    orders = model.sop_head(pooled_cls(last, model.albert.pooler))
    loss = mlm_loss(logits, LABELS[LABELS != -100]) + sop_loss(orders, ORDERS)
    ours = torch.autograd.grad(loss, list(model.parameters()))
    whole = model(IDS, MASK, SEGMENTS, labels=LABELS, sentence_order_label=ORDERS).loss
    torch.testing.assert_close(loss, whole, rtol=1e-5, atol=1e-5)
    for name, one, other in zip(
        dict(model.named_parameters()),
        ours,
        torch.autograd.grad(whole, list(model.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, msg=name)


def test_masked_states_are_those_at_the_masked_positions(model: AlbertForPreTraining) -> None:
    positions = (LABELS.flatten() != -100).nonzero().squeeze(1)
    whole = model.albert(IDS, MASK, SEGMENTS).last_hidden_state
    chosen = model.albert(IDS, MASK, SEGMENTS, masked_positions=positions)
    torch.testing.assert_close(masked_states(whole, LABELS), chosen.last_hidden_state)
    pooled = pooled_cls(whole, model.albert.pooler)
    torch.testing.assert_close(pooled, chosen.pooler_output)
    assert masked_states(whole, torch.full_like(LABELS, -100)).shape == (0, whole.shape[-1])


def test_split_heads_is_what_pytorch_s_attention_does() -> None:
    """Every head by itself, against nn.MultiheadAttention with the same weights."""
    torch.manual_seed(1)
    width, heads = 12, 3
    theirs = nn.MultiheadAttention(width, heads, batch_first=True)
    hidden = torch.randn(2, 5, width)
    parts = F.linear(hidden, theirs.in_proj_weight, theirs.in_proj_bias).chunk(3, dim=-1)
    context, probabilities = explicit_attention(*(split_heads(part, heads) for part in parts))
    output, weights = theirs(hidden, hidden, hidden, average_attn_weights=False)
    torch.testing.assert_close(probabilities, weights)
    torch.testing.assert_close(theirs.out_proj(context.transpose(1, 2).flatten(2)), output)


def test_post_norm_layer_is_pytorch_s_encoder_layer() -> None:
    """Against nn.TransformerEncoderLayer, which normalises afterwards too."""
    torch.manual_seed(2)
    theirs = nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation=lambda x: F.gelu(x, approximate="tanh"), batch_first=True
    )
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.4)
    hidden = torch.randn(2, 5, 12)
    ours = post_norm_layer(
        hidden,
        lambda hidden: theirs.self_attn(hidden, hidden, hidden)[0],
        theirs.norm1,
        lambda hidden: feed_forward(hidden, theirs.linear1, theirs.linear2),
        theirs.norm2,
    )
    torch.testing.assert_close(ours, theirs(hidden), rtol=1e-5, atol=1e-5)


def test_one_layer_is_applied_to_its_own_output() -> None:
    seen: list[float] = []

    def double(hidden: Tensor) -> Tensor:
        seen.append(hidden.item())
        return 2 * hidden

    states = share_across_depth(torch.ones(1, 1, 1), double, 3)
    assert [state.item() for state in states] == [1, 2, 4, 8] and seen == [1, 2, 4]
    assert len(share_across_depth(torch.ones(1, 1, 1), double, 0)) == 1
