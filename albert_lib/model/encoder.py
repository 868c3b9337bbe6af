"""The shared-layer encoder: one set of weights, applied L times (paper, section 3.1).

A layer is attention, then a feed-forward block, each added to its input and normalised
afterwards. What several layers have in common is decided by `sharing`, so the encoder keeps
its parts in four lists and a schedule that says which member of each list a layer uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.attention import additive_attention, explicit_attention, fused_attention


def gelu_new(inputs: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """GELU in its tanh form (Hendrycks and Gimpel, arXiv 1606.08415).

    The two forms are at most 0.0005 apart, which is less than bfloat16 tells apart where GELU is
    above 0.13. There the exact form stands in on a CPU, whose kernel is 3 to 5 times as fast.
    """
    if inputs.dtype == torch.bfloat16 and inputs.device.type == "cpu":
        return F.gelu(inputs)
    return F.gelu(inputs, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": gelu_new,
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
        self.additive_mask = config.additive_mask

    def project(self, context: Float[Tensor, "*positions hidden"]) -> Tensor:
        """What the heads found, mapped and dropped out: each position by itself."""
        return self.dropout(self.output(context))

    def mix(
        self,
        hidden: Float[Tensor, "batch seq hidden"],
        attention_mask: Int[Tensor, "batch seq"] | None,
        with_probabilities: bool = False,
    ) -> tuple[Float[Tensor, "batch seq hidden"], Float[Tensor, "batch heads seq seq"] | None]:
        """What every head finds for every position, side by side: the one step across positions."""
        query, key, value = (
            self._split(part(hidden)) for part in (self.query, self.key, self.value)
        )
        dropout = self.probability_dropout if self.training else 0.0
        probabilities = None
        if self.additive_mask and attention_mask is not None:
            context, probabilities = additive_attention(query, key, value, attention_mask, dropout)
        elif with_probabilities or _explicit_is_faster(query):
            # Each head's rows together: the products would otherwise copy them, forth and back.
            query, key, value = (each.contiguous() for each in (query, key, value))
            context, probabilities = explicit_attention(query, key, value, attention_mask, dropout)
        else:
            context = fused_attention(query, key, value, attention_mask, dropout)
        merged = context.transpose(1, 2).flatten(2)  # (batch, seq, hidden)
        return merged, probabilities if with_probabilities else None

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
        # Google drops the result out; Hugging Face builds that dropout and never applies it.
        self.dropout = nn.Dropout(config.hidden_dropout_prob if config.ffn_dropout else 0.0)

    def forward(
        self, hidden: Float[Tensor, "*positions hidden"]
    ) -> Float[Tensor, "*positions hidden"]:
        """Apply the block to every position alone."""
        return self.dropout(self.contract(self.activation(self.expand(hidden))))


def layer_groups(config: AlbertConfig) -> list[int]:
    """The group that each of the L layers belongs to: i*G/L, rounded down.

    Google and Hugging Face round in floating point and so disagree with whole numbers, and with
    each other, for some (L, G): Google's leaves group 15 of (22, 22) unused, Hugging Face's deals
    (18, 14) out differently. No published model has more than one group.
    """
    n_layers, n_groups = config.num_hidden_layers, config.num_hidden_groups
    rounding: dict[str, Callable[[int], int]] = {
        "exact": lambda layer: layer * n_groups // n_layers,
        "huggingface": lambda layer: int(layer / (n_layers / n_groups)),
        "google": lambda layer: int(layer / n_layers * n_groups),
    }
    return [rounding[config.group_rounding](layer) for layer in range(n_layers)]


class LayerParts(NamedTuple):
    """Which member of each list one application of a layer uses."""

    attention: int
    ffn: int
    norms: int


def layer_schedule(config: AlbertConfig) -> list[LayerParts]:
    """The parts of every applied layer, in order; `L * inner_group_num` entries.

    A group's layers are applied one after another each time its turn comes.
    """
    schedule = []
    for layer, group in enumerate(layer_groups(config)):
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
        copies = config.layer_copies()
        self.embedding_projection = (
            nn.Linear(config.embedding_size, config.hidden_size)
            if config.has_projection
            else nn.Identity()
        )
        self.attentions = nn.ModuleList(SelfAttention(config) for _ in range(copies["attention"]))
        self.attention_norms = nn.ModuleList(_norm(config) for _ in range(copies["layer_norms"]))
        self.ffns = nn.ModuleList(FeedForward(config) for _ in range(copies["ffn"]))
        self.ffn_norms = nn.ModuleList(_norm(config) for _ in range(copies["layer_norms"]))

    def forward(
        self,
        embedded: Float[Tensor, "batch seq embedding"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        with_probabilities: bool = False,
        positions: Int[Tensor, "chosen"] | None = None,
    ) -> tuple[list[Float[Tensor, "..."]], list[Float[Tensor, "batch heads seq seq"]]]:
        """Hidden states before the first layer and after every one, then attentions.

        The states are (batch, seq, hidden). Given `positions`, flat indices into batch x seq,
        the last ones are (chosen, hidden): after its attention the last layer works on these
        alone, since nothing beyond it looks at the others. The attention probabilities are
        stored only where asked for.
        """
        states = [self.embedding_projection(embedded)]
        attentions = []
        for depth, parts in enumerate(self.schedule, 1):
            chosen = positions if depth == len(self.schedule) else None
            hidden, probabilities = self._layer(
                parts, states[-1], attention_mask, with_probabilities, chosen
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
        positions: Int[Tensor, "chosen"] | None,
    ) -> tuple[Float[Tensor, "*positions hidden"], Float[Tensor, "batch heads seq seq"] | None]:
        attention = cast(SelfAttention, self.attentions[parts.attention])
        context, probabilities = attention.mix(hidden, attention_mask, with_probabilities)
        if positions is not None:
            # As one long sequence: in another number of dimensions the gradients of the shared
            # weights would come in another memory order, and adding them up would be slow.
            hidden, context = (each.flatten(0, 1)[None, positions] for each in (hidden, context))
        hidden = self.attention_norms[parts.norms](hidden + attention.project(context))
        hidden = self.ffn_norms[parts.norms](hidden + self.ffns[parts.ffn](hidden))
        return hidden if positions is None else hidden[0], probabilities


def _norm(config: AlbertConfig) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
