"""The two pretraining heads: predicting masked tokens (MLM) and sentence order (SOP)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.model.layer import ACTIVATIONS


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
        narrow = self.norm(self.activation(self.dense(hidden)))  # (*positions, E)
        return F.linear(narrow, word_embeddings, self.bias)


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
