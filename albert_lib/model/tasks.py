"""ALBERT with a task's head: classes of texts, spans of answers, choices (paper, appendix A.4)."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError
from albert_lib.model.albert import AlbertModel
from albert_lib.model.outputs import ClassifierOutput, QuestionAnsweringOutput
from albert_lib.model.pretrained import PretrainedModel


class AlbertForSequenceClassification(PretrainedModel):
    """One score a class from the pooled [CLS]: sentiment, inference, or one number to regress."""

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("classifier", "albert.pooler")

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
    ) -> ClassifierOutput:
        """Score every class of `config.labels` for every text: logits (batch, classes)."""
        pooled = self.albert(input_ids, attention_mask, token_type_ids).pooler_output
        return ClassifierOutput(logits=self.classifier(self.dropout(pooled)))


class AlbertForMultipleChoice(PretrainedModel):
    """One score a choice, from the pooled [CLS] of question and choice read together."""

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("classifier", "albert.pooler")

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch choices seq"],
        attention_mask: Int[Tensor, "batch choices seq"] | None = None,
        token_type_ids: Int[Tensor, "batch choices seq"] | None = None,
    ) -> ClassifierOutput:
        """Score every choice of every question: logits (batch, choices).

        Raises InputError when the inputs have no dimension of choices.
        """
        if input_ids.dim() != 3:
            raise InputError(
                f"input_ids has shape {tuple(input_ids.shape)}, but choices are read from "
                f"(batch, choices, seq); stack the choices of each question."
            )
        ids, mask, segments = (
            None if tensor is None else tensor.flatten(0, 1)
            for tensor in (input_ids, attention_mask, token_type_ids)
        )
        pooled = self.albert(ids, mask, segments).pooler_output  # (batch * choices, hidden)
        scores = self.classifier(self.dropout(pooled))
        return ClassifierOutput(logits=scores.view(input_ids.shape[:2]))


class AlbertForQuestionAnswering(PretrainedModel):
    """Two scores a piece: does the answer start here, does it end here (SQuAD)."""

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("qa_outputs",)

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, pooler=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
    ) -> QuestionAnsweringOutput:
        """Score every piece as the start and as the end: two tensors (batch, seq)."""
        states = self.albert(input_ids, attention_mask, token_type_ids).last_hidden_state
        scores: Float[Tensor, "batch seq 2"] = self.qa_outputs(states)
        return QuestionAnsweringOutput(start_logits=scores[..., 0], end_logits=scores[..., 1])
