"""What the models return: tensors with names, read as transformers' outputs are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from jaxtyping import Float
from torch import Tensor

from albert_lib.errors import InputError


@dataclass(kw_only=True)
class ModelOutput:
    """Base of all outputs: `out.logits`, `out["logits"]`, `out[0]`, `out.to_tuple()`.

    Indices count what is there, in the order of transformers' outputs: the loss where labels were
    given, the fields of the class, `hidden_states` (before the first layer and after every one)
    and `attentions` (one a layer, each (batch, heads, seq, seq)) where asked for.

    Example:
        >>> import torch
        >>> from albert_lib.model import MaskedLMOutput
        >>> out = MaskedLMOutput(logits=torch.zeros(1, 2, 3))
        >>> out[0] is out["logits"] is out.logits, out.keys()
        (True, ['logits'])
    """

    loss: Float[Tensor, ""] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None

    def to_tuple(self) -> tuple[Any, ...]:
        """Every value that is not None, in order.

        Example:
            >>> import torch
            >>> from albert_lib.model import QuestionAnsweringOutput
            >>> start, end = torch.zeros(1, 4), torch.ones(1, 4)
            >>> len(QuestionAnsweringOutput(start_logits=start, end_logits=end).to_tuple())
            2
        """
        return tuple(getattr(self, name) for name in self.keys())

    def keys(self) -> list[str]:
        """The names of the values that are not None, in order.

        Example:
            >>> import torch
            >>> from albert_lib.model import ClassifierOutput
            >>> ClassifierOutput(logits=torch.zeros(1, 2), loss=torch.zeros(())).keys()
            ['loss', 'logits']
        """
        common = [field.name for field in fields(ModelOutput)]
        own = [field.name for field in fields(self) if field.name not in common]
        in_order = ["loss", *own, "hidden_states", "attentions"]
        return [name for name in in_order if getattr(self, name) is not None]

    def __getitem__(self, key: str | int | slice) -> Any:
        if not isinstance(key, str):
            return self.to_tuple()[key]
        if key in self.keys():
            return getattr(self, key)
        raise KeyError(f"{key}; this {type(self).__name__} has {', '.join(self.keys())}")

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[Any]:
        # transformers' outputs give their keys here, where most people expect values.
        raise InputError(
            f"A {type(self).__name__} is not unpacked by itself; unpack output.to_tuple(), or go "
            f"through output.keys()."
        )


@dataclass(kw_only=True)
class AlbertOutput(ModelOutput):
    """Features of a batch of sequences.

    `last_hidden_state` is (batch, seq, hidden), or (predictions, hidden) when masked positions
    were given; `pooler_output` is None for a model without a pooler.

    Example:
        >>> import torch
        >>> AlbertOutput(last_hidden_state=torch.zeros(1, 5, 8)).keys()
        ['last_hidden_state']
    """

    last_hidden_state: Float[Tensor, "*positions hidden"]
    pooler_output: Float[Tensor, "batch hidden"] | None = None


@dataclass(kw_only=True)
class PreTrainingOutput(ModelOutput):
    """Scores of both pretraining heads, and with labels the sum of both losses.

    `prediction_logits` is (predictions, vocab) when the masked positions were given, else
    (batch, seq, vocab). `sop_logits` is (batch, 2): in order, swapped.

    Example:
        >>> import torch
        >>> logits = torch.zeros(1, 5, 30)
        >>> PreTrainingOutput(prediction_logits=logits, sop_logits=torch.zeros(1, 2)).keys()
        ['prediction_logits', 'sop_logits']
    """

    prediction_logits: Float[Tensor, "*positions vocab"]
    sop_logits: Float[Tensor, "batch 2"]


@dataclass(kw_only=True)
class MaskedLMOutput(ModelOutput):
    """Scores of every piece of the vocabulary, and with labels the MLM loss.

    `logits` is (predictions, vocab) when the masked positions were given, else
    (batch, seq, vocab).

    Example:
        >>> import torch
        >>> MaskedLMOutput(logits=torch.zeros(1, 5, 30)).logits.shape
        torch.Size([1, 5, 30])
    """

    logits: Float[Tensor, "*positions vocab"]


@dataclass(kw_only=True)
class ClassifierOutput(ModelOutput):
    """Scores of the classes of each text or token, or of the choices of each question.

    Example:
        >>> import torch
        >>> ClassifierOutput(logits=torch.tensor([[0.1, 2.0]])).logits.argmax(dim=-1).item()
        1
    """

    logits: Float[Tensor, "*batch classes"]


@dataclass(kw_only=True)
class QuestionAnsweringOutput(ModelOutput):
    """Scores of every token as the first and as the last of the answer.

    Example:
        >>> import torch
        >>> scores = torch.zeros(1, 5)
        >>> QuestionAnsweringOutput(start_logits=scores, end_logits=scores).keys()
        ['start_logits', 'end_logits']
    """

    start_logits: Float[Tensor, "batch seq"]
    end_logits: Float[Tensor, "batch seq"]
