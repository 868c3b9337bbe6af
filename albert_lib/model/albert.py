"""The models: the encoder alone, and with its pretraining heads."""

from __future__ import annotations

import torch
from jaxtyping import Int
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
        positions: Int[Tensor, "chosen"] | None = None,
    ) -> AlbertOutput:
        """Features of every piece, and of every sequence: tanh of a map of its [CLS].

        `attention_mask` is 1 at text and 0 at padding (default: all text). Given `positions`,
        flat indices into batch x seq, last_hidden_state is (chosen, hidden): these alone, which
        spares most of the last layer. Raises InputError for ids out of range, masks of another
        shape and sequences longer than the model's positions.
        """
        _check_shapes(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        if attention_mask is not None and _hides_nothing(attention_mask):
            attention_mask = None
        embedded = self.embeddings(input_ids, token_type_ids)
        wanted = None
        if positions is not None and not output_hidden_states:  # the chosen, then every [CLS]
            batch, length = input_ids.shape
            first = torch.arange(0, batch * length, length, device=input_ids.device)
            wanted = torch.cat([positions, first])
        states, attentions = self.encoder(embedded, attention_mask, output_attentions, wanted)
        if positions is None:
            last, summary = states[-1], states[-1][:, 0]
        elif wanted is None:
            last, summary = states[-1].flatten(0, 1)[positions], states[-1][:, 0]
        else:
            last, summary = states[-1].tensor_split([len(positions)])
        return AlbertOutput(
            last_hidden_state=last,
            pooler_output=None if self.pooler is None else torch.tanh(self.pooler(summary)),
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
            input_ids,
            attention_mask,
            token_type_ids,
            output_hidden_states,
            output_attentions,
            masked_positions,
        )
        words = self.albert.embeddings.word_embeddings.weight
        return PreTrainingOutput(
            prediction_logits=self.mlm_head(features.last_hidden_state, words),
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
            input_ids,
            attention_mask,
            token_type_ids,
            output_hidden_states,
            output_attentions,
            masked_positions,
        )
        words = self.albert.embeddings.word_embeddings.weight
        return MaskedLMOutput(
            logits=self.mlm_head(features.last_hidden_state, words),
            hidden_states=features.hidden_states,
            attentions=features.attentions,
        )


def _hides_nothing(attention_mask: Tensor) -> bool:
    """Whether there is no padding; on an accelerator, looking would make it wait, so: no."""
    return attention_mask.device.type == "cpu" and bool(attention_mask.all())


def _check_shapes(input_ids: Tensor, **others: Tensor | None) -> None:
    for name, tensor in others.items():
        if tensor is not None and tensor.shape != input_ids.shape:
            raise InputError(
                f"{name} has shape {tuple(tensor.shape)} but input_ids {tuple(input_ids.shape)}; "
                f"build both with one tokenizer call."
            )
