"""Arguments that several commands share: text sources and a tokenizer."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from albert_lib.corpus.hub_datasets import KNOWN, PREFIX, hub_units
from albert_lib.corpus.layout import AUTO, LAYOUTS
from albert_lib.corpus.sources import Unit, documentation_unit, file_units
from albert_lib.errors import TextError, counted

PYTHON_DOCUMENTATION = "python-documentation"
SOURCE_HELP = (
    "a folder of .txt and .jsonl files, or one such file, also compressed (.gz, .bz2, .xz); "
    f"{PYTHON_DOCUMENTATION} (the documentation of Python and installed packages); "
    f"a data set of the Hugging Face hub, streamed: {' or '.join(KNOWN)} or "
    f"{PREFIX}NAME[@REVISION][:CONFIGURATION]"
)
SHIPPED_TOKENIZER = "english-8k"


def add_tokenizer_argument(parser: argparse.ArgumentParser) -> None:
    """Add --tokenizer."""
    parser.add_argument(
        "--tokenizer",
        default=SHIPPED_TOKENIZER,
        help=f"folder with a spiece.model, hub id, or {SHIPPED_TOKENIZER}, which is included",
    )


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sources, and the options for JSON lines and hub data sets."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument(
        "--field", default="text", help="field or column of the text, in JSON lines or data sets"
    )
    parser.add_argument(
        "--layout",
        choices=[AUTO, *LAYOUTS],
        default=AUTO,
        help="how the lines of .txt files make documents: "
        + "; ".join(f"{name}: {meaning}" for name, meaning in LAYOUTS.items())
        + f"; {AUTO}: as each file looks",
    )
    parser.add_argument("--split", default="train", help="which split of hub data sets")
    parser.add_argument(
        "--rows-per-document",
        type=int,
        help="how many rows of a hub data set make a document; by default 1, or 512 for "
        "bookcorpus, whose rows are sentences",
    )


def units_from(
    sources: Sequence[str],
    field: str = "text",
    split: str = "train",
    rows_per_document: int | None = None,
    layout: str = AUTO,
) -> list[Unit]:
    """List the units of each source, in order; TextError for one that cannot be read.

    A file or folder takes precedence over a data set of the same name.
    """
    units: list[Unit] = []
    for source in sources:
        if not source:
            raise TextError("A source is an empty name; write a file, a folder or a data set.")
        if source == PYTHON_DOCUMENTATION:
            units.append(documentation_unit(source))
        elif source.startswith(PREFIX) or (source in KNOWN and not Path(source).exists()):
            units += hub_units(source, field, split, rows_per_document)
        else:
            units += file_units(source, field, layout)
    return units


def layouts_taken(units: Sequence[Unit], layout: str) -> list[str]:
    """A line for each layout of the .txt files among the units: how many files, and its meaning.

    Reads the beginning of each file where `layout` is "auto". Raises TextError for one that
    cannot be read.
    """
    found = Counter(unit.layout() for unit in units if unit.layout is not None)
    how = "recognised; --layout says it otherwise" if layout == AUTO else "as --layout says"
    return [
        f"layout of {counted(found[name], 'text file')}: {name} ({LAYOUTS[name]}), {how}"
        for name in LAYOUTS
        if found[name]
    ]
