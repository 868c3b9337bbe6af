"""An ALBERT put together from a learner's own functions, with the library's weights and numbers."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.errors import ConfigError, InputError
from albert_lib.model import AlbertForPreTraining, PreTrainingOutput
from albert_lib.model.inputs import check_inputs
from albert_lib.model.losses import NOT_PREDICTED
from albert_lib.objectives import PretrainingBatch
from albert_lib.text import AlbertTokenizer
from albert_lib.workbook.my_pieces import Pieces
from albert_lib.workbook.my_training import TrainedCurve, learn

# What the pieces do not do; a configuration that asks for it would give other numbers.
NO_PIECE_FOR = {
    "sharing": "all",
    "num_hidden_groups": 1,
    "inner_group_num": 1,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "additive_mask": False,
}


class MyAlbert(AlbertForPreTraining):
    """The library's AlbertForPreTraining, weight by weight, computed by other functions.

    Its forward pass and losses are composed of the pieces alone, called with the parts of the
    model. Both models load each other's weights. Raises ConfigError for a configuration that the
    pieces do not know.

    Example:
        >>> config = AlbertConfig(vocab_size=100, hidden_size=24, num_hidden_layers=2,
        ...     intermediate_size=48, num_attention_heads=2)
        >>> mine, library = MyAlbert(config), AlbertForPreTraining(config)
        >>> len(mine.load_state_dict(library.state_dict()).missing_keys)
        0
    """

    def __init__(self, config: AlbertConfig, pieces: Pieces | None = None) -> None:
        for name, value in NO_PIECE_FOR.items():
            if getattr(config, name) != value:
                raise ConfigError(
                    f"{name} is {getattr(config, name)!r}; my ALBERT has pieces for {value!r} only."
                )
        super().__init__(config)
        self.pieces = Pieces() if pieces is None else pieces

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        masked_positions: Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        **others: Any,
    ) -> PreTrainingOutput:
        """Scores of both heads: (batch, seq, V), or (predictions, V) at `masked_positions`.

        Raises InputError for whatever the pieces do not take.
        """
        if unknown := sorted(name for name, value in others.items() if value is not None):
            raise InputError(f"My ALBERT takes no {unknown[0]}; give it to the library's model.")
        if input_ids is None or output_attentions:
            raise InputError("My ALBERT reads input_ids and returns scores alone; give it those.")
        check_inputs(
            "My ALBERT", input_ids, None,
            attention_mask=attention_mask, token_type_ids=token_type_ids,
        )  # fmt: skip
        states = self.states(input_ids, attention_mask, token_type_ids)
        chosen = torch.arange(input_ids.numel(), device=input_ids.device)
        if masked_positions is not None:  # perhaps out of order, or twice
            chosen, back = masked_positions.unique(return_inverse=True)
        labels = torch.full_like(input_ids, NOT_PREDICTED).flatten()
        labels[chosen] = 0
        logits = self.scores(states[-1], labels.view_as(input_ids))
        whole = masked_positions is None
        logits = logits.unflatten(0, input_ids.shape) if whole else logits[back]
        return PreTrainingOutput(
            prediction_logits=logits,
            sop_logits=self.order_scores(states[-1]),
            hidden_states=tuple(states) if output_hidden_states else None,
        )

    def states(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> list[Tensor]:
        """The hidden states (batch, seq, H) before the first layer and after every one."""
        pieces, tables, encoder = self.pieces, self.albert.embeddings, self.albert.encoder
        layer: Any = encoder.layers[0]
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        block = layer.feed_forward

        def attention(hidden: Tensor) -> Tensor:
            own = layer.attention
            matrices = own.query, own.key, own.value
            heads = [pieces("3.3", matrix(hidden), own.heads) for matrix in matrices]
            context, _ = pieces("3.2", *heads, mask)
            return own.output(context.transpose(1, 2).flatten(2))

        def feed_forward(hidden: Tensor) -> Tensor:
            return pieces("3.4", hidden, block.intermediate, block.projection)

        def one_layer(hidden: Tensor) -> Tensor:
            norms = layer.attention_norm, layer.feed_forward_norm
            return pieces("3.5", hidden, attention, norms[0], feed_forward, norms[1])

        embedded = pieces(
            "3.1", input_ids, segments, tables.word_embeddings, tables.position_embeddings,
            tables.token_type_embeddings, tables.norm, encoder.embedding_projection,
        )  # fmt: skip
        return pieces("3.6", embedded, one_layer, len(encoder.layers))

    def scores(self, last: Tensor, labels: Tensor) -> Tensor:
        """The MLM head's scores (predictions, V) where the labels ask for them, in their order."""
        chosen = self.pieces("4.1", last, labels)
        head, words = self.mlm_head, self.albert.embeddings.word_embeddings.weight
        return self.pieces("4.2", chosen, head.dense, head.norm, words, head.bias)

    def order_scores(self, last: Tensor) -> Tensor:
        """The SOP head's two scores (batch, 2)."""
        return self.sop_head(self.pieces("4.4", last, self.albert.pooler))

    def losses(self, batch: PretrainingBatch) -> dict[str, Tensor]:
        """Both losses, "mlm_loss" and "sop_loss", and their sum "loss", in nats."""
        labels = torch.full_like(batch.input_ids, NOT_PREDICTED).flatten()
        labels[batch.masked_positions] = batch.masked_labels
        labels = labels.view_as(batch.input_ids)
        last = self.states(batch.input_ids, batch.attention_mask, batch.token_type_ids)[-1]
        asked = labels[labels != NOT_PREDICTED]
        mlm = self.pieces("4.3", self.scores(last, labels)[None], asked[None])
        sop = self.pieces("4.5", self.order_scores(last), batch.sop_labels)
        return {"loss": mlm + sop, "mlm_loss": mlm, "sop_loss": sop}

    def learn(
        self,
        seconds: float | int = 60,
        *,
        store: TokenStore | None = None,
        tokenizer: AlbertTokenizer | None = None,
        seed: int = 0,
    ) -> TrainedCurve:
        """Train for so many seconds, on `store` or else the standard library's documentation.

        Batches are cut by the pieces of chapter 02, steps taken by those of chapter 05. Interrupt
        it and the curve ends there.
        """
        return learn(self, self.pieces, seconds, store=store, tokenizer=tokenizer, seed=seed)

    def as_library(self) -> AlbertForPreTraining:
        """The library's model with a copy of these weights.

        Example:
            >>> config = AlbertConfig(vocab_size=100, hidden_size=24, num_hidden_layers=2,
            ...     intermediate_size=48, num_attention_heads=2)
            >>> type(MyAlbert(config).as_library()).__name__
            'AlbertForPreTraining'
        """
        model = AlbertForPreTraining(self.config)
        model.load_state_dict(copy.deepcopy(self.state_dict()))
        return model.train(self.training)
