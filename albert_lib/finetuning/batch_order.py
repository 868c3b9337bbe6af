"""Which rows make the batch of a step: rows of like length, in batches in random order.

A batch is padded to its longest row. In random order two thirds of SST-2 would be padding, and at
the limit of 512 tokens that Google's scripts pad to, 97 %. Sorted by length hardly any is. Two
things a sort alone would spoil: rows of equal length are drawn anew in every epoch, so that batches
differ from one to the next; and the batches are shuffled, so that an epoch neither begins nor ends
on phrases of a single word.

What a step trains on follows from the rows' lengths, the seed and the step alone: a run that
resumes asks for step 70,000 as for any other, and every process cuts its own rows out of the same
batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from albert_lib.errors import ConfigError, counted
from albert_lib.objectives.draws import check_seed, check_whole_number

Lengths = Sequence[int] | Int[np.ndarray, "all_rows"]  # in tokens


class BatchOrder:
    """The numbers of the rows of every step's batch, all of `batch_size` rows.

    In an epoch each row comes once; where the number of rows isn't a multiple of the batch size,
    those few that are left over stay out, others in every epoch, drawn without regard to length.
    Raises ConfigError where there are fewer rows than a batch has.

    Attributes:
        batches_per_epoch: How many steps an epoch takes.

    Example:
        >>> order = BatchOrder([5, 9, 5, 9, 5, 9], batch_size=3, seed=0)
        >>> order.batches_per_epoch, sorted(sorted(order.rows(step).tolist()) for step in (0, 1))
        (2, [[0, 2, 4], [1, 3, 5]])
    """

    def __init__(self, lengths: Lengths, batch_size: int, seed: int) -> None:
        check_seed(seed)
        check_whole_number(batch_size, "batch_size", least=1)
        if len(lengths) < batch_size:
            raise ConfigError(
                f"batch_size is {batch_size}, but there are {counted(len(lengths), 'row')} to "
                f"train on; give more of them, or make batch_size at most {len(lengths)}."
            )
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.batch_size, self.seed = batch_size, seed
        self.batches_per_epoch = len(lengths) // batch_size
        self._last: tuple[int, Int[np.ndarray, "batches rows"]] | None = None

    def rows(self, step: int) -> Int[np.ndarray, "rows"]:
        """Return the numbers of the rows of a step counted from 0, the shortest row first."""
        epoch, batch = divmod(step, self.batches_per_epoch)
        return self.epoch(epoch)[batch]

    def epoch(self, number: int) -> Int[np.ndarray, "batches rows"]:
        """Return the batches of an epoch counted from 0, in order; the last one asked for is kept.

        Example:
            >>> BatchOrder(range(1, 9), batch_size=4, seed=1).epoch(0).shape
            (2, 4)
        """
        if self._last is None or self._last[0] != number:
            self._last = number, self._drawn(number)
        return self._last[1]

    def _drawn(self, number: int) -> Int[np.ndarray, "batches rows"]:
        generator = np.random.default_rng(np.random.SeedSequence([self.seed, number]))
        return draw_batches(self.lengths, self.batch_size, generator)


def draw_batches(
    lengths: Lengths, batch_size: int, rng: np.random.Generator
) -> Int[np.ndarray, "batches rows"]:
    """Draw an epoch: the numbers of the rows of each batch, rows of like length together.

    Of n rows, n % `batch_size` are left out, drawn without regard to length. Which of several rows
    of one length come together is drawn as well, and so is the order of the batches.

    Example:
        >>> batches = draw_batches([5, 9, 5, 9, 5, 9], 3, np.random.default_rng(0))
        >>> sorted(sorted(batch.tolist()) for batch in batches)
        [[0, 2, 4], [1, 3, 5]]
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    n_batches = len(sizes) // batch_size
    drawn = rng.permutation(len(sizes))[: n_batches * batch_size]
    by_length = drawn[np.argsort(sizes[drawn], kind="stable")]
    return rng.permutation(by_length.reshape(n_batches, batch_size), axis=0)


def padding_share(lengths: Lengths, batches: Int[np.ndarray, "batches rows"]) -> float:
    """Return the fraction of padding where each batch is padded to its longest row, from 0 to 1.

    Example:
        >>> padding_share([5, 10, 10, 10], np.array([[0, 1], [2, 3]]))
        0.125
    """
    table = np.asarray(lengths, dtype=np.int64)[batches]
    return float(1 - table.sum() / (table.max(axis=1).sum() * batches.shape[1]))
