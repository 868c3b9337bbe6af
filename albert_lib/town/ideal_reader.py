"""The reader who knows the Town: the exact answer to every masked example, and hence the floor.

For a pair of segments with hidden pieces it sums over everything that might have been told: which
events, in which order, about whom, in which words, and over which of the visible pieces are
not what stood there, since a tenth of the chosen ones are shown as random pieces. The sum is a
polynomial in the weights "piece v stands at position i", each term linear in one weight a
position; so the probability of a piece at a place is a derivative of it (Darwiche, 2003, "A
differential approach to inference in Bayesian networks"), and autograd takes all of them at once.
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
from albert_lib.town.choices import selection_weights
from albert_lib.town.likelihood import Evidence
from albert_lib.town.story import Plan, StoryLikelihood
from albert_lib.town.structures import structures_by_lengths
from albert_lib.town.town import Town

SEQUENCES_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Reading:
    """What is to be known of a batch, exactly.

    `pieces[i]` is the distribution of the piece at the batch's i-th asked position, given all that
    is visible and that it was chosen; `in_order[b]` the probability that segment A comes first.
    """

    pieces: Float64[Tensor, "predictions vocab"]
    in_order: Float64[Tensor, " batch"]


class IdealReader:
    """Knows how the Town's documents are drawn, paired and masked, and nothing of this one.

    Whole documents become pairs: `sequence_length` must hold the longest, and none may be cut
    short (Recipe.short_sequence_probability=0). Which sets of pieces are chosen must be equally
    likely, so runs are one word long (MaskingConfig.max_ngram=1; every word is one piece).
    Raises ConfigError for other masking.
    """

    def __init__(self, town: Town, masking: MaskingConfig) -> None:
        """List every way in which a pair may come about."""
        if masking.max_ngram != 1:
            raise ConfigError(
                f"max_ngram is {masking.max_ngram}, but which longer runs were chosen hangs on "
                f"their order; use MaskingConfig(max_ngram=1) in the Town."
            )
        self.town = town
        self.masking = masking
        self._story = StoryLikelihood(town)
        self._structures = structures_by_lengths(town.world)
        self._plans: dict[tuple[int, int], Plan] = {}

    def read(self, batch: PretrainingBatch) -> Reading:
        """Answer everything that a batch asks.

        Raises InputError for a batch that this masking cannot have made of the Town's documents.
        """
        lengths = batch.attention_mask.sum(dim=1).numpy()
        is_mask = (batch.input_ids == self.town.tokenizer.mask_token_id) & text_positions(batch)
        budget = np.minimum(self.masking.budget(lengths), lengths - N_SPECIAL)
        return self.read_knowing(batch, is_mask, budget - is_mask.sum(dim=1).numpy())

    def read_knowing(
        self,
        batch: PretrainingBatch,
        is_mask: Bool[Tensor, "batch seq"],
        chosen: Int[np.ndarray, " batch"],
    ) -> Reading:
        """As `read`, when of sequence b `chosen[b]` visible pieces may be others than is shown."""
        sequence_length = batch.input_ids.shape[1]
        row = batch.masked_positions // sequence_length
        position = batch.masked_positions % sequence_length
        pieces = torch.empty((len(row), self._story.vocab_size), dtype=torch.float64)
        in_order = torch.empty(len(is_mask), dtype=torch.float64)
        # sequences with equally many mismatches to reckon with are read together
        similar = torch.from_numpy(np.argsort(chosen, kind="stable"))
        for rows in similar.split(SEQUENCES_AT_ONCE):
            place = torch.full((len(is_mask),), -1)
            place[rows] = torch.arange(len(rows))
            asked = torch.nonzero(place[row] >= 0).squeeze(1)
            some = Shown(
                batch.input_ids[rows],
                is_mask[rows],
                [self._plan(*sizes) for sizes in segment_sizes(batch, rows)],
                (batch.attention_mask[rows].sum(dim=1) - N_SPECIAL).numpy(),
                chosen[rows.numpy()],
            )
            answer = self._answer(some, place[row[asked]], position[asked])
            pieces[asked], in_order[rows] = answer.pieces, answer.in_order
        return Reading(pieces, in_order)

    def _plan(self, first: int, second: int) -> Plan:
        sizes = first, second
        if sizes not in self._structures:
            raise InputError(
                f"No two segments of {first} and {second} pieces are told in this Town; read "
                f"batches of whole documents, made with short_sequence_probability=0."
            )
        if sizes not in self._plans:
            self._plans[sizes] = self._story.plan(self._structures[sizes])
        return self._plans[sizes]

    def _answer(
        self,
        shown: Shown,
        row: Int[Tensor, " predictions"],
        position: Int[Tensor, " predictions"],
    ) -> Reading:
        """The differential approach, for sequences that are read together."""
        visible = shown.n_pieces - shown.is_mask.sum(dim=1).numpy()
        weights, among = (
            torch.from_numpy(table)
            for table in selection_weights(
                self.masking, self._story.vocab_size, visible, shown.chosen
            )
        )
        evidence = Evidence(
            shown.ids, shown.is_mask, self._story.vocab_size, self._story.words, weights.shape[1]
        )
        polynomials = self._story(evidence, shown.plans)
        owner, swapped = shown.owners()
        nobody = torch.zeros(len(shown.plans), dtype=torch.float64)
        share = (polynomials * weights[owner]).sum(dim=1)
        total = nobody.index_add(0, owner, share)
        if not (total > 0).all():
            raise InputError(
                "A text of the batch cannot have been told in this Town, whatever was hidden; "
                "read batches of its own documents."
            )
        in_order = nobody.index_add(0, owner, share * (1 - swapped)) / total
        (joint,) = torch.autograd.grad(total.log().sum(), evidence.lam, retain_graph=True)
        pieces = joint[row, position]
        is_visible = ~shown.is_mask[row, position]
        if is_visible.any():
            # Having been asked tells that the piece was chosen, whether or not it is what is shown.
            both = (polynomials * (among[owner] / total.detach()[owner, None])).sum()
            (joint,) = torch.autograd.grad(both, evidence.lam)
            index = torch.nonzero(is_visible).squeeze(1)
            itself = shown.ids[row, position][index]
            pieces[index, itself] = joint[row[index], position[index], itself]
        return Reading(pieces / pieces.sum(dim=1, keepdim=True), in_order.detach())


@dataclass(frozen=True, eq=False)
class Shown:
    """Sequences that are read together."""

    ids: Int[Tensor, "batch seq"]
    is_mask: Bool[Tensor, "batch seq"]
    plans: Sequence[Plan]
    n_pieces: Int[np.ndarray, " batch"]  # of text
    chosen: Int[np.ndarray, " batch"]  # among the visible ones

    def owners(self) -> tuple[Int[Tensor, " structures"], Float64[Tensor, " structures"]]:
        """For all structures in a row: whose they are, and 1 where the segments are swapped."""
        counts = torch.tensor([len(plan.prior) for plan in self.plans])
        owner = torch.repeat_interleave(torch.arange(len(self.plans)), counts)
        return owner, torch.from_numpy(np.concatenate([plan.swapped for plan in self.plans]))


def segment_sizes(batch: PretrainingBatch, rows: Int[Tensor, " rows"]) -> list[tuple[int, int]]:
    """The pieces of the two segments of some sequences, without special ones."""
    second = batch.token_type_ids[rows].sum(dim=1) - 1
    first = batch.attention_mask[rows].sum(dim=1) - N_SPECIAL - second
    return list(zip(first.tolist(), second.tolist(), strict=True))


def text_positions(batch: PretrainingBatch) -> Bool[Tensor, "batch seq"]:
    """Where a sequence has text: not [CLS], [SEP] or padding, whatever is shown there."""
    is_text = batch.attention_mask.bool()
    before_end = torch.nn.functional.pad(is_text[:, 1:], (0, 1))
    in_second = batch.token_type_ids.bool()
    before_second = torch.nn.functional.pad(in_second[:, 1:], (0, 1)) & ~in_second
    inside = is_text & before_end & ~before_second
    inside[:, 0] = False
    return inside
