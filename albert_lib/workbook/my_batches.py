"""Batches of masked pairs, cut one sequence at a time by a learner's own pieces of 01 and 02."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int

from albert_lib.corpus import TokenStore
from albert_lib.objectives import MaskingConfig, PretrainingBatch
from albert_lib.objectives.segments import N_SPECIAL
from albert_lib.text import AlbertTokenizer
from albert_lib.workbook.my_pieces import Pieces


class MyBatches:
    """Endless batches over a store, drawn from a generator of their own.

    A pair is the text of one document from a drawn sentence on, in whole sentences, in two halves.
    """

    def __init__(
        self,
        store: TokenStore,
        tokenizer: AlbertTokenizer,
        pieces: Pieces,
        masking: MaskingConfig,
        batch_size: int,
        sequence_length: int,
        seed: int,
    ) -> None:
        self.store, self.tokenizer, self.pieces, self.masking = store, tokenizer, pieces, masking
        self.batch_size, self.sequence_length = batch_size, sequence_length
        self.room = sequence_length - N_SPECIAL
        self.rng = np.random.default_rng(seed)
        ends = np.repeat(store.document_starts[1:], np.diff(store.document_starts))
        # sentences behind which their document has another one
        self._first = np.flatnonzero(np.arange(store.n_sentences) + 1 < ends)
        self._ends = ends

    def batch(self) -> PretrainingBatch:
        """The next batch: (batch, seq), padded to one length."""
        pairs = [self.pair() for _ in range(self.batch_size)]
        sequences, labels = [sequence for sequence, _ in pairs], [label for _, label in pairs]
        arrays = self.pieces("1.5", sequences, self.tokenizer.pad_token_id, self.sequence_length)
        ids = arrays["input_ids"]
        shown, is_masked = ids.copy(), np.zeros(ids.shape, dtype=bool)
        for row, (tokens, _) in enumerate(sequences):
            masked, replaced = self.masked(ids[row, : len(tokens)])
            shown[row, masked], is_masked[row, masked] = replaced, True
        flat = np.flatnonzero(is_masked)
        columns = shown, arrays["attention_mask"], arrays["token_type_ids"], flat, ids.flat[flat]
        return PretrainingBatch(*map(torch.from_numpy, (*columns, np.array(labels))))

    def pair(self) -> tuple[tuple[list[int], int], int]:
        """[CLS] A [SEP] B [SEP] and the length of its first segment; 0 in order, 1 swapped."""
        starts, cls_id, sep_id = (
            self.store.sentence_starts,
            self.tokenizer.cls_token_id,
            self.tokenizer.sep_token_id,
        )
        begin = int(self._first[self.rng.integers(len(self._first))])
        end = begin + 2
        while end < self._ends[begin] and starts[end] - starts[begin] < self.room:
            end += 1
        cut = int(self.rng.integers(begin + 1, end))
        first = self.store.ids[starts[begin] : starts[cut]].tolist()
        second = self.store.ids[starts[cut] : starts[end]].tolist()
        # Ordered first, then cut by a rule that doesn't know the order: no length tells it.
        first, second, label = self.pieces("2.5", first, second, self.rng)
        first, second = self.pieces("1.6", first, second, self.room)
        return self.pieces("1.4", first, second, cls_id, sep_id), label

    def masked(
        self, ids: Int[np.ndarray, " seq"]
    ) -> tuple[Int[np.ndarray, " masked"], Int[np.ndarray, " masked"]]:
        """Which positions of a sequence are masked, and what is shown there."""
        special, masking = self.tokenizer, self.masking
        words = self.pieces("2.1", ids, special.is_word_start, special.is_special)
        budget = self.pieces("2.4", np.array([len(ids)]), masking.rate, masking.max_predictions)
        spans = self.pieces("2.2", words, int(budget[0]), self.rng)
        masked = np.array(sorted({place for span in spans for place in span}), dtype=np.int64)
        treatment, choice = self.rng.random((2, len(masked)))
        shown = self.pieces(
            "2.3", ids[masked], treatment, choice, masking,
            special.mask_token_id, special.vocab_size,
        )  # fmt: skip
        return masked, shown
