"""Factorised embeddings: three tables of width E, added and normalised (paper, section 3.1)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError


class AlbertEmbeddings(nn.Module):
    """Word + position + segment, each a row of E numbers.

    The words' table is V x E instead of BERT's V x H; the encoder widens E to H afterwards.
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        # With Hugging Face the padding row starts at zero and learns nothing from being looked up;
        # tied to the output, it is still trained as an answer. Google trains it both ways.
        self.word_embeddings = nn.Embedding(
            config.vocab_size,
            config.embedding_size,
            padding_idx=None if config.train_padding_row else config.pad_token_id,
        )
        self.position_embeddings = nn.Embedding(
            config.max_position_embeddings, config.embedding_size
        )
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
    ) -> Float[Tensor, "batch seq embedding"]:
        """Embed ids; without `token_type_ids` every piece belongs to segment A (0).

        Raises InputError for ids outside the vocabulary and sequences without a position.
        """
        self._check(input_ids, token_type_ids)
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        embedded = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        embedded = embedded + self.position_embeddings(positions)  # (seq, E) for every sentence
        return self.dropout(self.norm(embedded))

    def _check(self, input_ids: Tensor, token_type_ids: Tensor | None) -> None:
        length, longest = input_ids.shape[1], self.position_embeddings.num_embeddings
        if length > longest:
            raise InputError(
                f"The sequence has {length} pieces but the model knows {longest} positions; "
                f"truncate it (tokenizer(..., max_length={longest})) or split it."
            )
        if input_ids.device.type != "cpu":
            return  # looking at values would make the accelerator wait at every step
        _check_range(input_ids, self.word_embeddings.num_embeddings, "input_ids", _OTHER_TOKENIZER)
        if token_type_ids is not None:
            _check_range(
                token_type_ids,
                self.token_type_embeddings.num_embeddings,
                "token_type_ids",
                "segments are numbered from 0",
            )


_OTHER_TOKENIZER = "use the tokenizer that belongs to this model"


def _check_range(ids: Tensor, size: int, name: str, remedy: str) -> None:
    if ids.numel() == 0:
        raise InputError(f"{name} is empty; give at least one piece.")
    low, high = (int(bound) for bound in torch.aminmax(ids))
    if low < 0 or high >= size:
        wrong = low if low < 0 else high
        raise InputError(f"{name} holds {wrong}, outside 0 to {size - 1}; {remedy}.")
