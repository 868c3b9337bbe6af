"""AlbertModel, the encoder alone, and what every model with a head has in common."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError
from albert_lib.model.embeddings import AlbertEmbeddings
from albert_lib.model.encoder import AlbertEncoder
from albert_lib.model.heads import pooled_cls
from albert_lib.model.inputs import (
    check_all_labels,
    check_inputs,
    check_masked_positions,
    check_no_unknown,
)
from albert_lib.model.outputs import AlbertOutput, ModelOutput
from albert_lib.model.weights import PretrainedModel

Output = TypeVar("Output", bound=ModelOutput)
BESIDE_IDS = ("attention_mask", "token_type_ids", "position_ids")


class AlbertModel(PretrainedModel):
    """Embeddings, the shared-layer encoder and, unless left out, the pooler.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertModel
        >>> model = AlbertModel(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> output = model(torch.tensor([[2, 17, 42, 3]]))
        >>> output.last_hidden_state.shape, output.pooler_output.shape
        (torch.Size([1, 4, 24]), torch.Size([1, 24]))
    """

    def __init__(self, config: AlbertConfig, pooler: bool = True) -> None:
        super().__init__(config)
        self.embeddings = AlbertEmbeddings(config)
        self.encoder = AlbertEncoder(config)
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size) if pooler else None
        self.initialise()

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"] | None = None,
        attention_mask: Int[Tensor, "batch seq"] | Bool[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch seq"] | None = None,
        masked_positions: Int[Tensor, "predictions"] | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        *,
        position_ids: Int[Tensor, "*rows seq"] | None = None,
        inputs_embeds: Float[Tensor, "batch seq embedding"] | None = None,
        cls_only: bool = False,
        **unknown: Any,
    ) -> AlbertOutput:
        """Features of every token, and of every sequence: tanh of a linear map of its [CLS].

        Raises InputError for ids out of range, other shapes and sequences that are too long.

        Args:
            input_ids: ids of the tokens.
            attention_mask: 1 at text, 0 at padding; default: all text.
            token_type_ids: segment of each token; default: all segment A (0).
            masked_positions: flat indices into batch x seq; last_hidden_state is then that of
                these alone, (predictions, hidden), which spares most of the last layer.
            output_hidden_states: also return the states before the first and after every layer.
            output_attentions: also return every layer's attention probabilities.
            position_ids: position of each token; default: 0, 1, 2, …
            inputs_embeds: word embeddings of width E, given instead of `input_ids`.
            cls_only: last_hidden_state is that of every sequence's [CLS] alone, (batch, 1, hidden),
                which spares most of the last layer; not with `masked_positions`.
            unknown: refused, with what to type instead.
        """
        name = type(self).__name__
        check_no_unknown(name, unknown)
        named = dict(zip(BESIDE_IDS, (attention_mask, token_type_ids, position_ids), strict=True))
        check_inputs(name, input_ids, inputs_embeds, choices=False, **named)
        check_masked_positions(masked_positions, cls_only)
        attention_mask = _without_all_ones(attention_mask)
        embedded = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        # Whoever asks for all hidden states gets whole ones.
        spared = None if output_hidden_states else masked_positions
        asked = (output_attentions, spared, cls_only)
        states, attentions = self.encoder(embedded, attention_mask, *asked)
        last, begun = _last_and_begun(states[-1], masked_positions, spared is None)
        return AlbertOutput(
            last_hidden_state=last,
            pooler_output=None if self.pooler is None else pooled_cls(begun, self.pooler),
            hidden_states=tuple(states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )


class AlbertWithHead(PretrainedModel, Generic[Output]):
    """An AlbertModel whose features go to a head; the subclasses say which.

    A subclass builds its head in `__init__`, scores features in `score` and, from labels, computes
    its loss in `loss`. `forward` is the same for all.

    Example:
        >>> from albert_lib.model import AlbertForMaskedLM
        >>> issubclass(AlbertForMaskedLM, AlbertWithHead), AlbertForMaskedLM.POOLER
        (True, False)
    """

    POOLER: ClassVar[bool] = True
    LABELS: ClassVar[tuple[str, ...]] = ("labels",)  # the arguments from which a loss is computed
    CHOICES: ClassVar[bool] = False  # whether input_ids is (batch, choices, seq)
    CLS_ONLY: ClassVar[bool] = False  # whether the head reads nothing but the pooled [CLS]

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, pooler=self.POOLER)

    def score(self, features: AlbertOutput, shape: torch.Size) -> Output:
        """Scores of the head; `shape` is that of the ids that were given."""
        raise NotImplementedError

    def loss(
        self, output: Output, labels: dict[str, Tensor], masked_positions: Tensor | None
    ) -> Tensor:
        """The loss of scores against labels, by their argument's name."""
        raise NotImplementedError

    def forward(
        self,
        input_ids: Int[Tensor, "*batch seq"] | None = None,
        attention_mask: Int[Tensor, "*batch seq"] | Bool[Tensor, "*batch seq"] | None = None,
        token_type_ids: Int[Tensor, "*batch seq"] | None = None,
        masked_positions: Int[Tensor, "predictions"] | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        *,
        position_ids: Int[Tensor, "*rows seq"] | None = None,
        inputs_embeds: Float[Tensor, "*batch seq embedding"] | None = None,
        **labels: Any,
    ) -> Output:
        """Run the encoder and its head; with labels, also compute the loss.

        The arguments are those of AlbertModel; `labels` are those of the class, as transformers
        names them. Raises InputError for whatever does not fit.
        """
        name = type(self).__name__
        check_no_unknown(name, labels, self.LABELS)
        if masked_positions is not None and not hasattr(self, "mlm_head"):
            raise InputError(f"{name} has no MLM head; leave masked_positions out.")
        others = {
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
            "position_ids": position_ids,
        }
        shape = check_inputs(name, input_ids, inputs_embeds, choices=self.CHOICES, **others)
        if self.CHOICES:  # every choice is a text of its own
            input_ids = None if input_ids is None else input_ids.flatten(0, 1)
            inputs_embeds = None if inputs_embeds is None else inputs_embeds.flatten(0, 1)
            others = {key: None if t is None else t.flatten(0, -2) for key, t in others.items()}
        features = self.albert(
            input_ids,
            masked_positions=masked_positions,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            inputs_embeds=inputs_embeds,
            # whoever asks for all states or attentions gets whole ones
            cls_only=self.CLS_ONLY and not (output_hidden_states or output_attentions),
            **others,
        )
        output = self.score(features, shape)
        output.hidden_states, output.attentions = features.hidden_states, features.attentions
        given = {key: label for key, label in labels.items() if label is not None}
        given.pop("return_dict", None)
        if given:
            check_all_labels(name, self.LABELS, given)
            output.loss = self.loss(output, given, masked_positions)
        return output


def _last_and_begun(
    states: Tensor, masked_positions: Tensor | None, is_whole: bool
) -> tuple[Tensor, Tensor]:
    """The last hidden states that were asked for, and sequences that begin with their [CLS]."""
    if masked_positions is None:
        return states, states
    if is_whole:
        return states.flatten(0, 1)[masked_positions], states
    masked, first = states.tensor_split([len(masked_positions)])
    return masked, first[:, None]


def _without_all_ones(attention_mask: Tensor | None) -> Tensor | None:
    """The mask, or None where there is no padding; reading it would make an accelerator wait."""
    if attention_mask is None or attention_mask.device.type != "cpu":
        return attention_mask
    return None if bool(attention_mask.all()) else attention_mask
