"""What several commands take: text sources, and a tokenizer by name."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from albert_lib.corpus.hub_datasets import KNOWN, PREFIX, hub_units
from albert_lib.corpus.sources import Unit, documentation_unit, file_units

PYTHON_DOCUMENTATION = "python-documentation"
SOURCE_HELP = (
    "a folder of .txt and .jsonl files, or one of these, each also packed (.gz, .bz2, .xz); "
    f"{PYTHON_DOCUMENTATION} (the prose that Python and its packages carry); "
    f"a data set of the Hugging Face hub, streamed: {' or '.join(KNOWN)} or "
    f"{PREFIX}NAME[@REVISION][:CONFIGURATION]"
)
SHIPPED_TOKENIZER = "english-8k"


def add_tokenizer_argument(parser: argparse.ArgumentParser) -> None:
    """Add --tokenizer."""
    parser.add_argument(
        "--tokenizer",
        default=SHIPPED_TOKENIZER,
        help=f"folder with a spiece.model, hub id, or {SHIPPED_TOKENIZER}, which comes along",
    )


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sources, and what says how to read those that are tables."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--field", default="text", help="where JSON lines and hub rows have text")
    parser.add_argument("--split", default="train", help="which split of hub data sets")
    parser.add_argument(
        "--rows-per-document",
        type=int,
        help="rows of a hub data set that make a document; left out: 1, of bookcorpus, whose rows "
        "are sentences, 512",
    )


def units_from(
    sources: Sequence[str],
    field: str = "text",
    split: str = "train",
    rows_per_document: int | None = None,
) -> list[Unit]:
    """List what each source consists of, in order; TextError for one that cannot be read.

    What exists on this machine goes before a data set of the same name.
    """
    units: list[Unit] = []
    for source in sources:
        if source == PYTHON_DOCUMENTATION:
            units.append(documentation_unit(source))
        elif source.startswith(PREFIX) or (source in KNOWN and not Path(source).exists()):
            units += hub_units(source, field, split, rows_per_document)
        else:
            units += file_units(source, field)
    return units
