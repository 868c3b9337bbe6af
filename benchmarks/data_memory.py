"""How much memory making batches takes, for a text and for ten times as much.

    python -m benchmarks.data_memory [--tokens 4000000]

For either size a process of its own makes every batch of an epoch over random tokens; compared
is its peak resident memory. That differs by a few megabytes from one process
to the next, so each size is measured twice, in turn, and the smaller figure of either counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from albert_lib.corpus import TokenStore
from albert_lib.corpus.writing import StoreWriter
from albert_lib.memory import peak_memory
from albert_lib.objectives import PretrainingBatches
from benchmarks.common import load_tokenizer
from benchmarks.targets import Report

TIMES = 10
ROUNDS = 2
MOST_GROWTH = 0.05
BATCH_SIZE, LENGTH = 32, 128
SENTENCE, DOCUMENT = 25, 40  # tokens a sentence on average, sentences a document


def main() -> int:
    """Print both sizes and fail if the growth is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tokens", type=int, default=4_000_000, help="of the smaller text")
    parser.add_argument("--store", type=Path, help="only make an epoch over this store")
    options = parser.parse_args()
    if options.store:
        make_an_epoch(options.store)
        print(peak_memory())
        return 0
    report = Report()
    add_to(report, options.tokens, MOST_GROWTH)
    return report.close()


def add_to(report: Report, tokens: int, target: float | None) -> None:
    """Measure a text and ten times as much, and add how much more memory the larger one takes."""
    if peak_memory() is None:
        report.line("memory: not measured, this system does not tell the peak of a process")
        return
    rounds = [(measure(tokens), measure(TIMES * tokens)) for _ in range(ROUNDS)]
    less, more = map(min, zip(*rounds, strict=True))
    report.line(
        f"memory: {less / 1e6:,.0f} MB for {tokens / 1e6:g} million tokens, {more / 1e6:,.0f} MB "
        f"for {TIMES} times as many"
    )
    report.at_most("data: growth of memory with ten times the text", more / less - 1, target)


def measure(tokens: int) -> int:
    """The peak resident memory, in bytes, of a new process that makes an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), tokens)
        words = [sys.executable, "-m", "benchmarks.data_memory", "--store", folder]
        shown = subprocess.run(words, check=True, capture_output=True, text=True)
    return int(shown.stdout)


def make_an_epoch(folder: Path) -> None:
    """Make the batches of one epoch over a store, one after another."""
    batches = PretrainingBatches(
        TokenStore.open(folder), load_tokenizer(), batch_size=BATCH_SIZE, sequence_length=LENGTH
    )
    pairs = sum(batches.pairs.count(0, block) for block in range(batches.pairs.n_blocks))
    for step in range(pairs // BATCH_SIZE):
        batches.batch(step)


def write_store(folder: Path, tokens: int) -> None:
    """Write a store of about so many random tokens, without tokenizing a text."""
    tokenizer, rng = load_tokenizer(), np.random.default_rng(0)
    writer = StoreWriter(folder, tokenizer.vocab_size, tokenizer.fingerprint)
    for _ in range(max(1, tokens // (SENTENCE * DOCUMENT))):
        lengths = rng.integers(1, 2 * SENTENCE, size=DOCUMENT)
        first, n_tokens = tokenizer.mask_token_id + 1, lengths.sum()
        writer.append(rng.integers(first, tokenizer.vocab_size, size=n_tokens), lengths)
        writer.end_document()
    writer.finish()


if __name__ == "__main__":
    raise SystemExit(main())
