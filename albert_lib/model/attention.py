"""Scaled dot-product attention, spelled out and as PyTorch's fused kernel, and its module."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.google_attention import additive_attention


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

    `attention_mask` is 1 at keys that may be attended to and 0 at padding. Returns
    (context, probabilities); the probabilities of each query sum to 1 over the keys.

    Example:
        >>> import torch
        >>> from albert_lib.model import explicit_attention
        >>> query, key, value = torch.randn(3, 1, 2, 5, 8)  # 1 text, 2 heads, 5 tokens
        >>> mask = torch.tensor([[1, 1, 1, 0, 0]])  # the last two are padding
        >>> context, probabilities = explicit_attention(query, key, value, mask)
        >>> context.shape, probabilities[..., 3:].max().item()
        (torch.Size([1, 2, 5, 8]), 0.0)
    """
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (batch, heads, queries, keys)
    if attention_mask is not None:
        padding = attention_mask[:, None, None, :] == 0
        scores = scores.masked_fill(padding, torch.finfo(scores.dtype).min)
    probabilities = scores.softmax(dim=-1)
    context = F.dropout(probabilities, dropout) @ value
    return context, probabilities


def split_heads(
    hidden: Float[Tensor, "batch seq hidden"], heads: int
) -> Float[Tensor, "batch heads seq head_size"]:
    """Cut every token's vector into `heads` pieces and put the heads before the positions.

    Head 0 gets the first hidden / heads numbers of every token, head 1 the next ones, and so on.

    Example:
        >>> import torch
        >>> from albert_lib.model import split_heads
        >>> hidden = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]]).float()  # 1 text, 2 tokens
        >>> split_heads(hidden, 2)
        tensor([[[[1., 2.],
                  [5., 6.]],
        <BLANKLINE>
                 [[3., 4.],
                  [7., 8.]]]])
    """
    return hidden.unflatten(-1, (heads, -1)).transpose(1, 2)


def fused_attention(
    query: Float[Tensor, "batch heads queries head_size"],
    key: Float[Tensor, "batch heads keys head_size"],
    value: Float[Tensor, "batch heads keys head_size"],
    attention_mask: Int[Tensor, "batch keys"] | Bool[Tensor, "batch keys"] | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "batch heads queries head_size"]:
    """The same context from PyTorch's fused kernel, which never stores the probabilities.

    Example:
        >>> import torch
        >>> from albert_lib.model.attention import explicit_attention, fused_attention
        >>> query, key, value = torch.randn(3, 1, 2, 5, 8)
        >>> context, _ = explicit_attention(query, key, value)
        >>> torch.allclose(fused_attention(query, key, value), context, atol=1e-5)
        True
    """
    visible = None if attention_mask is None else attention_mask[:, None, None, :].bool()
    return F.scaled_dot_product_attention(query, key, value, attn_mask=visible, dropout_p=dropout)


class SelfAttention(nn.Module):
    """Multi-head self-attention with its output projection and dropout.

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.attention import SelfAttention
        >>> config = AlbertConfig(hidden_size=32, num_attention_heads=4, intermediate_size=64)
        >>> attended, probabilities = SelfAttention(config)(
        ...     torch.randn(2, 7, 32), output_attentions=True)
        >>> attended.shape, probabilities.shape
        (torch.Size([2, 7, 32]), torch.Size([2, 4, 7, 7]))
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.probability_dropout = config.attention_probs_dropout_prob
        self.heads = config.num_attention_heads
        self.additive_mask = config.additive_mask

    def forward(
        self,
        hidden: Float[Tensor, "batch seq hidden"],
        attention_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
        output_attentions: bool = False,
        positions: Int[Tensor, "chosen"] | None = None,
        cls_only: bool = False,
    ) -> tuple[Float[Tensor, "*positions hidden"], Float[Tensor, "batch heads queries seq"] | None]:
        """Attend from every position to every position, then project.

        Given `positions`, flat indices into batch x seq, the projection works at these alone and
        returns (1, chosen, hidden). With `cls_only` each sequence's first position alone attends,
        and (batch, 1, hidden) is returned. The probabilities are returned only where asked for.
        """
        asking = hidden[:, :1] if cls_only else hidden
        query, key, value = (
            split_heads(matrix(states), self.heads)
            for matrix, states in ((self.query, asking), (self.key, hidden), (self.value, hidden))
        )
        dropout = self.probability_dropout if self.training else 0.0
        probabilities = None
        if self.additive_mask and attention_mask is not None:
            context, probabilities = additive_attention(query, key, value, attention_mask, dropout)
        elif output_attentions or _explicit_is_faster(query):
            # Each head's rows side by side in memory: the products would otherwise copy them,
            # forward and backward.
            query, key, value = (each.contiguous() for each in (query, key, value))
            context, probabilities = explicit_attention(query, key, value, attention_mask, dropout)
        else:
            context = fused_attention(query, key, value, attention_mask, dropout)
        context = context.transpose(1, 2).flatten(2)  # (batch, seq, hidden)
        if positions is not None:
            context = select_positions(context, positions)
        return self.dropout(self.output(context)), probabilities if output_attentions else None


def select_positions(
    hidden: Float[Tensor, "batch seq hidden"], positions: Int[Tensor, "chosen"]
) -> Float[Tensor, "1 chosen hidden"]:
    """Select flat positions of a batch, as one long sequence.

    It stays three-dimensional: in another number of dimensions the gradients of the shared
    weights would come in another memory order, and adding them up would be slow.

    Example:
        >>> import torch
        >>> from albert_lib.model.attention import select_positions
        >>> select_positions(torch.arange(6.0).view(2, 3, 1), torch.tensor([0, 4])).flatten()
        tensor([0., 4.])
    """
    return hidden.flatten(0, 1)[None, positions]


def _explicit_is_faster(query: Tensor) -> bool:
    """Whether `explicit_attention` beats the fused kernel for this query.

    On a CPU in bfloat16 the fused kernel's backward pass takes 3 to 4 times as long (measured at
    64 and 128 positions; equal at 512). In float32 it is the other way round.
    """
    return query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.requires_grad
