"""How fast our tokenizer is beside transformers' own, over the same sentences on one core.

    python -m benchmarks.tokenization [--lines N] [--vocabulary FOLDER] [--text FILE]

Both cut with the same pieces. Each case is timed in turns; the ratio is the median over turns of
theirs / ours. Without --text the sentences come from Python's documentation.
"""

from __future__ import annotations

import os

os.environ["RAYON_NUM_THREADS"] = "1"  # read when `tokenizers` is imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
import transformers

from albert_lib import AlbertTokenizer
from albert_lib.corpus import python_documentation, read_documents
from benchmarks.common import VOCABULARY, seconds

BATCH = 32


def main() -> int:
    """Print a line a case, and fail if our own is the slower in any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=5000, help="sentences to time with")
    parser.add_argument("--vocabulary", default=VOCABULARY)
    parser.add_argument("--text", type=Path, help="a text file, a sentence a line")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    cores = stay_on_one_core()
    transformers.logging.set_verbosity_error()  # of sentences over 512 tokens
    sentences = list(islice(sentences_of(options.text), options.lines))
    ours, theirs = both(options.vocabulary)
    differing = [s for s in sentences if ours.encode(s) != theirs.encode(s)]
    print(
        f"{len(sentences)} sentences of {statistics.mean(map(len, sentences)):.0f} characters, "
        f"{len(differing)} of them cut differently; {cores}; median of {options.turns}"
    )
    ratios = [
        report(name, mine, other, sentences, options.turns)
        for name, mine, other in cases(ours, theirs)
    ]
    return int(min(ratios) < 1)


def stay_on_one_core() -> str:
    """Pin this process to one core where the system lets it; say what came of it."""
    torch.set_num_threads(1)
    if not hasattr(os, "sched_setaffinity"):
        return "one thread"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return "one core"


def sentences_of(file: Path | None) -> Iterator[str]:
    """The sentences of a file or, without one, of Python's documentation."""
    documents = python_documentation(packages=()) if file is None else read_documents(file)
    return chain.from_iterable(documents)


def both(vocabulary: str | Path) -> tuple[AlbertTokenizer, Any]:
    """One folder, read by this library and by transformers."""
    ours = AlbertTokenizer.from_pretrained(vocabulary)
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(folder)
        return ours, transformers.AutoTokenizer.from_pretrained(folder)


Work = Callable[[list[str]], object]


def cases(ours: AlbertTokenizer, theirs: Any) -> Iterable[tuple[str, Work, Work]]:
    """What is timed: a name, our way and theirs."""
    yield (
        "ids of all sentences in one call",
        lambda texts: ours.encode_sentences(texts, num_threads=1),
        lambda texts: theirs(
            texts,
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        ),
    )
    yield (
        f"tensors, {BATCH} sentences a call",
        lambda texts: [ours(batch) for batch in batches(texts)],
        lambda texts: [
            theirs(batch, truncation=True, padding=True, return_tensors="pt")
            for batch in batches(texts)
        ],
    )
    yield (
        f"tensors of pairs, {BATCH} pairs a call",
        lambda texts: [ours(batch, batch[::-1]) for batch in batches(texts)],
        lambda texts: [
            theirs(batch, batch[::-1], truncation=True, padding=True, return_tensors="pt")
            for batch in batches(texts)
        ],
    )
    yield (
        "ids, one sentence a call",
        lambda texts: [ours.encode(text) for text in texts],
        lambda texts: [theirs.encode(text) for text in texts],
    )
    yield (
        "tensors, one sentence a call",
        lambda texts: [ours(text) for text in texts],
        lambda texts: [theirs(text, truncation=True, return_tensors="pt") for text in texts],
    )
    yield (
        "ids and offsets, one sentence a call",
        lambda texts: [ours.encode_with_offsets(text) for text in texts],
        lambda texts: [
            theirs(text, add_special_tokens=False, return_offsets_mapping=True) for text in texts
        ],
    )


def batches(texts: list[str]) -> Iterator[list[str]]:
    """The texts, `BATCH` at a time."""
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def report(name: str, ours: Work, theirs: Work, sentences: list[str], turns: int) -> float:
    """Time both in turns, print sentences a second, and return the median ratio."""
    ours(sentences), theirs(sentences)
    mine, other = (partial(each, sentences) for each in (ours, theirs))
    pairs = [(seconds(mine), seconds(other)) for _ in range(turns)]
    our_pace, their_pace = (
        len(sentences) / statistics.median(column) for column in zip(*pairs, strict=True)
    )
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    paces = f"{our_pace:9,.0f} a second  transformers {their_pace:8,.0f}"
    print(f"{name:<38} {paces}  {ratio:6.2f} times as fast")
    return ratio


if __name__ == "__main__":
    raise SystemExit(main())
