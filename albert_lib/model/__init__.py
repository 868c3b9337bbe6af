"""The model: embeddings, shared-layer encoder, pretraining heads, and their files."""

from albert_lib.model.albert import AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.model.attention import explicit_attention
from albert_lib.model.losses import mlm_loss, sop_loss
from albert_lib.model.outputs import AlbertOutput, MaskedLMOutput, PreTrainingOutput

__all__ = [
    "AlbertForMaskedLM",
    "AlbertForPreTraining",
    "AlbertModel",
    "AlbertOutput",
    "MaskedLMOutput",
    "PreTrainingOutput",
    "explicit_attention",
    "mlm_loss",
    "sop_loss",
]
