"""The model: embeddings, shared-layer encoder, heads for pretraining and tasks, and its files."""

from albert_lib.model.albert import AlbertModel
from albert_lib.model.attention import explicit_attention
from albert_lib.model.conditioned_spans import (
    AlbertForConditionedSpans,
    ConditionedSpanOutput,
)
from albert_lib.model.losses import mlm_loss, sop_loss
from albert_lib.model.outputs import (
    AlbertOutput,
    ClassifierOutput,
    MaskedLMOutput,
    PreTrainingOutput,
    QuestionAnsweringOutput,
)
from albert_lib.model.tasks import (
    AlbertForMaskedLM,
    AlbertForMultipleChoice,
    AlbertForPreTraining,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
)

__all__ = [
    "AlbertForConditionedSpans",
    "AlbertForMaskedLM",
    "AlbertForMultipleChoice",
    "AlbertForPreTraining",
    "AlbertForQuestionAnswering",
    "AlbertForSequenceClassification",
    "AlbertModel",
    "AlbertOutput",
    "ClassifierOutput",
    "ConditionedSpanOutput",
    "MaskedLMOutput",
    "PreTrainingOutput",
    "QuestionAnsweringOutput",
    "explicit_attention",
    "mlm_loss",
    "sop_loss",
]
