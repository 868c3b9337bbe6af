"""ALBERT with the heads of pretraining: both, or that for masked tokens alone."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.model.albert import AlbertWithHead
from albert_lib.model.heads import MaskedLanguageModelHead, SentenceOrderHead
from albert_lib.model.losses import mlm_loss, sop_loss
from albert_lib.model.outputs import AlbertOutput, MaskedLMOutput, PreTrainingOutput


class AlbertForPreTraining(AlbertWithHead[PreTrainingOutput]):
    """ALBERT with both pretraining heads: masked tokens (MLM) and sentence order (SOP).

    Given `masked_positions`, the vocabulary is scored there alone, which spares nearly all of the
    head's work. Labels: `labels`, (batch, seq) with -100 where nothing is predicted or
    (predictions,), and `sentence_order_label`, 0 in order and 1 swapped; the loss is the sum of
    both losses.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForPreTraining
        >>> model = AlbertForPreTraining(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> ids = torch.tensor([[2, 17, 4, 3]])
        >>> output = model(ids, masked_positions=torch.tensor([2]))
        >>> output.prediction_logits.shape, output.sop_logits.shape
        (torch.Size([1, 100]), torch.Size([1, 2]))
    """

    LABELS: ClassVar[tuple[str, ...]] = ("labels", "sentence_order_label")

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.mlm_head = MaskedLanguageModelHead(config)
        self.sop_head = SentenceOrderHead(config)
        self.initialise()

    def score(self, features: AlbertOutput, shape: torch.Size) -> PreTrainingOutput:
        """Scores of both heads."""
        words = self.albert.embeddings.word_embeddings.weight
        return PreTrainingOutput(
            prediction_logits=self.mlm_head(features.last_hidden_state, words),
            sop_logits=self.sop_head(features.pooler_output),
        )

    def loss(
        self, output: PreTrainingOutput, labels: dict[str, Tensor], masked_positions: Tensor | None
    ) -> Tensor:
        """MLM loss + SOP loss, in nats."""
        masked = mlm_loss(output.prediction_logits, _at(labels["labels"], masked_positions))
        return masked + sop_loss(output.sop_logits, labels["sentence_order_label"].flatten())


class AlbertForMaskedLM(AlbertWithHead[MaskedLMOutput]):
    """ALBERT with the masked-language-model head alone, and so without a pooler.

    Given `masked_positions`, the vocabulary is scored there alone. Labels: `labels`, (batch, seq)
    with -100 where nothing is predicted, or (predictions,).

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForMaskedLM
        >>> model = AlbertForMaskedLM(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> ids, labels = torch.tensor([[2, 17, 4, 3]]), torch.tensor([[-100, -100, 42, -100]])
        >>> output = model(ids, labels=labels)
        >>> output.logits.shape, output.loss.shape
        (torch.Size([1, 4, 100]), torch.Size([]))
    """

    POOLER: ClassVar[bool] = False

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.mlm_head = MaskedLanguageModelHead(config)
        self.initialise()

    def score(self, features: AlbertOutput, shape: torch.Size) -> MaskedLMOutput:
        """Scores of every piece of the vocabulary."""
        words = self.albert.embeddings.word_embeddings.weight
        return MaskedLMOutput(logits=self.mlm_head(features.last_hidden_state, words))

    def loss(
        self, output: MaskedLMOutput, labels: dict[str, Tensor], masked_positions: Tensor | None
    ) -> Tensor:
        """MLM loss in nats."""
        return mlm_loss(output.logits, _at(labels["labels"], masked_positions))


def _at(labels: Tensor, masked_positions: Tensor | None) -> Tensor:
    """Labels of a batch at the masked positions; those given for these alone stay as they are."""
    if masked_positions is None or labels.shape == masked_positions.shape:
        return labels
    return labels.flatten()[masked_positions]
