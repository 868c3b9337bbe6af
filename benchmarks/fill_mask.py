"""How fast FillMask is beside transformers' fill-mask pipeline and beside inference engines.

    python -m benchmarks.fill_mask [--preset albert-xlarge-v1] [--vocabulary FOLDER]
    python -m benchmarks.fill_mask --only engines

Pipeline and FillMask read the same folder: the preset's shape with random weights, which take as
long as trained ones. Each case is timed in turns; the ratio is the median over turns of theirs /
ours.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertTokenizer, FillMask
from benchmarks.common import VOCABULARY, seconds
from benchmarks.engines import report_engines
from benchmarks.targets import Report

SHORT = "Hello I'm a [MASK] model."
LONG = "The old baker walks to the mill before dawn and lights the fire . " * 28 + "He is [MASK]."
WORDS = "man woman house town king queen baker mill dawn river bread miller horse road day sea"


def main() -> int:
    """Print both parts, and fail if our own is the slower in any case, or a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--preset", default="albert-xlarge-v1")
    parser.add_argument("--vocabulary", default=VOCABULARY)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--only", choices=("pipeline", "engines"), help="one of the two parts")
    parser.add_argument("--tiny", action="store_true", help="engines: sizes for a test")
    options = parser.parse_args()
    report = Report()
    slower = 0
    if options.only != "engines":
        slower = compare_with_pipeline(options)
    if options.only != "pipeline":
        report_engines(report, options.turns, options.tiny)
    return slower | report.close()


def compare_with_pipeline(options: argparse.Namespace) -> int:
    """Print a line a case; 1 if our own is the slower in any."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = both(Path(folder), options.preset, options.vocabulary)
        texts = [SHORT.replace("model", word) for word in WORDS.split()]
        tokens = len(ours.tokenizer.encode(LONG))
        cases = {
            "one short text": (lambda: ours(SHORT), lambda: theirs(SHORT)),
            f"one text of {tokens} tokens": (lambda: ours(LONG), lambda: theirs(LONG)),
            f"{len(texts)} short texts": (lambda: ours(texts), lambda: theirs(texts)),
            f"{len(texts)} short texts, pipeline told to batch them": (
                lambda: ours(texts),
                lambda: theirs(texts, batch_size=len(texts)),
            ),
        }
        print(f"{options.preset}, {torch.get_num_threads()} threads, median of {options.turns}")
        ratios = [report(name, mine, other, options.turns) for name, (mine, other) in cases.items()]
    return int(min(ratios) < 1)


def both(folder: Path, preset: str, vocabulary: str | Path) -> tuple[FillMask, Any]:
    """One folder, read by this library and by transformers."""
    tokenizer = AlbertTokenizer.from_pretrained(vocabulary)
    config = AlbertConfig.preset(preset).replace(vocab_size=tokenizer.vocab_size)
    torch.manual_seed(0)
    AlbertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pipeline: Any = transformers.pipeline("fill-mask", model=str(folder))
    return FillMask.from_pretrained(folder), pipeline


def report(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], turns: int) -> float:
    """Time both in turns, print the medians, and return the median ratio."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    mine, other = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    ratio = ratio_of(pairs)
    print(f"{name:<52} {mine:8.0f} ms  pipeline {other:8.0f} ms  {ratio:5.2f} times as fast")
    return ratio


def ratio_of(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of theirs / ours."""
    return statistics.median(theirs / ours for ours, theirs in pairs)


if __name__ == "__main__":
    raise SystemExit(main())
