"""Scaled dot-product attention: spelled out, and as PyTorch's fused kernel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

ADDED_TO_PADDING = -10000.0


def explicit_attention(
    query: Float[Tensor, "batch heads queries head_size"],
    key: Float[Tensor, "batch heads keys head_size"],
    value: Float[Tensor, "batch heads keys head_size"],
    attention_mask: Int[Tensor, "batch keys"] | Bool[Tensor, "batch keys"] | None = None,
    dropout: float = 0.0,
) -> tuple[
    Float[Tensor, "batch heads queries head_size"], Float[Tensor, "batch heads queries keys"]
]:
    """Every query's weighted mean of the values, and the weights (Vaswani et al. 2017, eq. 1).

    `attention_mask` is 1 at keys that may be looked at and 0 at padding. Returns
    (context, probabilities); the probabilities of each query sum to 1 over the keys.
    """
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (batch, heads, queries, keys)
    if attention_mask is not None:
        padding = attention_mask[:, None, None, :] == 0
        scores = scores.masked_fill(padding, torch.finfo(scores.dtype).min)
    probabilities = scores.softmax(dim=-1)
    context = F.dropout(probabilities, dropout) @ value
    return context, probabilities


def additive_attention(
    query: Float[Tensor, "batch heads queries head_size"],
    key: Float[Tensor, "batch heads keys head_size"],
    value: Float[Tensor, "batch heads keys head_size"],
    attention_mask: Int[Tensor, "batch keys"] | Bool[Tensor, "batch keys"],
    dropout: float = 0.0,
) -> tuple[
    Float[Tensor, "batch heads queries head_size"], Float[Tensor, "batch heads queries keys"]
]:
    """The same with padding as Google has it: its scores get -10000 added (modeling.py).

    The two agree wherever a query has any text to look at. One that has none spreads over
    padding by its scores here, evenly in `explicit_attention`, and gets zeros from
    `fused_attention`.
    """
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (batch, heads, queries, keys)
    padding = attention_mask[:, None, None, :] == 0
    probabilities = (scores + padding * ADDED_TO_PADDING).softmax(dim=-1)
    return F.dropout(probabilities, dropout) @ value, probabilities


def fused_attention(
    query: Float[Tensor, "batch heads queries head_size"],
    key: Float[Tensor, "batch heads keys head_size"],
    value: Float[Tensor, "batch heads keys head_size"],
    attention_mask: Int[Tensor, "batch keys"] | Bool[Tensor, "batch keys"] | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "batch heads queries head_size"]:
    """The same context in one kernel, which never stores the probabilities."""
    visible = None if attention_mask is None else attention_mask[:, None, None, :].bool()
    return F.scaled_dot_product_attention(query, key, value, attn_mask=visible, dropout_p=dropout)
