"""build-corpus: tokenize texts into stores of token ids."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from albert_lib.commands.sources import (
    PYTHON_DOCUMENTATION,
    add_source_arguments,
    add_tokenizer_argument,
    layouts_taken,
    units_from,
)
from albert_lib.corpus import TokenStore
from albert_lib.corpus.builder import CorpusBuilder
from albert_lib.corpus.data_card import effort_of, ratio, totals
from albert_lib.corpus.journal import ANEW, SOURCES
from albert_lib.corpus.layout import AUTO
from albert_lib.corpus.same_files import as_recorded
from albert_lib.corpus.sources import file_units
from albert_lib.errors import StoreError, counted
from albert_lib.files import read_json
from albert_lib.text import AlbertTokenizer

HELD_OUT_EVERY = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_source_arguments(parser)
    add_tokenizer_argument(parser)
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to create, with train/ and held-out/"
    )
    parser.add_argument(
        "--held-out-every",
        type=int,
        default=HELD_OUT_EVERY,
        help="hold out every n-th document for evaluation; 0: none",
    )
    parser.add_argument(
        "--workers", type=int, help="number of processes that encode; by default one per core"
    )
    parser.add_argument(
        ANEW, action="store_true", help="delete an earlier corpus there, finished or not, first"
    )


def run(options: argparse.Namespace) -> int:
    """Build the stores; print their sizes and the time and memory used."""
    how = {name: getattr(options, name) for name in ("field", "split", "rows_per_document")}
    if options.layout != AUTO:  # corpora of earlier versions have no such setting
        how["layout"] = options.layout
    units = units_from(options.sources, **how)
    builder = CorpusBuilder(
        units,
        AlbertTokenizer.from_pretrained(options.tokenizer),
        options.output,
        options.held_out_every,
        settings=how,
        command=shlex.join(["python", "-m", "albert_lib", *sys.argv[1:]]),
    )
    stores = builder.build(options.workers, start_over=options.start_over, progress=True)
    for line in layouts_taken(units, options.layout):
        print(line)
    for store in stores:
        print(f"{store.folder}: {store!r}")
    counts = builder.counts()
    total = totals(counts["content"])
    print(f"{counted(total['n_documents'], 'document')} found")
    print(
        f"{total['n_words']:,} words, {total['n_pieces']:,} tokens, "
        f"{ratio(total['n_pieces'], total['n_words']):.3f} tokens per word, "
        f"{100 * ratio(counts['content']['n_unknown'], total['n_pieces']):.4f} % unknown"
    )
    print(effort_of(counts["effort"], total["n_words"]))
    return 0


def build_corpus(
    sources: Sequence[str],
    tokenizer: AlbertTokenizer,
    output: Path,
    held_out_every: int,
    *,
    workers: int | None = None,
) -> list[TokenStore]:
    """Write output/train and, unless `held_out_every` is 0, output/held-out, with a data card.

    Raises TextError when a source cannot be read or has too few documents to split.
    """
    builder = CorpusBuilder(units_from(sources), tokenizer, output, held_out_every)
    return builder.build(workers, progress=True)


def refuse_other_text(corpus: Path, source: str) -> None:
    """Raise StoreError unless a finished corpus was built from `source` as it is now.

    Files are compared by name, size and time of last change, or else by their bytes. Only the
    source's name is compared for files that no longer exist, for data sets of the hub and for
    Python's documentation: a run on those must resume without a network, and after an update.
    """
    units = read_json(corpus / SOURCES, StoreError)["units"]
    before = ", ".join(dict.fromkeys(unit["source"] for unit in units))
    if source == PYTHON_DOCUMENTATION or not Path(source).exists():
        is_same, when = before == source, ""
    else:
        given = file_units(source)
        files = as_recorded([{"name": unit.name, **unit.identity} for unit in given], given, units)
        names = ("name", *given[0].identity)
        now, built = (
            [[unit.get(key) for key in names] for unit in each] for each in (files, units)
        )
        is_same = now == built
        when = " as it is now"
    if not is_same:
        raise StoreError(
            f"{corpus} was built from {before}, not from {source}{when}; name another --output, "
            f"or train on that text with --corpus {corpus}."
        )
