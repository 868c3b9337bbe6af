"""Masked pairs in batches: what pretraining consumes, a pure function of (seed, step)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Int, Integer
from torch import Tensor

from albert_lib.corpus.store import TokenStore
from albert_lib.errors import ConfigError
from albert_lib.objectives.batch_masking import UNIFORMS_PER_TOKEN, mask_batch
from albert_lib.objectives.draws import Purpose, check_whole_number, example_uniforms
from albert_lib.objectives.masking import MaskingConfig
from albert_lib.objectives.order import ExampleOrder
from albert_lib.objectives.pair_objective import PairObjective
from albert_lib.objectives.segments import PairPlan, SegmentPairs

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

POSITIONS_AT_ONCE = 1 << 17  # batches are made this many positions ahead: numpy likes large arrays


@dataclass(frozen=True, eq=False)
class PretrainingBatch:
    """One batch of masked segment pairs, ready for the model; all int64.

    `masked_positions` are flat: position s of sequence b is b · seq + s. `masked_labels` are the
    ids that stood there. `sop_labels`: 0 in order, 1 swapped.

    Example:
        >>> one, two = torch.zeros(1, 4, dtype=torch.int64), torch.tensor([[1, 1, 1, 0]])
        >>> batch = PretrainingBatch(one, two, one, one[0, :1], one[0, :1], one[0, :1])
        >>> batch.n_tokens
        3
    """

    input_ids: Int[Tensor, "batch seq"]
    attention_mask: Int[Tensor, "batch seq"]
    token_type_ids: Int[Tensor, "batch seq"]
    masked_positions: Int[Tensor, " predictions"]
    masked_labels: Int[Tensor, " predictions"]
    sop_labels: Int[Tensor, " batch"]

    def to(self, device: torch.device | str) -> PretrainingBatch:
        """The same batch on another device; the copy to a GPU is asynchronous."""
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
    """Consecutive examples of a run, as numpy arrays with a row each.

    Example:
        >>> pairs = MaskedPairs(
        ...     shown_ids=np.array([[2, 4, 3, 15, 3]]),
        ...     in_second=np.array([[False, False, False, True, True]]),
        ...     is_text=np.ones((1, 5), dtype=bool),
        ...     masked=np.array([1]),
        ...     masked_ids=np.array([14]),
        ...     swapped=np.array([False]),
        ... )
        >>> batch = pairs.batch(0, 1)
        >>> batch.token_type_ids.tolist(), batch.masked_labels.tolist()
        ([[0, 0, 0, 1, 1]], [14])
    """

    shown_ids: Int[np.ndarray, "examples seq"]  # with spans masked
    in_second: Bool[np.ndarray, "examples seq"]  # segment
    is_text: Bool[np.ndarray, "examples seq"]  # not padding
    masked: Int[np.ndarray, " masked"]  # positions, counted through all examples
    masked_ids: Int[np.ndarray, " masked"]  # what stood there
    swapped: Bool[np.ndarray, " examples"]

    def batch(self, first: int, end: int) -> PretrainingBatch:
        """Examples first … end − 1 as tensors of their own."""
        rows = slice(first, end)
        begin = first * self.shown_ids.shape[1]
        masked = slice(*np.searchsorted(self.masked, (begin, end * self.shown_ids.shape[1])))
        return PretrainingBatch(
            input_ids=int64_tensor(self.shown_ids[rows]),
            attention_mask=int64_tensor(self.is_text[rows]),
            token_type_ids=int64_tensor(self.in_second[rows]),
            masked_positions=int64_tensor(self.masked[masked] - begin),
            masked_labels=int64_tensor(self.masked_ids[masked]),
            sop_labels=int64_tensor(self.swapped[rows]),
        )


def int64_tensor(values: np.ndarray) -> Tensor:
    """The values copied into a tensor that owns them.

    Example:
        >>> int64_tensor(np.array([True, False]))
        tensor([1, 0])
    """
    return torch.from_numpy(values.astype(np.int64))


class PretrainingBatches:
    """Endless batches over a store: epochs follow one another, each with new pairs and order.

    `batch(step)` depends on (seed, step), the store and the settings alone: a run that resumes
    gets the batches it would have had, whatever was asked for before. Sequences are padded to
    `sequence_length`, so that every batch has the same shape. `short_sequence_probability` is
    that of `SegmentPairs`: how many of the documents are read in shorter pairs. With another
    `pair_objective` than "sop" the `sop_labels` are that objective's (`pair_objective.py`).
    `first_window` is where the text is begun: an epoch and a window of blocks in it
    (`ExampleOrder`), as `window_after` gives them to who reads on with other settings.

    Raises StoreError when the store was built with another vocabulary or has no pair to offer,
    ConfigError for settings that cannot work.

    Example:
        >>> import tempfile
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> documents = [["The old mill is old.", "A man walks to the mill."]]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", documents, tokenizer)
        ...     batches = PretrainingBatches(store, tokenizer, batch_size=2, sequence_length=16)
        ...     batch = batches.batch(step=0)
        >>> batch.input_ids.shape, batch.sop_labels.shape
        (torch.Size([2, 16]), torch.Size([2]))
    """

    def __init__(
        self,
        store: TokenStore,
        tokenizer: AlbertTokenizer,
        *,
        batch_size: int,
        sequence_length: int,
        masking: MaskingConfig | None = None,
        short_sequence_probability: float = 0.1,
        pair_objective: PairObjective = "sop",
        seed: int = 0,
        first_window: tuple[int, int] = (0, 0),
    ) -> None:
        check_whole_number(batch_size, "batch_size", least=1)
        store.check_tokenizer(tokenizer)
        self.store = store
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.sequence_length = sequence_length
        self.masking = MaskingConfig() if masking is None else masking
        self.seed = seed
        self.first_window = first_window
        self.pairs = SegmentPairs(
            store,
            sequence_length,
            short_sequence_probability=short_sequence_probability,
            seed=seed,
            is_word_start=tokenizer.is_word_start,
        )
        self._order = ExampleOrder(self.pairs, pair_objective)
        self._steps_at_once = max(1, POSITIONS_AT_ONCE // (batch_size * sequence_length))
        self._chunks: dict[tuple[int, int, int], MaskedPairs] = {}  # by first step and rows

    def batch(self, step: int, rows: slice | None = None) -> PretrainingBatch:
        """The batch of one training step, counted from 0, or some rows of it.

        With `rows`, a slice without a step, only these examples are made: each of several
        processes asks for its own, or gradients are accumulated over parts. The parts one after
        another are the batch, bit for bit, but `masked_positions` count from the beginning of
        the part.
        """
        check_whole_number(step, "step", least=0)
        start, stop, _ = (rows or slice(None)).indices(self.batch_size)
        if start >= stop or (rows is not None and rows.step not in (None, 1)):
            raise ConfigError(
                f"rows is {rows}, which names no consecutive rows of a batch of "
                f"{self.batch_size}; give slice(first, end)."
            )
        first_step = step - step % self._steps_at_once
        key = (first_step, start, stop)
        chunk = self._chunks.get(key)
        if chunk is None:
            chunk = self._make_chunk(first_step, start, stop)
            # chunks of other steps are dropped; the parts of these steps add up to these steps
            same = {other: made for other, made in self._chunks.items() if other[0] == first_step}
            self._chunks = {**same, key: chunk}
        first = (step - first_step) * (stop - start)
        return chunk.batch(first, first + stop - start)

    @cached_property
    def first_example(self) -> int:
        """The number of the first example of `first_window`."""
        return self._order.first_example(*self.first_window)

    def window_after(self, n_batches: int) -> tuple[int, int]:
        """The first window of which so many batches have read nothing, as (epoch, window).

        It is the same window whatever the length of the sequences: blocks are of the store.
        """
        check_whole_number(n_batches, "n_batches", least=1)
        last = self.first_example + n_batches * self.batch_size - 1
        epoch, window, _ = self._order.find(last)
        return self._order.window_after(epoch, window)

    def _make_chunk(self, first_step: int, start: int, stop: int) -> MaskedPairs:
        """The examples in rows start … stop − 1 of `_steps_at_once` batches."""
        n_steps = self._steps_at_once
        first = self.first_example + first_step * self.batch_size + start
        starts = range(first, first + n_steps * self.batch_size, self.batch_size)
        n_rows = stop - start
        if n_rows == self.batch_size:  # whole batches are consecutive
            starts, n_rows = range(first, first + 1), n_steps * n_rows
        parts = self._order.examples(range(n, n + n_rows) for n in starts)
        written = [write_pairs(p.plan, p.ids, self.tokenizer, self.sequence_length) for p in parts]
        ids, in_second, is_text = (np.concatenate(column) for column in zip(*written, strict=True))
        swapped = np.concatenate([part.plan.swapped for part in parts])
        n_uniforms = UNIFORMS_PER_TOKEN * self.sequence_length
        uniforms = example_uniforms(self.seed, Purpose.MASKING, starts, n_rows, n_uniforms)
        uniforms = uniforms.reshape(len(ids), UNIFORMS_PER_TOKEN, self.sequence_length)
        shown, is_masked = mask_batch(ids, self.tokenizer, self.masking, uniforms)
        masked = np.flatnonzero(is_masked)
        masked_ids = ids.reshape(-1)[masked]
        return MaskedPairs(shown, in_second, is_text, masked, masked_ids, swapped)


def write_pairs(
    plan: PairPlan,
    text: Integer[np.ndarray, " tokens"],
    tokenizer: AlbertTokenizer,
    sequence_length: int,
) -> tuple[
    Int[np.ndarray, "pairs seq"], Bool[np.ndarray, "pairs seq"], Bool[np.ndarray, "pairs seq"]
]:
    """Write each pair of a text as [CLS] first [SEP] second [SEP] and padding.

    Returns ids, which positions are of the second segment (from its first token to its [SEP]) and
    which are not padding.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> number = lambda value: np.array([value])
        >>> plan = PairPlan(number(0), number(2), number(2), number(3), np.array([False]))
        >>> text = np.array([14, 202, 2517])
        >>> ids, in_second, is_text = write_pairs(plan, text, tokenizer, sequence_length=8)
        >>> ids.tolist(), in_second.astype(int).tolist()
        ([[2, 14, 202, 3, 2517, 3, 0, 0]], [[0, 0, 0, 0, 1, 1, 0, 0]])
    """
    position = np.arange(sequence_length)
    first_sep = (1 + plan.first_end - plan.first_start)[:, None]
    second_sep = first_sep + 1 + (plan.second_end - plan.second_start)[:, None]
    in_second = position > first_sep
    # where position 0 would stand in the text, were the segment to go on to its left
    first_origin = plan.first_start[:, None] - 1
    second_origin = plan.second_start[:, None] - first_sep - 1
    source = np.where(in_second, second_origin, first_origin)
    source += position
    ids = text.take(source, mode="clip").astype(np.int64)
    ids[:, 0] = tokenizer.cls_token_id
    row = np.arange(len(ids))[:, None]
    ids[row, first_sep] = tokenizer.sep_token_id
    ids[row, second_sep] = tokenizer.sep_token_id
    is_text = position <= second_sep
    ids[~is_text] = tokenizer.pad_token_id
    return ids, in_second & is_text, is_text
