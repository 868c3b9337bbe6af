"""Answers to the exercises of chapter 3, as a student would write them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def factorized_embedding(
    input_ids: Tensor,
    token_type_ids: Tensor,
    words: nn.Embedding,
    positions: nn.Embedding,
    segments: nn.Embedding,
    norm: nn.LayerNorm,
    projection: nn.Linear,
) -> Tensor:
    """Three rows of width E, added and normalised, then projected to H."""
    length = input_ids.shape[1]
    summed = words(input_ids) + positions.weight[:length] + segments(token_type_ids)
    return projection(norm(summed))


def explicit_attention(
    query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Every query's weighted mean of the values, and the weights."""
    scores = torch.einsum("bhqd,bhkd->bhqk", query, key) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(~attention_mask.bool()[:, None, None, :], float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    return torch.einsum("bhqk,bhkd->bhqd", weights, value), weights


def split_heads(hidden: Tensor, heads: int) -> Tensor:
    """(batch, seq, H) cut into (batch, heads, seq, head size)."""
    batch, seq, width = hidden.shape
    return hidden.reshape(batch, seq, heads, width // heads).permute(0, 2, 1, 3)


def feed_forward(hidden: Tensor, intermediate: nn.Linear, projection: nn.Linear) -> Tensor:
    """Expand, activate with the tanh GELU, project back."""
    x = intermediate(hidden)
    x = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return projection(x)


def post_norm_layer(
    hidden: Tensor,
    attention: Callable[[Tensor], Tensor],
    attention_norm: nn.LayerNorm,
    feed_forward: Callable[[Tensor], Tensor],
    feed_forward_norm: nn.LayerNorm,
) -> Tensor:
    """Each half added to its input, then normalised."""
    for half, norm in ((attention, attention_norm), (feed_forward, feed_forward_norm)):
        hidden = norm(hidden + half(hidden))
    return hidden


def share_across_depth(
    hidden: Tensor, layer: Callable[[Tensor], Tensor], num_hidden_layers: int
) -> list[Tensor]:
    """The state before the first repetition and after every one."""
    states = [hidden]
    for _ in range(num_hidden_layers):
        hidden = layer(hidden)
        states.append(hidden)
    return states
