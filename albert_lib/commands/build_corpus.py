"""build-corpus: texts to stores of piece ids."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from albert_lib.commands.sources import (
    SOURCE_HELP,
    add_tokenizer_argument,
    documents_from,
    load_tokenizer,
)
from albert_lib.objectives import TokenStore
from albert_lib.text import AlbertTokenizer
from albert_lib.text.corpus import split_documents

HELD_OUT_EVERY = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=SOURCE_HELP)
    add_tokenizer_argument(parser)
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to receive train/ and held-out/"
    )
    parser.add_argument(
        "--held-out-every",
        type=int,
        default=HELD_OUT_EVERY,
        help="keep one document in so many for held-out measurement; 0: none",
    )


def run(options: argparse.Namespace) -> int:
    """Build the stores and say how big they are."""
    tokenizer = load_tokenizer(options.tokenizer)
    stores = build_corpus(options.sources, tokenizer, options.output, options.held_out_every)
    for store in stores:
        print(f"{store.folder}: {store!r}")
    return 0


def build_corpus(
    sources: Sequence[str], tokenizer: AlbertTokenizer, output: Path, held_out_every: int
) -> list[TokenStore]:
    """Write output/train and, unless `held_out_every` is 0, output/held-out.

    Raises TextError when a source cannot be read or there is too little of it to split.
    """
    documents = documents_from(sources)
    if held_out_every == 0:
        return [TokenStore.build(output / "train", documents, tokenizer, progress=True)]
    train, held_out = split_documents(documents, held_out_every)
    return [
        TokenStore.build(output / name, part, tokenizer, progress=True)
        for name, part in (("train", train), ("held-out", held_out))
    ]
