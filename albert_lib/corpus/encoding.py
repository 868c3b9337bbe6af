"""Reads text into batches of equal size and encodes them in several processes, in order.

Processes are started only when there is more than one batch. They end with the process that
started them, even when that one is killed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Integer

from albert_lib.corpus.readers import DocumentPart
from albert_lib.corpus.sources import Unit
from albert_lib.corpus.writing import ids_dtype
from albert_lib.errors import AlbertLibError, StoreError, TextError
from albert_lib.memory import peak_memory
from albert_lib.text.sentences import split_sentences
from albert_lib.worker_pool import WorkerPool

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

BATCH_CHARACTERS = 1 << 22  # half a second of work, the most that a killed worker loses
WAITING_PER_WORKER = 2  # batches: one being encoded, one ready


class Place(NamedTuple):
    """A position in the sources: units read completely, and parts read of the next one."""

    unit: int
    parts: int


class TextBatch(NamedTuple):
    """Parts of documents to encode together, the unit of each, and the position they end at."""

    parts: list[DocumentPart]
    units: list[int]
    is_cut: list[bool]
    end: Place
    bytes_read: int


def read_batches(
    units: Sequence[Unit], start: Place, not_empty: Container[str]
) -> Iterator[TextBatch]:
    """Read units from a position on, and yield their parts in batches.

    Raises TextError at the end of a source without text, unless it is in `not_empty` (the sources
    that had text before `start`). What was read before an error is yielded before it is raised.
    """
    reader = BatchReader(units, start)
    found: set[str] = set()
    for index in range(start.unit, len(units)):
        source = units[index].source
        yield from reader.read(index)
        if reader.found_text or source in not_empty:
            found.add(source)
        is_last = index + 1 == len(units) or units[index + 1].source != source
        if is_last and source not in found:
            yield from reader.rest()
            raise TextError(f"{source} holds no text; pass a source with some.")
    yield from reader.rest()


class BatchReader:
    """Reads units one after another and puts their parts into batches."""

    def __init__(self, units: Sequence[Unit], start: Place) -> None:
        """Start at a position; the parts of its unit before that are skipped."""
        self.units = units
        self.start = start
        self.found_text = False  # in the unit read last
        self.bytes_before = sum(unit.size or 0 for unit in units[: start.unit])
        self._begin()

    def read(self, index: int) -> Iterator[TextBatch]:
        """Read one unit; yield every batch that is full."""
        unit = self.units[index]
        n_known = self.start.parts if index == self.start.unit else 0
        self.found_text = False
        try:
            for n_read, part in enumerate(unit.parts(), start=1):
                self.found_text = True
                if n_read > n_known:
                    self._take(part, Place(index, n_read), unit.is_cut)
                if self.n_characters >= BATCH_CHARACTERS:
                    yield from self.rest()
        except AlbertLibError:
            yield from self.rest()
            raise
        self.bytes_before += unit.size or 0

    def rest(self) -> Iterator[TextBatch]:
        """Yield the last, incomplete batch, if there is one."""
        if self.parts:
            yield TextBatch(self.parts, self.unit_numbers, self.is_cut, self.end, self.bytes_read)
            self._begin()

    def _begin(self) -> None:
        self.parts: list[DocumentPart] = []
        self.unit_numbers: list[int] = []
        self.is_cut: list[bool] = []
        self.n_characters = 0
        self.end = self.start
        self.bytes_read = self.bytes_before

    def _take(self, part: DocumentPart, end: Place, is_cut: bool) -> None:
        self.parts.append(part)
        self.unit_numbers.append(end.unit)
        self.is_cut.append(is_cut)
        self.n_characters += sum(map(len, part.paragraphs))
        self.end = end
        self.bytes_read = self.bytes_before + part.position


class Encoded(NamedTuple):
    """An encoded batch: all ids in a row, tokens per sentence, and sentences per part."""

    ids: Integer[np.ndarray, " tokens"]
    lengths: Integer[np.ndarray, " sentences"]
    n_sentences: Integer[np.ndarray, " parts"]
    n_words: list[int]
    n_unknown: int
    process: int
    peak_memory: int | None


def encode(batch: TextBatch, tokenizer: AlbertTokenizer) -> Encoded:
    """Split paragraphs into sentences and encode them; sentences without a token are left out."""
    sentences: list[str] = []
    origins: list[int] = []
    n_words = []
    for index, (part, is_cut) in enumerate(zip(batch.parts, batch.is_cut, strict=True)):
        found = part.paragraphs if is_cut else list(chain(*map(split_sentences, part.paragraphs)))
        sentences += found
        origins += [index] * len(found)
        n_words.append(sum(len(sentence.split()) for sentence in found))
    ids_of_each = tokenizer.encode_sentences(sentences, num_threads=1)
    lengths = np.fromiter(map(len, ids_of_each), dtype=np.int64, count=len(ids_of_each))
    ids = np.fromiter(
        chain.from_iterable(ids_of_each), dtype=ids_dtype(tokenizer.vocab_size), count=lengths.sum()
    )
    kept = lengths > 0
    n_sentences = np.bincount(np.asarray(origins, dtype=np.int64)[kept], minlength=len(batch.parts))
    n_unknown = int((ids == tokenizer.unk_token_id).sum())
    return Encoded(ids, lengths[kept], n_sentences, n_words, n_unknown, os.getpid(), peak_memory())


def encode_in_order(
    batches: Iterable[TextBatch], tokenizer: AlbertTokenizer, workers: int
) -> Generator[tuple[TextBatch, Encoded]]:
    """Encode batches in `workers` processes and yield them in their order.

    When `batches` raises, what it yielded before is encoded and yielded first.
    """
    failures: list[AlbertLibError] = []
    stream = until_failure(batches, failures)
    first = list(islice(stream, 2))
    if workers < 2 or len(first) < 2:
        for batch in chain(first, stream):
            yield batch, encode(batch, tokenizer)
    else:
        yield from encode_in_processes(chain(first, stream), tokenizer, workers)
    if failures:
        raise failures[0]


def encode_in_processes(
    batches: Iterable[TextBatch], tokenizer: AlbertTokenizer, workers: int
) -> Iterator[tuple[TextBatch, Encoded]]:
    """As `encode_in_order`, with a process for each worker."""
    waiting: deque = deque()
    try:
        with WorkerPool(workers, keep_tokenizer, (tokenizer,)) as pool:
            for batch in batches:
                future = pool.submit(encode_here, batch)
                waiting.append((batch._replace(parts=endings_of(batch)), future))
                if len(waiting) > WAITING_PER_WORKER * workers:
                    ready, future = waiting.popleft()
                    yield ready, future.result()
            while waiting:
                ready, future = waiting.popleft()
                yield ready, future.result()
    except BrokenProcessPool:
        raise StoreError(
            "A worker process ended before its work was done, perhaps out of memory; run the "
            "same command again with fewer --workers: it goes on from here."
        ) from None


def endings_of(batch: TextBatch) -> list[DocumentPart]:
    """The parts of a batch without their text, which a worker process has now."""
    return [part._replace(paragraphs=[]) for part in batch.parts]


def until_failure(
    batches: Iterable[TextBatch], failures: list[AlbertLibError]
) -> Iterator[TextBatch]:
    """Yield the batches; an error that ends them is appended to `failures`, not raised."""
    try:
        yield from batches
    except AlbertLibError as problem:
        failures.append(problem)


def available_cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# -- what runs in the processes

_tokenizer: AlbertTokenizer | None = None


def keep_tokenizer(tokenizer: AlbertTokenizer) -> None:
    """Store the tokenizer for all batches."""
    global _tokenizer
    _tokenizer = tokenizer


def encode_here(batch: TextBatch) -> Encoded:
    """Encode a batch with the tokenizer that this process was started with."""
    assert _tokenizer is not None
    return encode(batch, _tokenizer)
