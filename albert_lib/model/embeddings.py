"""Factorised embeddings: three tables of width E, added and normalised (paper, section 3.1)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError


def factorized_embedding(
    input_ids: Int[Tensor, "batch seq"],
    token_type_ids: Int[Tensor, "batch seq"],
    words: nn.Embedding,
    positions: nn.Embedding,
    segments: nn.Embedding,
    norm: nn.LayerNorm,
    projection: nn.Linear,
) -> Float[Tensor, "batch seq hidden"]:
    """Look up three rows of width E, add and normalise them, then project from E to H.

    What a model does before its first layer, in one place, without checks and dropout:
    AlbertEmbeddings does the first half, AlbertEncoder the projection.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertModel
        >>> from albert_lib.model import factorized_embedding
        >>> model = AlbertModel(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> tables, ids = model.embeddings, torch.tensor([[2, 17, 42, 3]])
        >>> hidden = factorized_embedding(
        ...     ids, torch.zeros_like(ids), tables.word_embeddings, tables.position_embeddings,
        ...     tables.token_type_embeddings, tables.norm, model.encoder.embedding_projection)
        >>> torch.equal(hidden, model(ids, output_hidden_states=True).hidden_states[0])
        True
    """
    position_ids = torch.arange(input_ids.shape[1], device=input_ids.device)
    embedded = words(input_ids) + segments(token_type_ids) + positions(position_ids)
    return projection(norm(embedded))


class AlbertEmbeddings(nn.Module):
    """Word + position + segment, each a row of E numbers.

    The words' table is V x E instead of BERT's V x H; the encoder projects E to H afterwards.

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.embeddings import AlbertEmbeddings
        >>> embeddings = AlbertEmbeddings(AlbertConfig(vocab_size=100, embedding_size=16))
        >>> embeddings(torch.tensor([[2, 17, 42, 3]])).shape
        torch.Size([1, 4, 16])
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        # With Hugging Face the padding row starts at zero and gets no gradient from being looked
        # up; tied to the output, it is still trained as an answer. Google trains it both ways.
        self.word_embeddings = nn.Embedding(
            config.vocab_size,
            config.embedding_size,
            padding_idx=config.padding_row,
        )
        self.position_embeddings = nn.Embedding(
            config.max_position_embeddings, config.embedding_size
        )
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"] | None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
        position_ids: Int[Tensor, "*rows seq"] | None = None,
        inputs_embeds: Float[Tensor, "batch seq embedding"] | None = None,
    ) -> Float[Tensor, "batch seq embedding"]:
        """Embed ids, or word embeddings that are given instead of them.

        Without `token_type_ids` every token belongs to segment A (0); without `position_ids` the
        positions are 0, 1, 2, … Raises InputError for ids outside the vocabulary and sequences
        longer than the model's positions.
        """
        if inputs_embeds is None:
            assert input_ids is not None
            self._check_ids(input_ids, "input_ids", self.word_embeddings, _OTHER_TOKENIZER)
            inputs_embeds = self.word_embeddings(input_ids)
        length = inputs_embeds.shape[1]
        if position_ids is None:
            self._check_length(length)
            position_ids = torch.arange(length, device=inputs_embeds.device)
        else:
            self._check_ids(position_ids, "position_ids", self.position_embeddings, _TOO_LONG)
        if token_type_ids is None:
            token_type_ids = torch.zeros(
                inputs_embeds.shape[:2], dtype=torch.long, device=inputs_embeds.device
            )
        else:
            self._check_ids(token_type_ids, "token_type_ids", self.token_type_embeddings, _SEGMENTS)
        embedded = inputs_embeds + self.token_type_embeddings(token_type_ids)
        embedded = embedded + self.position_embeddings(position_ids)  # (seq, E) for every sentence
        return self.dropout(self.norm(embedded))

    def _check_length(self, length: int) -> None:
        longest = self.position_embeddings.num_embeddings
        if length > longest:
            raise InputError(
                f"The sequence has {length} tokens but the model has {longest} positions; "
                f"truncate it (tokenizer(..., max_length={longest})) or split it."
            )

    def _check_ids(self, ids: Tensor, name: str, table: nn.Embedding, remedy: str) -> None:
        if ids.numel() == 0:
            raise InputError(f"{name} is empty; give at least one token.")
        if ids.device.type != "cpu":
            return  # reading values would make the accelerator wait at every step
        low, high = (int(bound) for bound in torch.aminmax(ids))
        if low < 0 or high >= table.num_embeddings:
            wrong = low if low < 0 else high
            raise InputError(
                f"{name} holds {wrong}, outside 0 to {table.num_embeddings - 1}; {remedy}."
            )


_OTHER_TOKENIZER = "use the tokenizer that belongs to this model"
_SEGMENTS = "segments are numbered from 0"
_TOO_LONG = "truncate the sequence or number its positions from 0"
