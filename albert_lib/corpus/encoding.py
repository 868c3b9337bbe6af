"""Sentences to ids in several processes, in order.

The processes are started afresh (spawn), as Windows and macOS want it, and only when there is
more than one batch to encode. They end with the process that started them, whatever ends it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Integer

from albert_lib.corpus.paragraphs import Part
from albert_lib.corpus.reading import Batch
from albert_lib.corpus.writing import ids_dtype
from albert_lib.errors import AlbertLibError, StoreError
from albert_lib.memory import peak_memory
from albert_lib.text.sentences import split_sentences

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

WAITING_PER_WORKER = 2  # batches: one in hand, one at hand


class Encoded(NamedTuple):
    """What became of a batch: ids in a row, their sentences, and the sentences of each part."""

    ids: Integer[np.ndarray, " tokens"]
    lengths: Integer[np.ndarray, " sentences"]
    n_sentences: Integer[np.ndarray, " parts"]
    n_words: list[int]
    n_unknown: int
    process: int
    peak_memory: int | None


def encode(batch: Batch, tokenizer: AlbertTokenizer) -> Encoded:
    """Cut paragraphs into sentences and these into ids, sentences without a piece left out."""
    sentences: list[str] = []
    origins: list[int] = []
    n_words = []
    for index, (part, is_cut) in enumerate(zip(batch.parts, batch.is_cut, strict=True)):
        found = part.paragraphs if is_cut else list(chain(*map(split_sentences, part.paragraphs)))
        sentences += found
        origins += [index] * len(found)
        n_words.append(sum(len(sentence.split()) for sentence in found))
    pieces = tokenizer.encode_sentences(sentences, num_threads=1)
    lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
    ids = np.fromiter(
        chain.from_iterable(pieces), dtype=ids_dtype(tokenizer.vocab_size), count=lengths.sum()
    )
    kept = lengths > 0
    n_sentences = np.bincount(np.asarray(origins, dtype=np.int64)[kept], minlength=len(batch.parts))
    n_unknown = int((ids == tokenizer.unk_token_id).sum())
    return Encoded(ids, lengths[kept], n_sentences, n_words, n_unknown, os.getpid(), peak_memory())


def encode_in_order(
    batches: Iterable[Batch], tokenizer: AlbertTokenizer, workers: int
) -> Generator[tuple[Batch, Encoded]]:
    """Encode batches in `workers` processes; yield them in the order they came in.

    What was read before `batches` fails is still encoded and yielded before its error is raised.
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
    batches: Iterable[Batch], tokenizer: AlbertTokenizer, workers: int
) -> Iterator[tuple[Batch, Encoded]]:
    """As `encode_in_order`, with a process for each worker."""
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), start_worker, (tokenizer,)
    )
    waiting: deque = deque()
    try:
        for batch in batches:
            with interruptions_held_back():  # a process must not be interrupted while it starts
                future = executor.submit(encode_here, batch)
            waiting.append((batch._replace(parts=endings_of(batch)), future))
            if len(waiting) > WAITING_PER_WORKER * workers:
                ready, future = waiting.popleft()
                yield ready, future.result()
        while waiting:
            ready, future = waiting.popleft()
            yield ready, future.result()
    except BrokenProcessPool:
        raise StoreError(
            "A worker process ended before its work was done, perhaps for want of memory; run the "
            "same command again, with fewer --workers: it goes on where it was."
        ) from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def endings_of(batch: Batch) -> list[Part]:
    """The parts of a batch without their text, which is in other hands now."""
    return [part._replace(paragraphs=[]) for part in batch.parts]


def until_failure(batches: Iterable[Batch], failures: list[AlbertLibError]) -> Iterator[Batch]:
    """Pass batches on; put the error that ends them, if one does, into `failures`."""
    try:
        yield from batches
    except AlbertLibError as problem:
        failures.append(problem)


def available_cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def interruptions_held_back() -> Iterator[None]:
    """Ignore Ctrl-C for a moment, and in the processes started in it: they inherit that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# -- what runs in the processes

_tokenizer: AlbertTokenizer | None = None


def start_worker(tokenizer: AlbertTokenizer) -> None:
    """Keep the tokenizer for all batches, and see to it that no worker is left alone."""
    global _tokenizer
    _tokenizer = tokenizer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that gives the work
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """End this process when the one that started it is gone, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def encode_here(batch: Batch) -> Encoded:
    """Encode a batch with the tokenizer that this process was started with."""
    assert _tokenizer is not None
    return encode(batch, _tokenizer)
