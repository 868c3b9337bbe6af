"""The shared-layer encoder: one set of weights, applied L times (paper, section 3.1).

`encoder.layers` lists every layer that is applied, in order. Where everything is shared, all of
them are the very same object; with the partial sharings of Table 4 they share sub-modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.attention import SelfAttention
from albert_lib.model.layer import AlbertLayer, FeedForward, layer_norm
from albert_lib.model.shared_names import list_shared_once


class LayerWeights(NamedTuple):
    """Which set of weights each part of one applied layer uses, numbered from 0.

    Example:
        >>> LayerWeights(attention=0, ffn=1, norms=0).ffn
        1
    """

    attention: int
    ffn: int
    norms: int


def layer_schedule(config: AlbertConfig) -> list[LayerWeights]:
    """The sets of weights of every applied layer, in order; `L * inner_group_num` entries.

    A group's layers are applied one after another each time the group's turn comes.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.encoder import layer_schedule
        >>> layer_schedule(AlbertConfig(num_hidden_layers=2, sharing="attention"))
        [LayerWeights(attention=0, ffn=0, norms=0), LayerWeights(attention=0, ffn=1, norms=0)]
    """
    schedule = []
    for layer, group in enumerate(config.layer_groups()):
        for inner in range(config.inner_group_num):
            shared = group * config.inner_group_num + inner
            schedule.append(
                LayerWeights(
                    attention=layer if config.sharing in ("ffn", "none") else shared,
                    ffn=layer if config.sharing in ("attention", "none") else shared,
                    norms=layer if config.sharing == "none" else shared,
                )
            )
    return schedule


def build_layers(config: AlbertConfig) -> nn.ModuleList:
    """Every applied layer, in order; layers that use the same weights share the modules.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.encoder import build_layers
        >>> config = AlbertConfig(hidden_size=24, num_hidden_layers=3, intermediate_size=48)
        >>> layers = build_layers(config)
        >>> len(layers), layers[0] is layers[2]
        (3, True)
        >>> layers = build_layers(config.replace(sharing="attention"))
        >>> layers[0] is layers[2], layers[0].attention is layers[2].attention
        (False, True)
    """
    attention = cache(lambda _set: SelfAttention(config))
    attention_norm = cache(lambda _set: layer_norm(config))
    feed_forward = cache(lambda _set: FeedForward(config))
    feed_forward_norm = cache(lambda _set: layer_norm(config))

    @cache
    def layer(weights: LayerWeights) -> AlbertLayer:
        return AlbertLayer(
            attention(weights.attention),
            attention_norm(weights.norms),
            feed_forward(weights.ffn),
            feed_forward_norm(weights.norms),
        )

    return nn.ModuleList(layer(weights) for weights in layer_schedule(config))


def share_across_depth(
    hidden: Float[Tensor, "batch seq hidden"],
    layer: Callable[[Tensor], Tensor],
    num_hidden_layers: int,
) -> list[Float[Tensor, "batch seq hidden"]]:
    """Apply one layer again and again; the states before it and after every application.

    What AlbertEncoder does where everything is shared, without the mask.

    Example:
        >>> import torch
        >>> from albert_lib.model import share_across_depth
        >>> share_across_depth(torch.ones(1, 1, 1), lambda hidden: 2 * hidden, 3)[-1].item()
        8.0
    """
    states = [hidden]
    for _ in range(num_hidden_layers):
        states.append(layer(states[-1]))
    return states


class AlbertEncoder(nn.Module):
    """The projection from E to H, then every layer.

    A shared parameter is listed once by parameters(), named_parameters() and state_dict(), under
    the first layer that uses it.

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.encoder import AlbertEncoder
        >>> config = AlbertConfig(
        ...     embedding_size=16, hidden_size=24, num_hidden_layers=3, intermediate_size=48)
        >>> encoder = AlbertEncoder(config)
        >>> states, _ = encoder(torch.randn(2, 5, 16))
        >>> len(states), states[-1].shape
        (4, torch.Size([2, 5, 24]))
        >>> [name for name in encoder.state_dict() if "key.weight" in name]
        ['layers.0.attention.key.weight']
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.embedding_projection = (
            nn.Linear(config.embedding_size, config.hidden_size)
            if config.has_projection
            else nn.Identity()
        )
        self.layers = build_layers(config)
        list_shared_once(self)

    def forward(
        self,
        embedded: Float[Tensor, "batch seq embedding"],
        attention_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
        output_attentions: bool = False,
        masked_positions: Int[Tensor, "predictions"] | None = None,
        cls_only: bool = False,
    ) -> tuple[list[Float[Tensor, "..."]], list[Float[Tensor, "batch heads queries seq"]]]:
        """Hidden states before the first layer and after every one, then attentions.

        The states are (batch, seq, hidden). Given `masked_positions`, flat indices into
        batch x seq, the last are (predictions + batch, hidden): those of the masked positions,
        then every sequence's [CLS]. Nothing beyond the last layer uses the others, so after its
        attention that layer computes these alone. With `cls_only` the last are (batch, 1, hidden),
        those of every [CLS], and nothing else is attended from there. Attention probabilities are
        stored only where asked for.
        """
        needed = None
        if masked_positions is not None:
            batch, length = embedded.shape[:2]
            first = torch.arange(0, batch * length, length, device=embedded.device)
            needed = torch.cat([masked_positions, first])
        states = [self.embedding_projection(embedded)]
        attentions = []
        for depth, layer in enumerate(self.layers, 1):
            is_last = depth == len(self.layers)
            hidden, probabilities = layer(
                states[-1],
                attention_mask,
                output_attentions,
                needed if is_last else None,
                cls_only and is_last,
            )
            states.append(hidden)
            if probabilities is not None:
                attentions.append(probabilities)
        return states, attentions

    def in_initialisation_order(self) -> Iterator[nn.Module]:
        """The parts with weights, each once: projection, all attentions, all feed-forward blocks.

        A seed stands for the same initial weights only as long as they are drawn in one order.
        """
        layers = [layer for layer in self.layers if isinstance(layer, AlbertLayer)]
        parts: list[nn.Module] = [self.embedding_projection]
        parts += [layer.attention for layer in layers]
        parts += [layer.feed_forward for layer in layers]
        yield from dict.fromkeys(parts)
