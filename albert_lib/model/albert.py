"""The models: the encoder alone, and with its pretraining heads."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError
from albert_lib.model.embeddings import AlbertEmbeddings
from albert_lib.model.encoder import AlbertEncoder
from albert_lib.model.heads import MaskedLanguageModelHead, SentenceOrderHead
from albert_lib.model.outputs import AlbertOutput, MaskedLMOutput, PreTrainingOutput
from albert_lib.model.pretrained import PretrainedModel


class AlbertModel(PretrainedModel):
    """Embeddings, the shared-layer encoder and, unless left out, the pooler."""

    def __init__(self, config: AlbertConfig, pooler: bool = True) -> None:
        super().__init__(config)
        self.embeddings = AlbertEmbeddings(config)
        self.encoder = AlbertEncoder(config)
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size) if pooler else None
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> AlbertOutput:
        """Features of every piece, and of every sequence: tanh of a map of its [CLS].

        `attention_mask` is 1 at text and 0 at padding (default: all text). Raises InputError
        for ids out of range, masks of another shape and sequences longer than the positions.
        """
        _check_shapes(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        embedded = self.embeddings(input_ids, token_type_ids)
        states, attentions = self.encoder(embedded, attention_mask, output_attentions)
        pooled = None if self.pooler is None else torch.tanh(self.pooler(states[-1][:, 0]))
        return AlbertOutput(
            last_hidden_state=states[-1],
            pooler_output=pooled,
            hidden_states=tuple(states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )


class AlbertForPreTraining(PretrainedModel):
    """ALBERT with both pretraining heads."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.mlm_head = MaskedLanguageModelHead(config)
        self.sop_head = SentenceOrderHead(config)
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
        masked_positions: Int[Tensor, "predictions"] | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> PreTrainingOutput:
        """Scores of both heads.

        `masked_positions` are flat indices into batch x seq; given them, the vocabulary is
        scored there alone, which is where nearly all of the head's work is saved.
        """
        features = self.albert(
            input_ids, attention_mask, token_type_ids, output_hidden_states, output_attentions
        )
        hidden = _select(features.last_hidden_state, masked_positions)
        return PreTrainingOutput(
            prediction_logits=self.mlm_head(hidden, self.albert.embeddings.word_embeddings.weight),
            sop_logits=self.sop_head(features.pooler_output),
            hidden_states=features.hidden_states,
            attentions=features.attentions,
        )


class AlbertForMaskedLM(PretrainedModel):
    """ALBERT with the masked-language-model head alone, and so without a pooler."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, pooler=False)
        self.mlm_head = MaskedLanguageModelHead(config)
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
        masked_positions: Int[Tensor, "predictions"] | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> MaskedLMOutput:
        """Scores of every piece, at the masked positions alone where they are given."""
        features = self.albert(
            input_ids, attention_mask, token_type_ids, output_hidden_states, output_attentions
        )
        hidden = _select(features.last_hidden_state, masked_positions)
        return MaskedLMOutput(
            logits=self.mlm_head(hidden, self.albert.embeddings.word_embeddings.weight),
            hidden_states=features.hidden_states,
            attentions=features.attentions,
        )


def _select(
    hidden: Float[Tensor, "batch seq hidden"], positions: Int[Tensor, "predictions"] | None
) -> Float[Tensor, "*positions hidden"]:
    return hidden if positions is None else hidden.flatten(0, 1)[positions]


def _check_shapes(input_ids: Tensor, **others: Tensor | None) -> None:
    for name, tensor in others.items():
        if tensor is not None and tensor.shape != input_ids.shape:
            raise InputError(
                f"{name} has shape {tuple(tensor.shape)} but input_ids {tuple(input_ids.shape)}; "
                f"build both with one tokenizer call."
            )
