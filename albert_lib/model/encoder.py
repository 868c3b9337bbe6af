"""The shared-layer encoder: one set of weights, applied L times (paper, section 3.1).

A layer is attention, then a feed-forward block, each added to its input and normalised
afterwards. What several layers have in common is decided by `sharing`, so the encoder keeps
its parts in four lists and a schedule that says which member of each list a layer uses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.attention import explicit_attention, fused_attention

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
}


class SelfAttention(nn.Module):
    """Multi-head self-attention with its output projection and dropout."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.probability_dropout = config.attention_probs_dropout_prob
        self.heads = config.num_attention_heads

    def forward(
        self,
        hidden: Float[Tensor, "batch seq hidden"],
        attention_mask: Int[Tensor, "batch seq"] | None,
        with_probabilities: bool = False,
    ) -> tuple[Float[Tensor, "batch seq hidden"], Float[Tensor, "batch heads seq seq"] | None]:
        """Mix every position with those it attends to; probabilities only where asked for."""
        query, key, value = (
            self._split(part(hidden)) for part in (self.query, self.key, self.value)
        )
        dropout = self.probability_dropout if self.training else 0.0
        probabilities = None
        if with_probabilities or _explicit_is_faster(query):
            context, probabilities = explicit_attention(query, key, value, attention_mask, dropout)
        else:
            context = fused_attention(query, key, value, attention_mask, dropout)
        merged = context.transpose(1, 2).flatten(2)  # (batch, seq, hidden)
        return self.dropout(self.output(merged)), probabilities if with_probabilities else None

    def _split(
        self, hidden: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch heads seq head_size"]:
        return hidden.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _explicit_is_faster(query: Tensor) -> bool:
    """Whether spelling attention out beats the fused kernel for this query.

    On a CPU in bfloat16 the fused kernel's backward pass takes 3 to 4 times as long (measured at
    64 and 128 positions; equal at 512). In float32 it is the other way round.
    """
    return query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.requires_grad


class FeedForward(nn.Module):
    """Widen to 4H, bend, come back: the same map at every position."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.expand = nn.Linear(config.hidden_size, config.intermediate_size)
        self.contract = nn.Linear(config.intermediate_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(
        self, hidden: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch seq hidden"]:
        """Apply the block to every position alone."""
        # No dropout here: Hugging Face builds one and never applies it, and the published
        # checkpoints are compared with Hugging Face.
        return self.contract(self.activation(self.expand(hidden)))


class LayerParts(NamedTuple):
    """Which member of each list one application of a layer uses."""

    attention: int
    ffn: int
    norms: int


def layer_schedule(config: AlbertConfig) -> list[LayerParts]:
    """The parts of every applied layer, in order; `L * inner_group_num` entries.

    Layer i belongs to group i*G//L in whole numbers: the floating-point forms of Google and
    Hugging Face disagree with it, and with each other, for some (L, G).
    """
    schedule = []
    for layer in range(config.num_hidden_layers):
        group = layer * config.num_hidden_groups // config.num_hidden_layers
        for inner in range(config.inner_group_num):
            shared = group * config.inner_group_num + inner
            schedule.append(
                LayerParts(
                    attention=layer if config.sharing in ("ffn", "none") else shared,
                    ffn=layer if config.sharing in ("attention", "none") else shared,
                    norms=layer if config.sharing == "none" else shared,
                )
            )
    return schedule


class AlbertEncoder(nn.Module):
    """Widening from E to H, then every layer of the schedule."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.schedule = layer_schedule(config)
        attentions, ffns, norms = (1 + max(column) for column in zip(*self.schedule, strict=True))
        self.embedding_projection = nn.Linear(config.embedding_size, config.hidden_size)
        self.attentions = nn.ModuleList(SelfAttention(config) for _ in range(attentions))
        self.attention_norms = nn.ModuleList(_norm(config) for _ in range(norms))
        self.ffns = nn.ModuleList(FeedForward(config) for _ in range(ffns))
        self.ffn_norms = nn.ModuleList(_norm(config) for _ in range(norms))

    def forward(
        self,
        embedded: Float[Tensor, "batch seq embedding"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        with_probabilities: bool = False,
    ) -> tuple[list[Float[Tensor, "batch seq hidden"]], list[Float[Tensor, "batch heads seq seq"]]]:
        """Hidden states before the first layer and after every one, then attentions.

        The attention probabilities are stored only where asked for.
        """
        states = [self.embedding_projection(embedded)]
        attentions = []
        for parts in self.schedule:
            hidden, probabilities = self._layer(
                parts, states[-1], attention_mask, with_probabilities
            )
            states.append(hidden)
            if probabilities is not None:
                attentions.append(probabilities)
        return states, attentions

    def _layer(
        self,
        parts: LayerParts,
        hidden: Float[Tensor, "batch seq hidden"],
        attention_mask: Int[Tensor, "batch seq"] | None,
        with_probabilities: bool,
    ) -> tuple[Float[Tensor, "batch seq hidden"], Float[Tensor, "batch heads seq seq"] | None]:
        attended, probabilities = self.attentions[parts.attention](
            hidden, attention_mask, with_probabilities
        )
        hidden = self.attention_norms[parts.norms](hidden + attended)
        hidden = self.ffn_norms[parts.norms](hidden + self.ffns[parts.ffn](hidden))
        return hidden, probabilities


def _norm(config: AlbertConfig) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
