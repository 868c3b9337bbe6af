"""SQuAD 2.0's head: where an answer ends depends on where it starts, and there may be none.

The paper's code (`create_v2_model` in google-research/albert squad_utils.py), which took it from
XLNet. Three scores are computed from the last hidden states, without the pooler:

- **start**: a linear map of every state.
- **end**, given a start: every state beside that of the start, through a hidden layer. In training
  the start is the right one; otherwise the five likeliest starts are tried, and of each the five
  likeliest ends are kept.
- **no answer**: the state expected under the start's probabilities beside that of [CLS], through
  another hidden layer. High where the question has no answer in this window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError
from albert_lib.model.albert import AlbertModel
from albert_lib.model.inputs import check_all_labels, check_no_unknown
from albert_lib.model.outputs import ModelOutput
from albert_lib.model.weights import PretrainedModel

# Subtracted from everything in the paper's code. Finite in float32, in which all scores are kept:
# in float16 it would be minus infinity, and a row of nothing else NaN.
MASKED_SCORE = -1e30
NORM_EPS = 1e-12  # whatever the encoder's is
N_STARTS = N_ENDS = 5
# What the model takes and hands on to AlbertModel.
OTHERS = ("position_ids", "inputs_embeds", "output_hidden_states", "output_attentions")


@dataclass(kw_only=True)
class ConditionedSpanOutput(ModelOutput):
    """Scores of starts, ends and of there being no answer; all of them float32.

    Without labels there are the likeliest starts of each row and, of each start, its likeliest
    ends, the likeliest first, fewer than five where the sequence is shorter. With labels there are
    the loss, in nats, and `end_logits`, given the right start. Masked positions have -1e30.

    Attributes:
        start_logits: Of every position.
        end_logits: Of every position, given the right start.
        no_answer_logits: The log odds that the question has no answer in this window.
        top_starts: Positions; `top_start_log_probs` are their log probabilities.
        top_ends: Positions; `top_end_log_probs` are those given the start of the same row.

    Example:
        >>> import torch
        >>> ConditionedSpanOutput(
        ...     start_logits=torch.zeros(1, 5), no_answer_logits=torch.zeros(1)).keys()
        ['start_logits', 'no_answer_logits']
    """

    start_logits: Float[Tensor, "batch seq"]
    end_logits: Float[Tensor, "batch seq"] | None = None
    no_answer_logits: Float[Tensor, "batch"]
    top_starts: Int[Tensor, "batch starts"] | None = None
    top_start_log_probs: Float[Tensor, "batch starts"] | None = None
    top_ends: Int[Tensor, "batch starts ends"] | None = None
    top_end_log_probs: Float[Tensor, "batch starts ends"] | None = None


class ConditionedSpanHead(nn.Module):
    """The three scores, from hidden states; a mask says where no answer starts or ends.

    Example:
        >>> import torch
        >>> from albert_lib.config import AlbertConfig
        >>> head = ConditionedSpanHead(AlbertConfig(hidden_size=24))
        >>> states, p_mask = torch.randn(2, 7, 24), torch.zeros(2, 7, dtype=torch.bool)
        >>> head.end_logits(states, states[:, :3], p_mask).shape
        torch.Size([2, 3, 7])
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.start = nn.Linear(width, 1)
        self.end_hidden = nn.Linear(2 * width, width)
        self.end_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.end = nn.Linear(width, 1)
        self.no_answer_hidden = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.no_answer = nn.Linear(width, 1, bias=False)

    def start_logits(
        self, states: Float[Tensor, "batch seq hidden"], p_mask: Bool[Tensor, "batch seq"]
    ) -> Float[Tensor, "batch seq"]:
        """Score every position as the start."""
        return _masked(self.start(states)[..., 0], p_mask)

    def end_logits(
        self,
        states: Float[Tensor, "batch seq hidden"],
        start_states: Float[Tensor, "batch starts hidden"],
        p_mask: Bool[Tensor, "batch seq"],
    ) -> Float[Tensor, "batch starts seq"]:
        """Score every position as the end, given the state of each of several starts."""
        # A linear map of two vectors side by side is the sum of a map of each, so the states are
        # mapped once for all starts.
        of_state, of_start = self.end_hidden.weight.tensor_split(2, dim=1)
        hidden = torch.tanh(
            F.linear(states, of_state)[:, None]
            + F.linear(start_states, of_start, self.end_hidden.bias)[:, :, None]
        )  # (batch, starts, seq, hidden)
        return _masked(self.end(self.end_norm(hidden))[..., 0], p_mask[:, None])

    def no_answer_logits(
        self,
        states: Float[Tensor, "batch seq hidden"],
        start_logits: Float[Tensor, "batch seq"],
    ) -> Float[Tensor, "batch"]:
        """Score that there is no answer; the gradient goes through the start's probabilities."""
        probabilities = start_logits.softmax(dim=-1).to(states.dtype)
        expected = (probabilities[:, None] @ states)[:, 0]  # (batch, hidden)
        both = torch.cat([expected, states[:, 0].to(expected.dtype)], dim=-1)
        hidden = torch.tanh(self.no_answer_hidden(both))
        return self.no_answer(self.dropout(hidden))[:, 0].float()


class AlbertForConditionedSpans(PretrainedModel):
    """ALBERT with SQuAD 2.0's head: spans whose end depends on the start, or no answer.

    Labels, all three or none: `start_positions` and `end_positions`, (batch,) each, 0 where the
    window has no answer, and `is_impossible`, (batch,), 1 there. The loss is half the mean of the
    cross-entropies of start and end, and half the binary cross-entropy of `is_impossible`.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForConditionedSpans
        >>> model = AlbertForConditionedSpans(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> ids = torch.tensor([[2, 17, 3, 42, 43, 3]])
        >>> output = model(ids, token_type_ids=torch.tensor([[0, 0, 0, 1, 1, 1]]))
        >>> sorted(output.top_starts[0, :3].tolist())  # [CLS] and the passage
        [0, 3, 4]
        >>> output.top_ends.shape
        torch.Size([1, 5, 5])
    """

    NEW_PARTS: ClassVar[tuple[str, ...]] = ("span_head",)
    LABELS: ClassVar[tuple[str, ...]] = ("start_positions", "end_positions", "is_impossible")

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, pooler=False)
        self.span_head = ConditionedSpanHead(config)
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"] | None = None,
        attention_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
        *,
        p_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
        **labels_and_others: Any,
    ) -> ConditionedSpanOutput:
        """Score starts, ends and that there is no answer; with labels, also compute the loss.

        Args:
            input_ids: [CLS] question [SEP] window [SEP].
            attention_mask: 1 at text, 0 at padding; default: all text.
            token_type_ids: 0 in the question, 1 in the window.
            p_mask: 1 where no answer may start or end; default: all but the window and [CLS].
            labels_and_others: The labels, and AlbertModel's other arguments, by name.

        Raises:
            InputError: for whatever does not fit; on a CPU also for labels at masked positions.
        """
        check_no_unknown(type(self).__name__, labels_and_others, (*self.LABELS, *OTHERS))
        others = {name: each for name, each in labels_and_others.items() if name in OTHERS}
        features = self.albert(input_ids, attention_mask, token_type_ids, **others)
        states = features.last_hidden_state
        if p_mask is None:
            p_mask = mask_outside_window(token_type_ids, attention_mask)
        start_logits = self.span_head.start_logits(states, p_mask.bool())
        output = ConditionedSpanOutput(
            start_logits=start_logits,
            no_answer_logits=self.span_head.no_answer_logits(states, start_logits),
            hidden_states=features.hidden_states,
            attentions=features.attentions,
        )
        given = {name: labels_and_others.get(name) for name in self.LABELS}
        if any(label is not None for label in given.values()):
            self._add_loss(output, states, p_mask.bool(), given)
        else:
            self._add_likeliest(output, states, p_mask.bool())
        return output

    def _add_loss(
        self,
        output: ConditionedSpanOutput,
        states: Tensor,
        p_mask: Tensor,
        given: dict[str, Tensor | None],
    ) -> None:
        labels = {name: label.flatten() for name, label in given.items() if label is not None}
        check_all_labels(type(self).__name__, self.LABELS, labels)
        start, end, is_impossible = (labels[name] for name in self.LABELS)
        for name in self.LABELS[:2]:
            _check_not_masked(name, labels[name], p_mask)
        right = _select(states, start[:, None])
        output.end_logits = self.span_head.end_logits(states, right, p_mask)[:, 0]
        span = F.cross_entropy(output.start_logits, start.long())
        span = (span + F.cross_entropy(output.end_logits, end.long())) / 2
        impossible = F.binary_cross_entropy_with_logits(
            output.no_answer_logits, is_impossible.float()
        )
        output.loss = span + impossible / 2

    def _add_likeliest(self, output: ConditionedSpanOutput, states: Tensor, p_mask: Tensor) -> None:
        length = states.shape[1]
        log_probs = output.start_logits.log_softmax(dim=-1)
        top = log_probs.topk(min(N_STARTS, length))
        output.top_start_log_probs, output.top_starts = top.values, top.indices
        end_logits = self.span_head.end_logits(states, _select(states, top.indices), p_mask)
        top = end_logits.log_softmax(dim=-1).topk(min(N_ENDS, length))
        output.top_end_log_probs, output.top_ends = top.values, top.indices


def mask_outside_window(
    token_type_ids: Int[Tensor, "batch seq"] | None,
    attention_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
) -> Bool[Tensor, "batch seq"]:
    """Where no answer may start or end: not in the second segment, its [SEP], padding.

    [CLS] is left: a question without an answer starts and ends there. InputError without segments.

    Example:
        >>> import torch
        >>> from albert_lib.model.conditioned_spans import mask_outside_window
        >>> segments = torch.tensor([[0, 0, 0, 1, 1, 1, 0]])  # [CLS] who [SEP] old mill [SEP] <pad>
        >>> mask_outside_window(segments, torch.tensor([[1, 1, 1, 1, 1, 1, 0]])).int()
        tensor([[0, 1, 1, 0, 0, 1, 1]], dtype=torch.int32)
    """
    if token_type_ids is None:
        raise InputError(
            "Nothing says where the window is that may hold the answer; give token_type_ids, 1 in "
            "the window, or p_mask."
        )
    position = torch.arange(token_type_ids.shape[1], device=token_type_ids.device)
    in_window = token_type_ids == 1
    if attention_mask is not None:
        in_window = in_window & attention_mask.bool()
    last = (position * in_window).amax(dim=1, keepdim=True)  # [SEP]
    return ~((in_window & (position != last)) | (position == 0))


def _masked(logits: Tensor, p_mask: Tensor) -> Tensor:
    """Logits in float32, and -1e30 where the mask is set."""
    return logits.float().masked_fill(p_mask, MASKED_SCORE)


def _select(
    states: Float[Tensor, "batch seq hidden"], positions: Int[Tensor, "batch chosen"]
) -> Float[Tensor, "batch chosen hidden"]:
    """The states at some positions of each row."""
    return states.gather(1, positions.long()[..., None].expand(-1, -1, states.shape[2]))


def _check_not_masked(name: str, positions: Tensor, p_mask: Tensor) -> None:
    """Raise InputError for a label that no score can reach; its loss would be 1e30.

    Reading it would make an accelerator wait.
    """
    if positions.device.type != "cpu":
        return
    inside = (positions >= 0) & (positions < p_mask.shape[1])
    at = positions.long().clamp(0, p_mask.shape[1] - 1)[:, None]
    wrong = ~inside | p_mask.gather(1, at)[:, 0]
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        raise InputError(
            f"{name}[{row}] is {int(positions[row])}, where no answer may start or end; give a "
            f"position in the window, or 0, [CLS], where the window has no answer."
        )
