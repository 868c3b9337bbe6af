"""One layer of the encoder: attention, norm, feed-forward, norm (paper, section 3.1)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.activations import gelu_10, quick_gelu
from albert_lib.model.attention import SelfAttention, select_positions


def gelu_new(inputs: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """GELU in its tanh form (Hendrycks and Gimpel, arXiv 1606.08415).

    The tanh and the exact form are at most 0.0005 apart, less than the spacing of bfloat16 where
    GELU is above 0.13. In bfloat16 on a CPU the exact form is used: its kernel is 3 to 5 times as
    fast.

    Example:
        >>> import torch
        >>> from albert_lib.model.layer import gelu_new
        >>> gelu_new(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.1588,  0.0000,  0.8412])
    """
    if inputs.dtype == torch.bfloat16 and inputs.device.type == "cpu":
        return F.gelu(inputs)
    return F.gelu(inputs, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": gelu_new,
    "relu": F.relu,
    "silu": F.silu,
    "gelu_10": gelu_10,
    "quick_gelu": quick_gelu,
}


def feed_forward(
    hidden: Float[Tensor, "*positions hidden"],
    intermediate: nn.Linear,
    projection: nn.Linear,
    activation: Callable[[Tensor], Tensor] = gelu_new,
) -> Float[Tensor, "*positions hidden"]:
    """Expand to the intermediate size, activate, project back: the same at every position.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from albert_lib.model import feed_forward
        >>> feed_forward(torch.randn(2, 5, 24), nn.Linear(24, 96), nn.Linear(96, 24)).shape
        torch.Size([2, 5, 24])
    """
    return projection(activation(intermediate(hidden)))


class FeedForward(nn.Module):
    """The two maps of `feed_forward`, the activation between them, and dropout.

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.layer import FeedForward
        >>> block = FeedForward(AlbertConfig(hidden_size=24, intermediate_size=96))
        >>> block.intermediate.weight.shape, block(torch.randn(2, 5, 24)).shape
        (torch.Size([96, 24]), torch.Size([2, 5, 24]))
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.intermediate = nn.Linear(config.hidden_size, config.intermediate_size)
        self.projection = nn.Linear(config.intermediate_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.hidden_act]
        # Google applies dropout to the result; Hugging Face builds it and never applies it.
        self.dropout = nn.Dropout(config.hidden_dropout_prob if config.ffn_dropout else 0.0)

    def forward(
        self, hidden: Float[Tensor, "*positions hidden"]
    ) -> Float[Tensor, "*positions hidden"]:
        """Apply the block to every position by itself."""
        return self.dropout(
            feed_forward(hidden, self.intermediate, self.projection, self.activation)
        )


def post_norm_layer(
    hidden: Float[Tensor, "*positions hidden"],
    attention: Callable[[Tensor], Tensor],
    attention_norm: nn.LayerNorm,
    feed_forward: Callable[[Tensor], Tensor],
    feed_forward_norm: nn.LayerNorm,
) -> Float[Tensor, "*positions hidden"]:
    """Both halves of a layer, each added to its own input and normalised afterwards.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from albert_lib.model import post_norm_layer
        >>> attention, feed_forward = nn.Linear(24, 24), nn.Linear(24, 24)  # stand-ins
        >>> post_norm_layer(
        ...     torch.randn(2, 5, 24), attention, nn.LayerNorm(24), feed_forward, nn.LayerNorm(24)
        ... ).shape
        torch.Size([2, 5, 24])
    """
    hidden = attention_norm(hidden + attention(hidden))
    return feed_forward_norm(hidden + feed_forward(hidden))


class AlbertLayer(nn.Module):
    """Attention and feed-forward block, each added to its input and normalised afterwards.

    Its parts may belong to other layers too: `sharing` decides which (encoder.py).

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.attention import SelfAttention
        >>> from albert_lib.model.layer import AlbertLayer, FeedForward, layer_norm
        >>> config = AlbertConfig(hidden_size=24, num_attention_heads=2, intermediate_size=96)
        >>> layer = AlbertLayer(
        ...     SelfAttention(config), layer_norm(config), FeedForward(config), layer_norm(config))
        >>> hidden, _ = layer(torch.randn(2, 5, 24))
        >>> hidden.shape
        torch.Size([2, 5, 24])
    """

    def __init__(
        self,
        attention: SelfAttention,
        attention_norm: nn.LayerNorm,
        feed_forward: FeedForward,
        feed_forward_norm: nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = attention_norm
        self.feed_forward = feed_forward
        self.feed_forward_norm = feed_forward_norm

    def forward(
        self,
        hidden: Float[Tensor, "batch seq hidden"],
        attention_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
        output_attentions: bool = False,
        positions: Int[Tensor, "chosen"] | None = None,
        cls_only: bool = False,
    ) -> tuple[Float[Tensor, "*positions hidden"], Float[Tensor, "batch heads queries seq"] | None]:
        """Apply the layer; return hidden states and, where asked for, attention probabilities.

        Given `positions`, flat indices into batch x seq, the hidden states are (chosen, hidden):
        everything after the attention is computed at these alone. With `cls_only` they are
        (batch, 1, hidden), those of each sequence's first position.
        """
        attended, probabilities = self.attention(
            hidden, attention_mask, output_attentions, positions, cls_only
        )
        if positions is not None:
            hidden = select_positions(hidden, positions)
        if cls_only:
            hidden = hidden[:, :1]
        hidden = post_norm_layer(
            hidden,
            lambda _: attended,  # computed already: at all positions, whichever go on from here
            self.attention_norm,
            self.feed_forward,
            self.feed_forward_norm,
        )
        return hidden if positions is None else hidden[0], probabilities


def layer_norm(config: AlbertConfig) -> nn.LayerNorm:
    """Make one LayerNorm of the encoder's width.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> layer_norm(AlbertConfig(hidden_size=768)).normalized_shape
        (768,)
    """
    return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
