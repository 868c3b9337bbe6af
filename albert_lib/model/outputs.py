"""What the models return: tensors with names."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass
class AlbertOutput:
    """Features of a batch of sequences.

    `last_hidden_state` is (batch, seq, hidden), or (chosen, hidden) when positions were given.
    `hidden_states` (before the first layer and after every one) and `attentions` (one a layer,
    each (batch, heads, seq, seq)) are there only when asked for.
    """

    last_hidden_state: Float[Tensor, "*positions hidden"]
    pooler_output: Float[Tensor, "batch hidden"] | None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class PreTrainingOutput:
    """Scores of both pretraining heads.

    `prediction_logits` is (predictions, vocab) when the masked positions were given, else
    (batch, seq, vocab). `sop_logits` is (batch, 2): in order, swapped.
    """

    prediction_logits: Float[Tensor, "*positions vocab"]
    sop_logits: Float[Tensor, "batch 2"]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class MaskedLMOutput:
    """Scores of every piece of the vocabulary.

    `logits` is (predictions, vocab) when the masked positions were given, else
    (batch, seq, vocab).
    """

    logits: Float[Tensor, "*positions vocab"]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class ClassifierOutput:
    """Scores of the classes of each text, or of the choices of each question."""

    logits: Float[Tensor, "batch classes"]


@dataclass
class QuestionAnsweringOutput:
    """Scores of every piece as the first and as the last of the answer."""

    start_logits: Float[Tensor, "batch seq"]
    end_logits: Float[Tensor, "batch seq"]
