"""Segment pairs for sentence-order prediction: A and B are neighbours, in order or swapped.

The procedure is the paper's (section 3.1) and google-research/albert's
create_pretraining_data.py, with one correction. There a chunk of a single sentence takes its B
from a random document, so that the model may answer "swapped" because the topics differ, which is
next-sentence prediction again (google-research/albert issue 234). Here such a sentence is cut
inside, and A and B are always adjacent text of one document.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float64, Int, Integer

from albert_lib.corpus.store import Block, TokenStore, block_bounds, read_block
from albert_lib.errors import ConfigError, StoreError
from albert_lib.objectives.draws import (
    Purpose,
    check_number,
    check_seed,
    check_whole_number,
    generator,
)

N_SPECIAL = 3  # [CLS] A [SEP] B [SEP]
SENTENCES_CUT_AT_ONCE = 4096  # bounds memory, whatever the text
TARGET_PERIOD = 10  # with 10 % of documents in short pairs, each is so once in them, on average


@dataclass(frozen=True, eq=False)
class PairPlan:
    """Pairs of segments, as offsets into `store.ids`.

    `first` is what is written first: pair i reads
    [CLS] ids[first_start[i]:first_end[i]] [SEP] ids[second_start[i]:second_end[i]] [SEP].
    Where `swapped`, the text that comes first in the document is written second.

    Example:
        >>> plan = PairPlan(*(np.array([n]) for n in (0, 2, 2, 5)), swapped=np.array([False]))
        >>> len(plan), plan.moved(10).first_start.tolist()
        (1, [10])
        >>> len(PairPlan.concatenate([plan, plan]))
        2
    """

    first_start: Int[np.ndarray, " pairs"]
    first_end: Int[np.ndarray, " pairs"]
    second_start: Int[np.ndarray, " pairs"]
    second_end: Int[np.ndarray, " pairs"]
    swapped: Bool[np.ndarray, " pairs"]

    def __len__(self) -> int:
        return len(self.swapped)

    def take(self, indices: Int[np.ndarray, " taken"]) -> PairPlan:
        """The pairs with these numbers, in this order."""
        return PairPlan(*(getattr(self, field.name)[indices] for field in fields(self)))

    def moved(self, by: int) -> PairPlan:
        """The same pairs in a text that begins `by` places further right."""
        return PairPlan(
            self.first_start + by,
            self.first_end + by,
            self.second_start + by,
            self.second_end + by,
            self.swapped,
        )

    @staticmethod
    def concatenate(plans: list[PairPlan]) -> PairPlan:
        """One plan with the pairs of several, in order."""
        return PairPlan(
            *(np.concatenate([getattr(p, field.name) for p in plans]) for field in fields(PairPlan))
        )


class SegmentPairs:
    """Draws the segment pairs of a store, anew in every epoch, block by block.

    A document is read from front to back in chunks of whole sentences, each chunk ending with the
    sentence that reaches the target length. The target is sequence_length − 3, or, with
    probability `short_sequence_probability` per document, uniform between 2 and that. A ends
    after a uniformly drawn sentence of its chunk, B is the rest; half of the pairs are swapped;
    the longer side then loses tokens at its ends until the pair fits.

    The targets come round again after `TARGET_PERIOD` epochs, and with them how many pairs an
    epoch has; everything else is drawn anew without end. (The reference repeats all of it after
    its 40 copies.)

    `is_word_start` (vocab,) tells where a chunk of one sentence may be cut; without it any two
    tokens may be parted. A chunk of one token makes no pair.

    Raises ConfigError for values that cannot work, StoreError for a store without a pair.

    Example:
        >>> import tempfile
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> documents = [["The old mill is old.", "A man walks to the mill."]]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", documents, tokenizer)
        ...     plan = SegmentPairs(store, sequence_length=16, seed=1).plan(epoch=0)
        >>> len(plan), plan.swapped.shape
        (1, (1,))
    """

    def __init__(
        self,
        store: TokenStore,
        sequence_length: int,
        *,
        short_sequence_probability: float = 0.1,
        seed: int = 0,
        is_word_start: Bool[np.ndarray, " vocab"] | None = None,
    ) -> None:
        check_whole_number(sequence_length, "sequence_length", least=1)
        if sequence_length < N_SPECIAL + 2:
            raise ConfigError(
                f"sequence_length is {sequence_length}, but [CLS] A [SEP] B [SEP] needs at least "
                f"{N_SPECIAL + 2} positions; choose a longer one."
            )
        check_number(short_sequence_probability, "short_sequence_probability")
        if not 0 <= short_sequence_probability <= 1:
            raise ConfigError(
                f"short_sequence_probability is {short_sequence_probability}; "
                f"choose a probability between 0 and 1."
            )
        check_seed(seed)
        self.store = store
        self.max_tokens = sequence_length - N_SPECIAL
        self.short_sequence_probability = short_sequence_probability
        self.seed = seed
        self.is_word_start = is_word_start
        self._bounds = block_bounds(store)
        blocks = (self.block(number) for number in range(self.n_blocks))
        if not any(block.document_lengths().max() >= 2 for block in blocks):
            raise StoreError(
                f"{store.folder} holds no document of two tokens or more, so it has no pair of "
                f"segments; build the store from more text."
            )

    @property
    def n_blocks(self) -> int:
        """Number of blocks that the store is read in."""
        return len(self._bounds) - 1

    def block(self, number: int) -> Block:
        """One block of the store."""
        return read_block(self.store, int(self._bounds[number]), int(self._bounds[number + 1]))

    def text(self, number: int) -> tuple[int, Integer[np.ndarray, " tokens"]]:
        """Where a block begins in `store.ids`, and a copy of its tokens."""
        sentence_starts = self.block(number).sentence_starts
        ids = np.array(self.store.ids[sentence_starts[0] : sentence_starts[-1]])
        self.store.release_pages()
        return int(sentence_starts[0]), ids

    def plan(self, epoch: int) -> PairPlan:
        """All pairs of one epoch, in text order; the same for the same (seed, epoch).

        It needs memory for the whole corpus; training takes a few blocks at a time.
        """
        return PairPlan.concatenate([self.plan_block(epoch, n) for n in range(self.n_blocks)])

    def count(self, epoch: int, number: int) -> int:
        """How many pairs `plan_block` will give; cheaper, for the text itself is not read."""
        return len(self._usable_chunks(epoch, self.block(number), number)[0])

    def plan_block(self, epoch: int, number: int) -> PairPlan:
        """The pairs of one block, in text order; the same for the same (seed, epoch, number)."""
        block = self.block(number)
        first_sentence, last_sentence = self._usable_chunks(epoch, block, number)
        start = block.sentence_starts[first_sentence]
        end = block.sentence_starts[last_sentence]

        rng = generator(self.seed, Purpose.PAIRS, epoch, number)
        cut = self.draw_cuts(block.sentence_starts, first_sentence, last_sentence, rng)
        self.store.release_pages()
        swapped = rng.random(len(cut)) < 0.5
        # in the document A is [start, cut) and B is [cut, end)
        first_start, first_end, second_start, second_end = np.where(
            swapped, [cut, end, start, cut], [start, cut, cut, end]
        )
        first_length, second_length = trimmed_lengths(
            first_end - first_start, second_end - second_start, self.max_tokens
        )
        first_start, first_end = trim(first_start, first_end, first_length, rng)
        second_start, second_end = trim(second_start, second_end, second_length, rng)
        return PairPlan(first_start, first_end, second_start, second_end, swapped)

    def _usable_chunks(
        self, epoch: int, block: Block, number: int
    ) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
        """The chunks of a block that make a pair: first sentence, last sentence + 1."""
        version = epoch % TARGET_PERIOD
        rng = generator(self.seed, Purpose.TARGETS, version, number)
        targets = self.draw_targets(block.n_documents, rng)
        first, last = gather_chunks(block.sentence_starts, block.document_starts, targets)
        usable = block.sentence_starts[last] - block.sentence_starts[first] >= 2
        return first[usable], last[usable]

    def draw_targets(
        self, n_documents: int, rng: np.random.Generator
    ) -> Int[np.ndarray, " documents"]:
        """The chunk length each document is read with, in tokens."""
        short = rng.random(n_documents) < self.short_sequence_probability
        drawn = rng.integers(2, self.max_tokens, size=n_documents, endpoint=True)
        return np.where(short, drawn, self.max_tokens)

    def draw_cuts(
        self,
        sentence_starts: Int[np.ndarray, " sentence_boundaries"],
        first_sentence: Int[np.ndarray, " pairs"],
        last_sentence: Int[np.ndarray, " pairs"],
        rng: np.random.Generator,
    ) -> Int[np.ndarray, " pairs"]:
        """Where A ends and B begins in chunks [first_sentence, last_sentence)."""
        n_sentences = last_sentence - first_sentence
        uniforms = rng.random(len(n_sentences))
        cut: Int[np.ndarray, " pairs"]
        cut = sentence_starts[first_sentence + 1 + (uniforms * (n_sentences - 1)).astype(np.int64)]
        single = np.flatnonzero(n_sentences == 1)
        for some in np.array_split(single, range(0, len(single), SENTENCES_CUT_AT_ONCE)[1:]):
            sentence = first_sentence[some]
            cut[some] = cut_inside(
                sentence_starts[sentence],
                sentence_starts[sentence + 1],
                uniforms[some],
                self.store.ids,
                self.is_word_start,
            )
        return cut


def gather_chunks(
    sentence_starts: Int[np.ndarray, " sentence_boundaries"],
    document_starts: Int[np.ndarray, " document_boundaries"],
    targets: Int[np.ndarray, " documents"],
) -> tuple[Int[np.ndarray, " chunks"], Int[np.ndarray, " chunks"]]:
    """Divide every document into chunks [first sentence, last sentence), in text order.

    A chunk ends with the sentence that brings it to the document's target length, or with the
    document. Where a chunk that began with a sentence would end is looked up for all sentences at
    once; then the chunks are followed one after another, each beginning where the last one ends.

    Example:
        >>> sentences, documents = np.array([0, 3, 6, 9, 12]), np.array([0, 3, 4])
        >>> gather_chunks(sentences, documents, targets=np.array([5, 5]))
        (array([0, 2, 3]), array([2, 3, 4]))
    """
    first, end = int(document_starts[0]), int(document_starts[-1])
    n_sentences = np.diff(document_starts)
    reached = sentence_starts[first:end] + np.repeat(targets, n_sentences)
    # the first sentence boundary at or past the target
    chunk_ends = np.searchsorted(sentence_starts, reached, side="left")
    chunk_ends = np.minimum(chunk_ends, np.repeat(document_starts[1:], n_sentences))
    end_of = chunk_ends.tolist()  # quicker to index than an array
    boundaries = [boundary := first]
    while boundary < end:
        boundary = end_of[boundary - first]
        boundaries.append(boundary)
    found = np.array(boundaries)
    return found[:-1], found[1:]


def cut_inside(
    start: Int[np.ndarray, " sentences"],
    end: Int[np.ndarray, " sentences"],
    uniforms: Float64[np.ndarray, " sentences"],
    ids: Integer[np.ndarray, " tokens"],
    is_word_start: Bool[np.ndarray, " vocab"] | None,
) -> Int[np.ndarray, " sentences"]:
    """A place inside each sentence, uniform over its word starts after the first token.

    A sentence of one word, or any sentence when `is_word_start` is None, is cut between two
    tokens, uniformly. Sentences have two tokens or more.

    Example:
        >>> start, end = np.array([0, 4]), np.array([4, 9])
        >>> cut_inside(start, end, np.array([0.0, 0.9]), np.zeros(9, dtype=int), None)
        array([1, 8])
    """
    n_places = end - start - 1
    sentence = np.repeat(np.arange(len(start)), n_places)
    place = np.arange(n_places.sum()) + np.repeat(
        start + 1 - (np.cumsum(n_places) - n_places), n_places
    )
    if is_word_start is not None:
        at_word = is_word_start[ids[place]]
        one_word = np.bincount(sentence[at_word], minlength=len(start)) == 0
        allowed = at_word | one_word[sentence]
        sentence, place = sentence[allowed], place[allowed]
    n_allowed = np.bincount(sentence, minlength=len(start))
    first_allowed = np.cumsum(n_allowed) - n_allowed
    cut: Int[np.ndarray, " sentences"]
    cut = place[first_allowed + (uniforms * n_allowed).astype(np.int64)]
    return cut


def trimmed_lengths(
    first: Int[np.ndarray, " pairs"], second: Int[np.ndarray, " pairs"], max_tokens: int
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """The two lengths after the longer side lost one token at a time until the pair fits.

    Google's truncate_seq_pair in closed form: the shorter side is spared unless it has more than
    its half; with an odd number of places the first side gets the odd one.

    Example:
        >>> trimmed_lengths(np.array([9, 2]), np.array([7, 9]), max_tokens=9)
        (array([5, 2]), array([4, 7]))
    """
    half = max_tokens // 2
    kept_second = np.minimum(second, np.maximum(half, max_tokens - first))
    kept_first = np.minimum(first, np.maximum(max_tokens - half, max_tokens - second))
    return kept_first, kept_second


def trim(
    start: Int[np.ndarray, " pairs"],
    end: Int[np.ndarray, " pairs"],
    length: Int[np.ndarray, " pairs"],
    rng: np.random.Generator,
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Shorten [start, end) to `length`, each lost token taken from front or back at 50/50.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> start, end = trim(np.array([0]), np.array([10]), np.array([4]), rng)
        >>> int(end[0] - start[0])
        4
    """
    lost_in_front = rng.binomial(end - start - length, 0.5)
    return start + lost_in_front, start + lost_in_front + length
