"""Masked pairs in batches: what pretraining consumes, a pure function of (seed, step)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from albert_lib.errors import ConfigError
from albert_lib.objectives.batch_masking import DRAWS_PER_PIECE, mask_batch
from albert_lib.objectives.draws import Purpose, example_uniforms, generator
from albert_lib.objectives.masking import MaskingConfig
from albert_lib.objectives.segments import PairPlan, SegmentPairs
from albert_lib.objectives.store import TokenStore

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

POSITIONS_AT_ONCE = 1 << 17  # batches are made this many positions ahead: numpy likes large arrays


@dataclass(frozen=True, eq=False)
class PretrainingBatch:
    """One batch of masked segment pairs, ready for the model; all int64.

    `masked_positions` are flat: position s of sequence b is b · seq + s. `masked_labels` are the
    ids that stood there. `sop_labels`: 0 in order, 1 swapped.
    """

    input_ids: Int[Tensor, "batch seq"]
    attention_mask: Int[Tensor, "batch seq"]
    token_type_ids: Int[Tensor, "batch seq"]
    masked_positions: Int[Tensor, " predictions"]
    masked_labels: Int[Tensor, " predictions"]
    sop_labels: Int[Tensor, " batch"]

    def to(self, device: torch.device | str) -> PretrainingBatch:
        """The same batch on another device; a GPU receives it without being waited for."""
        tensors = [getattr(self, field.name) for field in fields(self)]
        if torch.device(device).type == "cuda":
            tensors = [tensor.pin_memory() for tensor in tensors]
        return PretrainingBatch(*(tensor.to(device, non_blocking=True) for tensor in tensors))

    @property
    def n_tokens(self) -> int:
        """Number of positions that are not padding."""
        return int(self.attention_mask.sum())


@dataclass(frozen=True, eq=False)
class MaskedPairs:
    """Consecutive examples of a run, as numpy arrays with a row each."""

    shown_ids: Int[np.ndarray, "examples seq"]  # with runs hidden
    original_ids: Int[np.ndarray, "examples seq"]
    segments: Int[np.ndarray, "examples seq"]
    is_text: Bool[np.ndarray, "examples seq"]  # not padding
    hidden: Bool[np.ndarray, "examples seq"]
    swapped: Bool[np.ndarray, " examples"]

    def batch(self, rows: slice) -> PretrainingBatch:
        """Some of the examples as tensors."""
        hidden = self.hidden[rows]
        return PretrainingBatch(
            input_ids=torch.tensor(self.shown_ids[rows]),
            attention_mask=torch.tensor(self.is_text[rows], dtype=torch.int64),
            token_type_ids=torch.tensor(self.segments[rows]),
            masked_positions=torch.tensor(np.flatnonzero(hidden)),
            masked_labels=torch.tensor(self.original_ids[rows][hidden]),
            sop_labels=torch.tensor(self.swapped[rows], dtype=torch.int64),
        )


class PretrainingBatches:
    """Endless batches over a store: epochs follow one another, each with new pairs and order.

    `batch(step)` depends on (seed, step), the store and the settings alone: a run that resumes
    gets the batches it would have had, whoever asks, in whatever order. Sequences are padded to
    `sequence_length`, so that every batch has the same shape.

    Raises StoreError when the store was built with another vocabulary or has no pair to offer,
    ConfigError for settings that cannot work.
    """

    def __init__(
        self,
        store: TokenStore,
        tokenizer: AlbertTokenizer,
        *,
        batch_size: int,
        sequence_length: int,
        masking: MaskingConfig | None = None,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}; a batch has at least 1 pair.")
        store.check_tokenizer(tokenizer)
        self.store = store
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.sequence_length = sequence_length
        self.masking = MaskingConfig() if masking is None else masking
        self.seed = seed
        self.pairs = SegmentPairs(
            store, sequence_length, seed=seed, is_word_start=tokenizer.is_word_start
        )
        self._batches_at_once = max(1, POSITIONS_AT_ONCE // (batch_size * sequence_length))
        self._epoch_ends: list[int] = []  # in examples, for the epochs met so far
        self._shuffled_plan = lru_cache(maxsize=2)(self._make_shuffled_plan)
        self._chunk = lru_cache(maxsize=2)(self._make_chunk)

    def batch(self, step: int) -> PretrainingBatch:
        """The batch of one training step, counted from 0."""
        if step < 0:
            raise ConfigError(f"step is {step}; steps are counted from 0.")
        chunk, index = divmod(step, self._batches_at_once)
        return self._chunk(chunk).batch(
            slice(index * self.batch_size, (index + 1) * self.batch_size)
        )

    def _make_chunk(self, chunk: int) -> MaskedPairs:
        """The examples of `_batches_at_once` consecutive batches."""
        n_examples = self._batches_at_once * self.batch_size
        first_example = chunk * n_examples
        plan = self._examples(first_example, first_example + n_examples)
        ids, segments, is_text = write_pairs(plan, self.store, self.tokenizer, self.sequence_length)
        draws = example_uniforms(
            self.seed,
            Purpose.MASKING,
            first_example,
            n_examples,
            DRAWS_PER_PIECE * self.sequence_length,
        ).reshape(n_examples, DRAWS_PER_PIECE, self.sequence_length)
        shown, hidden = mask_batch(ids, self.tokenizer, self.masking, draws)
        return MaskedPairs(shown, ids, segments, is_text, hidden, plan.swapped)

    def _examples(self, first: int, end: int) -> PairPlan:
        """The pairs of examples first … end − 1, counted through all epochs."""
        parts = []
        while first < end:
            epoch, epoch_start = self._find_epoch(first)
            plan = self._shuffled_plan(epoch)
            epoch_end = min(end, epoch_start + len(plan))
            parts.append(plan.take(np.arange(first - epoch_start, epoch_end - epoch_start)))
            first = epoch_end
        return PairPlan.concatenate(parts)

    def _find_epoch(self, example: int) -> tuple[int, int]:
        """The epoch an example falls in, and the number of that epoch's first example.

        Epochs differ in length, for their pairs are drawn anew; so every epoch before must have
        been planned once. A plan costs about a second for ten million tokens.
        """
        ends = self._epoch_ends
        while not ends or ends[-1] <= example:
            ends.append((ends[-1] if ends else 0) + len(self._shuffled_plan(len(ends))))
        epoch = int(np.searchsorted(ends, example, side="right"))
        return epoch, ends[epoch - 1] if epoch else 0

    def _make_shuffled_plan(self, epoch: int) -> PairPlan:
        """One epoch's pairs in the order of training."""
        plan = self.pairs.plan(epoch)
        order = generator(self.seed, Purpose.ORDER, epoch).permutation(len(plan))
        return plan.take(order)


def write_pairs(
    plan: PairPlan, store: TokenStore, tokenizer: AlbertTokenizer, sequence_length: int
) -> tuple[
    Int[np.ndarray, "pairs seq"], Int[np.ndarray, "pairs seq"], Bool[np.ndarray, "pairs seq"]
]:
    """Write each pair as [CLS] first [SEP] second [SEP] and padding.

    Returns ids, segment ids (1 from the second segment's first piece to its [SEP], else 0) and
    which positions are not padding.
    """
    position = np.arange(sequence_length)
    first_sep = (1 + plan.first_end - plan.first_start)[:, None]
    second_sep = first_sep + 1 + (plan.second_end - plan.second_start)[:, None]
    in_second = position > first_sep
    source = np.where(
        in_second,
        plan.second_start[:, None] + position - first_sep - 1,
        plan.first_start[:, None] + position - 1,
    )
    ids = store.ids[np.clip(source, 0, store.n_tokens - 1)].astype(np.int64)
    ids[:, 0] = tokenizer.cls_token_id
    ids[(position == first_sep) | (position == second_sep)] = tokenizer.sep_token_id
    is_text = position <= second_sep
    ids[~is_text] = tokenizer.pad_token_id
    segments = (in_second & is_text).astype(np.int64)
    return ids, segments, is_text
