"""train-tokenizer: texts to a vocabulary."""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path

from albert_lib.commands.sources import SOURCE_HELP, documents_from
from albert_lib.text import AlbertTokenizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--vocab-size", type=int, default=8000, help="pieces, specials included")
    parser.add_argument("--output", type=Path, required=True, help="folder for spiece.model")


def run(options: argparse.Namespace) -> int:
    """Train and save the tokenizer."""
    sentences = chain.from_iterable(documents_from(options.sources))
    tokenizer = AlbertTokenizer.train(sentences, options.vocab_size)
    tokenizer.save_pretrained(options.output)
    print(f"{options.output}: a vocabulary of {tokenizer.vocab_size:,} pieces")
    return 0
