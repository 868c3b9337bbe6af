"""The reader who knows the Town: the exact posterior of every masked token, hence the floor.

For a pair of segments with masked tokens it sums over everything that may be true of it: which
events, in which order, about whom, in which words, and which of the visible tokens are not the
original ones, since a tenth of the selected ones are replaced by random tokens. The sum is a
polynomial in the weights "token v is at position i", each term linear in one weight a position;
so the probability of a token at a position is a derivative of it (Darwiche, 2003, "A differential
approach to inference in Bayesian networks"), and autograd takes all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int
from torch import Tensor

from albert_lib.errors import ConfigError, InputError
from albert_lib.objectives import MaskingConfig, PretrainingBatch
from albert_lib.objectives.segments import N_SPECIAL
from albert_lib.town.document_likelihood import DocumentLikelihood, Plan
from albert_lib.town.event_likelihood import Evidence
from albert_lib.town.hypotheses import hypotheses_by_lengths
from albert_lib.town.selection import selection_weights
from albert_lib.town.town import Town

SEQUENCES_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Posterior:
    """The exact posterior of a batch's labels.

    `tokens[i]` is the distribution of the token at the batch's i-th masked position, given all that
    is visible and that it was selected; `in_order[b]` the probability that segment A comes first.
    """

    tokens: Float64[Tensor, "predictions vocab"]
    in_order: Float64[Tensor, " batch"]


class IdealReader:
    """Knows how the Town's documents are drawn, paired and masked, and nothing of this one.

    Whole documents become pairs: `sequence_length` must hold the longest, and none may be cut
    short (Recipe.short_sequence_probability=0). All sets of selected tokens must be equally
    likely, so spans are one word long (MaskingConfig.max_ngram=1; every word is one token).
    Raises ConfigError for other masking.

    Example:
        >>> import tempfile, torch
        >>> from albert_lib.corpus import TokenStore
        >>> from albert_lib.objectives import MaskingConfig, PretrainingBatches
        >>> from albert_lib.town import IdealReader, Town
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> town, masking = Town(1.0, world=load_hamlet()), MaskingConfig(max_ngram=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", town.documents(8), town.tokenizer)
        ...     batch = PretrainingBatches(
        ...         store, town.tokenizer, batch_size=2, masking=masking,
        ...         sequence_length=town.world.sequence_length, short_sequence_probability=0.0,
        ...     ).batch(0)
        >>> posterior = IdealReader(town, masking).read(batch)
        >>> torch.allclose(posterior.tokens.sum(dim=1), torch.ones(1, dtype=torch.float64))
        True
        >>> ((posterior.in_order >= 0) & (posterior.in_order <= 1)).all().item()
        True
    """

    def __init__(self, town: Town, masking: MaskingConfig) -> None:
        """List the hypotheses of how a pair may have come about."""
        if masking.max_ngram != 1:
            raise ConfigError(
                f"max_ngram is {masking.max_ngram}, but the probability of longer spans depends "
                f"on their order; use MaskingConfig(max_ngram=1) in the Town."
            )
        self.town = town
        self.masking = masking
        self._likelihood = DocumentLikelihood(town)
        self._hypotheses = hypotheses_by_lengths(town.world)
        self._plans: dict[tuple[int, int], Plan] = {}

    def read(self, batch: PretrainingBatch) -> Posterior:
        """The posterior of everything that a batch asks.

        Raises InputError for a batch that this masking cannot have made of the Town's documents.
        """
        lengths = batch.attention_mask.sum(dim=1).numpy()
        is_mask = (batch.input_ids == self.town.tokenizer.mask_token_id) & text_positions(batch)
        budget = np.minimum(self.masking.budget(lengths), lengths - N_SPECIAL)
        return self._read(batch, is_mask, budget - is_mask.sum(dim=1).numpy())

    def _read(
        self,
        batch: PretrainingBatch,
        is_mask: Bool[Tensor, "batch seq"],
        selected: Int[np.ndarray, " batch"],
    ) -> Posterior:
        """As `read`, where `selected[b]` visible tokens of sequence b were selected."""
        sequence_length = batch.input_ids.shape[1]
        row = batch.masked_positions // sequence_length
        position = batch.masked_positions % sequence_length
        tokens = torch.empty((len(row), self._likelihood.vocab_size), dtype=torch.float64)
        in_order = torch.empty(len(is_mask), dtype=torch.float64)
        # sequences with equally many possible mismatches are read together
        similar = torch.from_numpy(np.argsort(selected, kind="stable"))
        for rows in similar.split(SEQUENCES_AT_ONCE):
            place = torch.full((len(is_mask),), -1)
            place[rows] = torch.arange(len(rows))
            asked = torch.nonzero(place[row] >= 0).squeeze(1)
            some = VisibleBatch(
                batch.input_ids[rows],
                is_mask[rows],
                [self._plan(*sizes) for sizes in segment_sizes(batch, rows)],
                (batch.attention_mask[rows].sum(dim=1) - N_SPECIAL).numpy(),
                selected[rows.numpy()],
            )
            answer = self._answer(some, place[row[asked]], position[asked])
            tokens[asked], in_order[rows] = answer.tokens, answer.in_order
        return Posterior(tokens, in_order)

    def _plan(self, first: int, second: int) -> Plan:
        sizes = first, second
        if sizes not in self._hypotheses:
            raise InputError(
                f"No document of this Town has segments of {first} and {second} tokens; read "
                f"batches of whole documents, made with short_sequence_probability=0."
            )
        if sizes not in self._plans:
            self._plans[sizes] = self._likelihood.plan(self._hypotheses[sizes])
        return self._plans[sizes]

    def _answer(
        self,
        shown: VisibleBatch,
        row: Int[Tensor, " predictions"],
        position: Int[Tensor, " predictions"],
    ) -> Posterior:
        """The differential approach, for sequences that are read together."""
        likelihood = self._likelihood
        visible = shown.n_tokens - shown.is_mask.sum(dim=1).numpy()
        weights, among = map(
            torch.from_numpy,
            selection_weights(self.masking, likelihood.vocab_size, visible, shown.selected),
        )
        evidence = Evidence(
            shown.ids, shown.is_mask, likelihood.vocab_size, likelihood.words, weights.shape[1]
        )
        polynomials = likelihood(evidence, shown.plans)
        owner, swapped = shown.owners()
        nobody = torch.zeros(len(shown.plans), dtype=torch.float64)
        joint = (polynomials * weights[owner]).sum(dim=1)  # P(what is visible, hypothesis)
        total = nobody.index_add(0, owner, joint)
        if not (total > 0).all():
            raise InputError(
                "A text of the batch cannot be one of this Town, whatever the masked tokens are; "
                "read batches of its own documents."
            )
        in_order = nobody.index_add(0, owner, joint * (1 - swapped)) / total
        (gradient,) = torch.autograd.grad(total.log().sum(), evidence.lam, retain_graph=True)
        tokens = gradient[row, position]
        is_visible = ~shown.is_mask[row, position]
        if is_visible.any():
            # That it is asked says that the token was selected, whether or not it was replaced.
            both = (polynomials * (among[owner] / total.detach()[owner, None])).sum()
            (gradient,) = torch.autograd.grad(both, evidence.lam)
            index = torch.nonzero(is_visible).squeeze(1)
            itself = shown.ids[row, position][index]
            tokens[index, itself] = gradient[row[index], position[index], itself]
        return Posterior(tokens / tokens.sum(dim=1, keepdim=True), in_order.detach())


@dataclass(frozen=True, eq=False)
class VisibleBatch:
    """What is visible of sequences that are read together."""

    ids: Int[Tensor, "batch seq"]
    is_mask: Bool[Tensor, "batch seq"]
    plans: Sequence[Plan]
    n_tokens: Int[np.ndarray, " batch"]  # without special ones
    selected: Int[np.ndarray, " batch"]  # among the visible ones

    def owners(self) -> tuple[Int[Tensor, " hypotheses"], Float64[Tensor, " hypotheses"]]:
        """For all hypotheses in a row: their sequence, and 1 where the segments are swapped."""
        counts = torch.tensor([len(plan.prior) for plan in self.plans])
        owner = torch.repeat_interleave(torch.arange(len(self.plans)), counts)
        return owner, torch.from_numpy(np.concatenate([plan.swapped for plan in self.plans]))


def segment_sizes(batch: PretrainingBatch, rows: Int[Tensor, " rows"]) -> list[tuple[int, int]]:
    """How many tokens both segments of some sequences have, without special ones."""
    second = batch.token_type_ids[rows].sum(dim=1) - 1
    first = batch.attention_mask[rows].sum(dim=1) - N_SPECIAL - second
    return list(zip(first.tolist(), second.tolist(), strict=True))


def text_positions(batch: PretrainingBatch) -> Bool[Tensor, "batch seq"]:
    """Where a sequence has text, not [CLS], [SEP] or padding, from its masks and segments alone."""
    is_text = batch.attention_mask.bool()
    before_end = torch.nn.functional.pad(is_text[:, 1:], (0, 1))
    in_second = batch.token_type_ids.bool()
    before_second = torch.nn.functional.pad(in_second[:, 1:], (0, 1)) & ~in_second
    inside = is_text & before_end & ~before_second
    inside[:, 0] = False
    return inside
