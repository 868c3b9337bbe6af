"""In which order a run meets its examples, epoch after epoch, whatever the size of the corpus.

An epoch visits the blocks of the store in an order of its own, a few at a time: a window. The
pairs of a window are drawn together and shuffled, so that a corpus of one window is shuffled as
a whole, and of a larger one only a window is ever held.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Int, Integer

from albert_lib.objectives.draws import Purpose, generator
from albert_lib.objectives.pair_objective import PairObjective, for_objective
from albert_lib.objectives.segments import TARGET_PERIOD, PairPlan, SegmentPairs

WINDOW_BLOCKS = 16  # some two million tokens


@dataclass(frozen=True, eq=False)
class Window:
    """Pairs, and the text of their blocks, copied: the plan's offsets count in `ids`.

    Example:
        >>> start = np.array([0, 2])
        >>> plan = PairPlan(start, start + 1, start + 1, start + 2, np.array([False, True]))
        >>> Window(plan, np.arange(4)).take(np.array([1])).plan.swapped.tolist()
        [True]
    """

    plan: PairPlan
    ids: Integer[np.ndarray, " tokens"]

    def take(self, indices: Int[np.ndarray, " taken"]) -> Window:
        """Some of the pairs, over the same text."""
        return Window(self.plan.take(indices), self.ids)


class ExampleOrder:
    """The pairs of all epochs in the order of training, counted from 0.

    An epoch has every one of its pairs once. Where an example stands follows from the numbers of
    pairs in the blocks before it; they repeat after `TARGET_PERIOD` epochs and are counted
    when they are first needed, without planning the pairs: milliseconds a million tokens.

    Example:
        >>> import tempfile
        >>> from albert_lib.corpus import TokenStore
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> documents = [["The old mill.", "A man walks."], ["He is late.", "She waits."]]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", documents, tokenizer)
        ...     order = ExampleOrder(SegmentPairs(store, 16, short_sequence_probability=0.0))
        ...     [order.find(example) for example in range(3)]  # epoch, window, place in the window
        [(0, 0, 0), (0, 0, 1), (1, 0, 0)]
    """

    def __init__(self, pairs: SegmentPairs, objective: PairObjective = "sop") -> None:
        self.pairs = pairs
        self.objective: PairObjective = objective
        self._counts = np.full((TARGET_PERIOD, pairs.n_blocks), -1)  # −1: not yet counted
        self._totals: list[int] = []  # pairs in epoch 0, 1, … as far as counted to the end
        self._epoch = lru_cache(maxsize=2)(self._open_epoch)
        self._window = lru_cache(maxsize=2)(self._read_window)

    def examples(self, wanted: Iterable[range]) -> list[Window]:
        """The examples of some ranges, each after the one before, as parts of their windows."""
        places: dict[tuple[int, int], list[np.ndarray]] = {}
        for numbers in wanted:
            first = numbers.start
            while first < numbers.stop:
                epoch, window, place = self.find(first)
                end = min(place + numbers.stop - first, self._epoch(epoch).size(window))
                places.setdefault((epoch, window), []).append(np.arange(place, end))
                first += end - place
        return [self._window(*where).take(np.concatenate(parts)) for where, parts in places.items()]

    def find(self, example: int) -> tuple[int, int, int]:
        """The epoch and the window an example falls in, and its place in that window."""
        epoch, place = self._skip_counted_epochs(example)
        while (window := self._epoch(epoch).find(place)) is None:
            self._totals.append(self._epoch(epoch).ends[-1])
            epoch, place = self._skip_counted_epochs(example)
        return epoch, window, place - self._epoch(epoch).start(window)

    def first_example(self, epoch: int, window: int) -> int:
        """The number of the example that a window begins with."""
        while len(self._totals) < min(epoch, TARGET_PERIOD):
            counted = self._epoch(len(self._totals))
            self._totals.append(counted.start(counted.n_windows))
        rounds, left = divmod(epoch, TARGET_PERIOD)
        before = rounds * sum(self._totals) + sum(self._totals[:left])
        return before + self._epoch(epoch).start(window)

    def window_after(self, epoch: int, window: int) -> tuple[int, int]:
        """The epoch and number of the window that follows."""
        is_last = window + 1 == self._epoch(epoch).n_windows
        return (epoch + 1, 0) if is_last else (epoch, window + 1)

    def _skip_counted_epochs(self, example: int) -> tuple[int, int]:
        """The first epoch that may hold an example, and the example's place in it."""
        epoch = 0
        if len(self._totals) == TARGET_PERIOD:
            rounds, example = divmod(example, sum(self._totals))
            epoch = rounds * TARGET_PERIOD
        for total in self._totals:
            if example < total:
                break
            example -= total
            epoch += 1
        return epoch, example

    def _open_epoch(self, number: int) -> Epoch:
        """An epoch with its own order of the blocks."""
        order = generator(self.pairs.seed, Purpose.BLOCK_ORDER, number)
        blocks = order.permutation(self.pairs.n_blocks)
        return Epoch(number, blocks, self)

    def count(self, epoch: int, block: int) -> int:
        """How many pairs a block has in an epoch."""
        version = epoch % TARGET_PERIOD
        if self._counts[version, block] < 0:
            self._counts[version, block] = self.pairs.count(epoch, block)
        return int(self._counts[version, block])

    def _read_window(self, epoch: int, number: int) -> Window:
        """A window's pairs in the order of training, and its text."""
        plans, texts, length = [], [], 0
        for block in self._epoch(epoch).window(number).tolist():
            begin, text = self.pairs.text(block)
            plans.append(self.pairs.plan_block(epoch, block).moved(length - begin))
            texts.append(text)
            length += len(text)
        plan = PairPlan.concatenate(plans)
        rng = generator(self.pairs.seed, Purpose.PAIR_ORDER, epoch, number)
        shuffled = plan.take(rng.permutation(len(plan)))
        posed = for_objective(shuffled, self.objective, self.pairs.max_tokens)
        return Window(posed, np.concatenate(texts))


class Epoch:
    """One pass over the text: blocks in an order of its own, and how far each window reaches.

    Example:
        >>> import tempfile
        >>> from albert_lib.corpus import TokenStore
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> documents = [["The old mill.", "A man walks."], ["He is late.", "She waits."]]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", documents, tokenizer)
        ...     order = ExampleOrder(SegmentPairs(store, 16, short_sequence_probability=0.0))
        ...     epoch = Epoch(0, np.array([0]), order)
        ...     epoch.n_windows, epoch.find(0), epoch.find(2)
        (1, 0, None)
    """

    def __init__(
        self, number: int, blocks: Int[np.ndarray, " blocks"], order: ExampleOrder
    ) -> None:
        self.number = number
        self.blocks = blocks
        self.order = order
        self.n_windows = -(-len(blocks) // WINDOW_BLOCKS)  # rounded up
        self.ends: list[int] = []  # in examples, of the windows counted so far

    def window(self, number: int) -> Int[np.ndarray, " blocks_of_window"]:
        """The blocks of one window."""
        return self.blocks[number * WINDOW_BLOCKS : (number + 1) * WINDOW_BLOCKS]

    def start(self, window: int) -> int:
        """The place in the epoch of a window's first example; past the last window, the end.

        The windows before it are counted if they have not been.
        """
        while len(self.ends) < window:
            self._count_next()
        return self.ends[window - 1] if window else 0

    def size(self, window: int) -> int:
        """How many examples a window has."""
        return self.start(window + 1) - self.start(window)

    def find(self, place: int) -> int | None:
        """The window that holds the epoch's example number `place`; None past the end."""
        while len(self.ends) < self.n_windows and self.start(len(self.ends)) <= place:
            self._count_next()
        window = bisect_right(self.ends, place)
        return window if window < len(self.ends) else None

    def _count_next(self) -> None:
        window = len(self.ends)
        pairs = sum(self.order.count(self.number, int(block)) for block in self.window(window))
        self.ends.append(self.start(window) + pairs)
