"""How fast batches are made beside transformers' whole-word collator, and in how much memory.

    python -m benchmarks.data [--rounds 7] [--tiny]

Ours draws segment pairs, hides runs of whole words and gives tensors, on one core. The collator
gets the very same sequences, already paired, as lists, which it takes fastest, with offsets that
mark the same words; it hides words and gives tensors. Rounds alternate; what is printed are
medians, and the median ratio of a round. Each figure stands beside its target, and a missed one
is the exit status.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from albert_lib import AlbertTokenizer
from albert_lib.corpus import TokenStore, python_documentation
from albert_lib.objectives import PretrainingBatch, PretrainingBatches
from benchmarks import data_memory
from benchmarks.common import VOCABULARY, load_tokenizer
from benchmarks.data_memory import BATCH_SIZE, LENGTH
from benchmarks.targets import Report
from benchmarks.tokenization import both, stay_on_one_core

STEPS = 64  # a round; what is made ahead in one go divides it
LEAST_SPEED, LEAST_RATIO = 1e6, 10.0
TINY_DOCUMENTS, TINY_PIECES = 20, 20_000


def main() -> int:
    """Print a line a figure, and fail if one misses its target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--tiny", action="store_true", help="too little to say anything; to see whether it runs"
    )
    options = parser.parse_args()
    cores = stay_on_one_core()
    rounds = 1 if options.tiny else options.rounds
    pieces = TINY_PIECES if options.tiny else 4_000_000
    report = Report()
    report.title(f"data: {BATCH_SIZE} x {LENGTH} tokens, {cores}, median of {rounds}")
    with tempfile.TemporaryDirectory() as folder:
        most = TINY_DOCUMENTS if options.tiny else None
        documents = list(islice(python_documentation(packages=()), most))
        store = TokenStore.build(Path(folder) / "store", documents, load_tokenizer())
        measure_speed(store, rounds, report, targets=not options.tiny)
    data_memory.add_to(report, pieces, None if options.tiny else data_memory.MOST_GROWTH)
    return report.close()


def measure_speed(store: TokenStore, rounds: int, report: Report, *, targets: bool) -> None:
    """Time both in turn and add what came out."""
    tokenizer, theirs = both(VOCABULARY)
    batches = make_batches(store, tokenizer)
    began = time.perf_counter()
    batches.batch(0)
    first = time.perf_counter() - began
    collate = collator(theirs)
    timed = [one_round(batches, collate, tokenizer, 1 + n) for n in range(rounds)]
    tokens, mine, other, longest = (
        statistics.median(column) for column in zip(*timed, strict=True)
    )
    speed, ratio = tokens / mine, statistics.median(b / a for _, a, b, _ in timed)
    report.line(
        f"{1e6 / speed:.3f} µs a token; their whole-word collator {1e6 * other / tokens:.3f}"
    )
    report.line(f"waits: {1e3 * first:.0f} ms for the first batch, {1e3 * longest:.0f} the longest")
    report.at_least("data: tokens/s on one core", speed, LEAST_SPEED if targets else None)
    report.at_least(
        "data: times as fast as the whole-word collator", ratio, LEAST_RATIO if targets else None
    )


def make_batches(store: TokenStore, tokenizer: AlbertTokenizer) -> PretrainingBatches:
    """The batches that `pretrain` makes."""
    return PretrainingBatches(store, tokenizer, batch_size=BATCH_SIZE, sequence_length=LENGTH)


def one_round(
    batches: PretrainingBatches,
    collate: Callable[[list[dict[str, Any]]], object],
    tokenizer: AlbertTokenizer,
    number: int,
) -> tuple[int, float, float, float]:
    """Tokens without padding, our seconds, theirs for the same, our longest for one batch."""
    made, waits = [], []
    for step in range(number * STEPS, (number + 1) * STEPS):
        began = time.perf_counter()
        made.append(batches.batch(step))
        waits.append(time.perf_counter() - began)
    examples = [features(batch, tokenizer) for batch in made]
    began = time.perf_counter()
    for example in examples:
        collate(example)
    theirs = time.perf_counter() - began
    return sum(batch.n_tokens for batch in made), sum(waits), theirs, max(waits)


def collator(tokenizer: Any) -> Callable[[list[dict[str, Any]]], object]:
    """Transformers' collator that hides whole words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of showing every masked token as [MASK]
        return transformers.DataCollatorForLanguageModeling(tokenizer, whole_word_mask=True)


def features(batch: PretrainingBatch, tokenizer: AlbertTokenizer) -> list[dict[str, Any]]:
    """The sequences of a batch, nothing masked, as the collator wants them."""
    ids = batch.input_ids.clone()
    ids.view(-1)[batch.masked_positions] = batch.masked_labels
    pieces = ids.numpy()
    # pieces one character long, and a space before each word
    end = np.cumsum(1 + tokenizer.is_word_start[pieces], axis=1)
    columns = {
        "input_ids": pieces,
        "token_type_ids": batch.token_type_ids.numpy(),
        "attention_mask": batch.attention_mask.numpy(),
        "special_tokens_mask": tokenizer.is_special[pieces].astype(int),
        "offset_mapping": np.stack([end - 1, end], axis=-1),
    }
    return [
        {name: values[row].tolist() for name, values in columns.items()}
        for row in range(len(pieces))
    ]


if __name__ == "__main__":
    raise SystemExit(main())
