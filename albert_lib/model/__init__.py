"""The model: embeddings, shared-layer encoder, heads for pretraining and tasks, and its files."""

from albert_lib.model.albert import AlbertModel
from albert_lib.model.attention import explicit_attention, split_heads
from albert_lib.model.conditioned_spans import (
    AlbertForConditionedSpans,
    ConditionedSpanOutput,
)
from albert_lib.model.embeddings import factorized_embedding
from albert_lib.model.encoder import share_across_depth
from albert_lib.model.heads import masked_states, pooled_cls, tied_logits
from albert_lib.model.layer import feed_forward, post_norm_layer
from albert_lib.model.losses import mlm_loss, sop_loss
from albert_lib.model.outputs import (
    AlbertOutput,
    ClassifierOutput,
    MaskedLMOutput,
    PreTrainingOutput,
    QuestionAnsweringOutput,
)
from albert_lib.model.pretraining_model import AlbertForMaskedLM, AlbertForPreTraining
from albert_lib.model.tasks import (
    AlbertForMultipleChoice,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
    AlbertForTokenClassification,
)

__all__ = [
    "AlbertForConditionedSpans",
    "AlbertForMaskedLM",
    "AlbertForMultipleChoice",
    "AlbertForPreTraining",
    "AlbertForQuestionAnswering",
    "AlbertForSequenceClassification",
    "AlbertForTokenClassification",
    "AlbertModel",
    "AlbertOutput",
    "ClassifierOutput",
    "ConditionedSpanOutput",
    "MaskedLMOutput",
    "PreTrainingOutput",
    "QuestionAnsweringOutput",
    "explicit_attention",
    "factorized_embedding",
    "feed_forward",
    "masked_states",
    "mlm_loss",
    "pooled_cls",
    "post_norm_layer",
    "share_across_depth",
    "sop_loss",
    "split_heads",
    "tied_logits",
]
