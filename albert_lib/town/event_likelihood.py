"""How well a part of a sequence fits a sentence of one event, for every person it may be about.

Everything is a product of one factor a token, and every factor is linear in the weights `lam` of
"token v is at position i". Where a position is masked all tokens fit; where it is visible the
token that is shown fits, and any other counts as a mismatch, a factor t (`polynomials.py`).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int
from torch import Tensor

from albert_lib.town.polynomials import Polynomial, one, times_linear
from albert_lib.town.tables import MISSING, EventTable, Words


class Evidence:
    """What is shown of some sequences, as factors (match, mismatch) for every column.

    Columns are the tokens of the vocabulary, then one a slot (any word of its list), then one that
    always fits.
    """

    def __init__(
        self,
        shown_ids: Int[Tensor, "batch seq"],
        is_masked: Bool[Tensor, "batch seq"],
        vocab_size: int,
        words: Words,
        degrees: int,
    ) -> None:
        """`degrees` is one more than the mismatches that are counted."""
        self.degrees = degrees
        self.n_columns = vocab_size + len(words.slots) + 1
        self.sequence_length = shown_ids.shape[1]
        fits = torch.nn.functional.one_hot(shown_ids, vocab_size).bool() | is_masked[..., None]
        self.lam = torch.ones((*shown_ids.shape, vocab_size), dtype=torch.float64)
        self.lam.requires_grad_()
        factors = []
        for counts in (fits, ~fits):
            tokens = self.lam * counts
            slots = tokens @ slot_columns(words, vocab_size)
            always = torch.full_like(slots[..., :1], float(counts is fits))
            factors.append(torch.cat([tokens, slots, always], dim=-1).flatten())
        self._factors = torch.stack(factors, dim=-1)  # (batch · seq · columns, 2)

    def at(self, base: Int[Tensor, " rows"], columns: Int[Tensor, "*shape"]) -> Tensor:
        """Factors (rows, *shape, 2) of columns counted from where each row begins."""
        index = base.view(-1, *[1] * columns.ndim) + columns
        return self._factors.index_select(0, index.flatten()).view(*index.shape, 2)

    def begin(
        self, row: Int[np.ndarray, " rows"], offset: Int[np.ndarray, " rows"]
    ) -> Int[np.ndarray, " rows"]:
        """The index in the flattened factors at which a sentence of a sequence begins."""
        return (row * self.sequence_length + offset) * self.n_columns


def slot_columns(words: Words, vocab_size: int) -> Float64[Tensor, "vocab slots"]:
    """P(token | slot).

    Example:
        >>> from albert_lib.town import Town
        >>> from albert_lib.town.event_likelihood import slot_columns
        >>> town = Town()
        >>> columns = slot_columns(town.words, town.tokenizer.vocab_size)
        >>> bool((columns.sum(dim=0) - 1).abs().max() < 1e-9)
        True
    """
    columns = torch.zeros((vocab_size, len(words.slots)), dtype=torch.float64)
    for number, fills in enumerate(words.slots.values()):
        columns[torch.from_numpy(fills), number] = 1 / len(fills)
    return columns


class EventLikelihood:
    """P(sentence | event, person) up to mismatches, for sentences at given places."""

    def __init__(
        self, table: EventTable, words: Words, vocab_size: int, name_probability: float
    ) -> None:
        """Compute the columns that each form needs, once."""
        self.name_probability = name_probability
        n_columns = vocab_size + len(words.slots) + 1
        always = n_columns - 1
        n_forms, n_tokens = table.fixed.shape
        position = np.arange(n_tokens) * n_columns

        # what is the same for all people, or for all of one gender
        common = np.where(table.fixed != MISSING, table.fixed, always)
        common = np.where(table.slot != MISSING, vocab_size + table.slot, common)
        by_gender = np.stack([common, common])
        for gender in (0, 1):
            pronoun = words.pronouns[table.pronoun, gender]
            by_gender[gender] = np.where(table.pronoun != MISSING, pronoun, common)
        self.common = torch.from_numpy(by_gender + position)  # (genders, forms, tokens)

        # what depends on the value of the attribute
        n_values = table.key_words.shape[1] if table.key_words.size else 1
        most = int((table.key != MISSING).sum(axis=1).max())
        keyed = np.full((n_values, n_forms, most), always)
        for form in range(n_forms):
            places = np.flatnonzero(table.key[form] != MISSING)
            for number, place in enumerate(places):
                keyed[:, form, number] = table.key_words[table.key[form, place]] + position[place]
        self.keyed = torch.from_numpy(keyed)

        # the person's name, or he or she
        has_name = np.asarray(table.is_name.any(axis=1))[:, None, None]
        there = position[table.is_name.argmax(axis=1)][:, None, None]
        self.named = torch.from_numpy(np.where(has_name, words.names + there, always))
        self.he = torch.from_numpy(np.where(has_name, words.he[None, :, None] + there, always))

    def __call__(
        self, evidence: Evidence, begin: Int[Tensor, " rows"]
    ) -> Float64[Tensor, "rows 2 genders names values degrees"]:
        """Both cases of each row: it must give the name, or it may."""
        forms = self._forms(evidence, begin)  # (rows, genders, values, forms, degrees)
        named = evidence.at(begin, self.named)  # (rows, forms, genders, names, 2)
        again = self.name_probability
        either = again * named + (1 - again) * evidence.at(begin, self.he)
        subject = torch.stack([named, either], dim=1) / forms.shape[3]
        fitting = torch.einsum("rgvfd,rmfgn->rmgnvd", forms, subject[..., 0])
        if evidence.degrees == 1:
            return fitting
        other = torch.einsum("rgvfd,rmfgn->rmgnvd", forms[..., :-1], subject[..., 1])
        return fitting + torch.nn.functional.pad(other, (1, 0))

    def _forms(
        self, evidence: Evidence, begin: Int[Tensor, " rows"]
    ) -> Float64[Tensor, "rows genders values forms degrees"]:
        factors = evidence.at(begin, self.common)  # (rows, genders, forms, tokens, 2)
        product = one(evidence.degrees).expand(*factors.shape[:3], -1)
        for factor in factors.unbind(dim=3):
            product = times_linear(product, factor[..., :1], factor[..., 1:])
        product = product[:, :, None].expand(-1, -1, len(self.keyed), -1, -1)
        for factor in evidence.at(begin, self.keyed).unbind(dim=3):  # (rows, values, forms, 2)
            product = times_linear(product, factor[:, None, ..., :1], factor[:, None, ..., 1:])
        return product

    def remarks(self, evidence: Evidence, begin: Int[Tensor, " rows"]) -> Polynomial:
        """P(sentence | it is a remark), (rows, degrees): about nobody, so the same for all."""
        return self._forms(evidence, begin)[:, 0, 0].mean(dim=1)
