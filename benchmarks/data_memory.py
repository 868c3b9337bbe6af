"""How much memory making batches takes, for a text and for ten times as much.

    python -m benchmarks.data_memory [--pieces 4000000]

For either size a process of its own makes every batch of an epoch over random pieces; what is
compared is the most memory that each had resident.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from albert_lib import AlbertTokenizer
from albert_lib.files import data_folder, write_json
from albert_lib.objectives import PretrainingBatches, TokenStore
from albert_lib.objectives.store import FORMAT_VERSION, OFFSET_DTYPE

VOCABULARY = data_folder() / "tokenizers" / "english-8k"
TIMES = 10
MOST_GROWTH = 0.05
BATCH_SIZE, LENGTH = 32, 128
SENTENCE, DOCUMENT = 25, 40  # pieces a sentence on average, sentences a document
WRITTEN_AT_ONCE = 1 << 20


def main() -> int:
    """Print both sizes and fail if the growth is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pieces", type=int, default=4_000_000, help="of the smaller text")
    parser.add_argument("--store", type=Path, help="only make an epoch over this one")
    options = parser.parse_args()
    if options.store:
        make_an_epoch(options.store)
        print(peak_bytes())
        return 0
    return int(not report(options.pieces))


def report(pieces: int) -> bool:
    """Measure a text and ten times as much, print a line, and tell whether the target is met."""
    if not can_measure():
        print("memory: not measured, this system does not tell the peak of a process")
        return True
    less, more = measure(pieces), measure(TIMES * pieces)
    growth = more / less - 1
    print(
        f"memory: {less / 1e6:,.0f} MB for {pieces / 1e6:g} million pieces, {more / 1e6:,.0f} MB "
        f"for {TIMES} times as many: {growth:+.1%} (target: {MOST_GROWTH:+.0%} at most)"
    )
    return growth <= MOST_GROWTH


def measure(pieces: int) -> int:
    """The most memory, in bytes, that a new process has resident while it makes an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), pieces)
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


def load_tokenizer() -> AlbertTokenizer:
    """The vocabulary that comes with the project."""
    return AlbertTokenizer.from_pretrained(VOCABULARY)


def write_store(folder: Path, pieces: int) -> None:
    """Write a store of random pieces, about as many as asked for, without tokenizing a text."""
    tokenizer, rng = load_tokenizer(), np.random.default_rng(0)
    n_documents = max(1, pieces // (SENTENCE * DOCUMENT))
    lengths = rng.integers(1, 2 * SENTENCE, size=n_documents * DOCUMENT)
    sentence_starts = np.concatenate([[0], np.cumsum(lengths)])
    n_tokens = int(sentence_starts[-1])
    sentence_starts.astype(OFFSET_DTYPE).tofile(folder / "sentences.bin")
    document_starts = np.arange(n_documents + 1) * DOCUMENT
    document_starts.astype(OFFSET_DTYPE).tofile(folder / "documents.bin")
    with (folder / "ids.bin").open("wb") as ids:
        for start in range(0, n_tokens, WRITTEN_AT_ONCE):
            n_now = min(WRITTEN_AT_ONCE, n_tokens - start)
            some = rng.integers(tokenizer.mask_token_id + 1, tokenizer.vocab_size, size=n_now)
            ids.write(some.astype("<u2").tobytes())
    description = {
        "format_version": FORMAT_VERSION,
        "dtype": "<u2",
        "n_tokens": n_tokens,
        "n_sentences": len(lengths),
        "n_documents": n_documents,
        "vocab_size": tokenizer.vocab_size,
        "tokenizer_fingerprint": tokenizer.fingerprint,
    }
    write_json(folder / "store.json", description)


def can_measure() -> bool:
    """Whether `peak_bytes` works here: not on Windows."""
    return sys.platform != "win32"


def peak_bytes() -> int:
    """The most memory this process had resident so far."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count the parent's memory at the fork, too
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return 1024 * int(fields["VmHWM"].split()[0])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    raise SystemExit(main())
