"""The two pretraining heads: predicting masked tokens (MLM) and sentence order (SOP)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.layer import ACTIVATIONS, gelu_new
from albert_lib.model.losses import NOT_PREDICTED


def masked_states(
    hidden: Float[Tensor, "*batch seq hidden"], labels: Int[Tensor, "*batch seq"]
) -> Float[Tensor, "predictions hidden"]:
    """The states of the tokens that the model is asked to predict, sentence by sentence.

    These are the tokens whose label is not -100. A batch from PretrainingBatches lists them as
    `masked_positions`, and a model that is given the list selects the same states by it.

    Example:
        >>> import torch
        >>> from albert_lib.model import masked_states
        >>> hidden = torch.tensor([[[1.0], [2.0], [3.0]]])  # 1 text, 3 tokens, H = 1
        >>> masked_states(hidden, torch.tensor([[-100, 7, -100]]))
        tensor([[2.]])
    """
    return hidden[labels != NOT_PREDICTED]


def tied_logits(
    states: Float[Tensor, "*positions hidden"],
    dense: nn.Linear,
    norm: nn.LayerNorm,
    words: Float[Tensor, "vocab embedding"],
    bias: Float[Tensor, "vocab"],
    activation: Callable[[Tensor], Tensor] = gelu_new,
) -> Float[Tensor, "*positions vocab"]:
    """Back from H to E, activate, normalise; then a score for every piece, by the word table.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from albert_lib.model import tied_logits
        >>> words = torch.randn(100, 16)  # V = 100, E = 16
        >>> tied_logits(
        ...     torch.randn(3, 24), nn.Linear(24, 16), nn.LayerNorm(16), words, torch.zeros(100)
        ... ).shape
        torch.Size([3, 100])
    """
    narrow = norm(activation(dense(states)))  # (*positions, E)
    return F.linear(narrow, words, bias)


def pooled_cls(
    hidden: Float[Tensor, "batch seq hidden"], pooler: nn.Linear
) -> Float[Tensor, "batch hidden"]:
    """One vector for a whole sequence: tanh of a linear map of its first token, [CLS].

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from albert_lib.model import pooled_cls
        >>> pooled_cls(torch.randn(2, 5, 24), nn.Linear(24, 24)).shape
        torch.Size([2, 24])
    """
    return torch.tanh(pooler(hidden[:, 0]))


class MaskedLanguageModelHead(nn.Module):
    """From a hidden state back to E numbers, then to a score for every piece of the vocabulary.

    The output matrix is the word embedding itself (tied), passed in at every call: the head
    owns only the map from H to E, its norm, and one bias a piece.

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.heads import MaskedLanguageModelHead
        >>> head = MaskedLanguageModelHead(AlbertConfig(vocab_size=100, embedding_size=16))
        >>> head(torch.randn(3, 768), torch.randn(100, 16)).shape
        torch.Size([3, 100])
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.activation = ACTIVATIONS[config.hidden_act]
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(
        self,
        hidden: Float[Tensor, "*positions hidden"],
        word_embeddings: Float[Tensor, "vocab embedding"],
    ) -> Float[Tensor, "*positions vocab"]:
        """Score every piece of the vocabulary at every position given."""
        return tied_logits(
            hidden, self.dense, self.norm, word_embeddings, self.bias, self.activation
        )


class SentenceOrderHead(nn.Module):
    """Two scores from the pooled [CLS]: in order, swapped (paper, section 3.1).

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.heads import SentenceOrderHead
        >>> SentenceOrderHead(AlbertConfig())(torch.randn(3, 768)).shape
        torch.Size([3, 2])
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        # Hugging Face applies dropout to the pooled [CLS] here; Google does not.
        self.dropout = nn.Dropout(config.classifier_dropout_prob if config.sop_dropout else 0.0)
        self.classifier = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch 2"]:
        """Score the two orders."""
        return self.classifier(self.dropout(pooled))
