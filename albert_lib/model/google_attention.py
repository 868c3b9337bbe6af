"""Attention with padding masked as in Google's code: a large negative number is added."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

ADDED_TO_PADDING = -10000.0  # google-research/albert, modeling.py


def additive_attention(
    query: Float[Tensor, "batch heads queries head_size"],
    key: Float[Tensor, "batch heads keys head_size"],
    value: Float[Tensor, "batch heads keys head_size"],
    attention_mask: Int[Tensor, "batch keys"] | Bool[Tensor, "batch keys"],
    dropout: float = 0.0,
) -> tuple[
    Float[Tensor, "batch heads queries head_size"], Float[Tensor, "batch heads queries keys"]
]:
    """The same with padding as Google treats it: its scores get -10000 added.

    The two agree wherever a query has any token to attend to. Without one, its probabilities
    follow the scores of the padding here, are equal in `explicit_attention`, and its context is
    zero in `fused_attention`.

    Example:
        >>> import torch
        >>> from albert_lib.model import explicit_attention
        >>> from albert_lib.model.google_attention import additive_attention
        >>> query, key, value = torch.randn(3, 1, 2, 5, 8)
        >>> mask = torch.tensor([[1, 1, 1, 0, 0]])
        >>> ours = explicit_attention(query, key, value, mask)[0]
        >>> googles = additive_attention(query, key, value, mask)[0]
        >>> torch.allclose(ours, googles, atol=1e-5)
        True
    """
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (batch, heads, queries, keys)
    padding = attention_mask[:, None, None, :] == 0
    probabilities = (scores + padding * ADDED_TO_PADDING).softmax(dim=-1)
    return F.dropout(probabilities, dropout) @ value, probabilities
