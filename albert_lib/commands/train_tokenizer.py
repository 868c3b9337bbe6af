"""train-tokenizer: train a vocabulary on texts."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from albert_lib.commands.sources import add_source_arguments, units_from
from albert_lib.corpus.sources import sentences_of
from albert_lib.errors import ConfigError
from albert_lib.files import read_text, ready_to_write
from albert_lib.text import AlbertTokenizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_source_arguments(parser)
    parser.add_argument(
        "--vocab-size", type=int, default=8000, help="number of pieces, special tokens included"
    )
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="learn from every n-th sentence: tens of millions of characters are enough, and take "
        "minutes",
    )
    parser.add_argument(
        "--whole-words",
        type=Path,
        metavar="FILE",
        help="words, one a line, each of which becomes a piece of its own with the score that its "
        "frequency gives it; so a probe can ask for it at one [MASK]",
    )
    parser.add_argument(
        "--keep-accents",
        action="store_true",
        help="leave accents and other marks as they are; by default é becomes e, as in the "
        "published models",
    )
    parser.add_argument(
        "--keep-case", action="store_true", help="leave capitals; by default all is small"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for spiece.model")


def run(options: argparse.Namespace) -> int:
    """Train and save the tokenizer."""
    units = units_from(
        options.sources, options.field, options.split, options.rows_per_document, options.layout
    )
    if options.every < 1:
        raise ConfigError(f"--every is {options.every}; make it at least 1.")
    ready_to_write(options.output)  # now, and not after the minutes of training
    words = read_text(options.whole_words).split() if options.whole_words else []
    sentences = islice(sentences_of(units), 0, None, options.every)
    tokenizer = AlbertTokenizer.train(
        sentences,
        options.vocab_size,
        do_lower_case=not options.keep_case,
        keep_accents=options.keep_accents,
        whole_words=words,
    )
    tokenizer.save_pretrained(options.output)
    print(f"{options.output}: a vocabulary of {tokenizer.vocab_size:,} pieces")
    return 0
