"""What fill-mask, features and probe share: model and text arguments, aligned columns."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from albert_lib.errors import TextError
from albert_lib.files import read_text
from albert_lib.text.width import display_width
from albert_lib.utf8 import decoded, split_lines

STANDARD_INPUT = "-"


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="FOLDER_OR_ID",
        help="folder of a model and its tokenizer, or a published one such as albert-base-v2",
    )


def add_text_arguments(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add TEXT … and --file."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help=help_text)
    parser.add_argument(
        "--file",
        default=argparse.SUPPRESS,
        metavar="FILE",
        help=f"more texts, one per line; {STANDARD_INPUT} reads standard input",
    )


def texts_from(options: argparse.Namespace) -> list[str]:
    """The texts of the command line, then the lines of --file; blank lines are left out.

    Raises TextError for a file that cannot be read, and when there is no text at all.
    """
    texts: list[str] = list(options.texts)
    if "file" in options:
        texts += [line for line in split_lines(_content(options.file)) if line.strip()]
    if not texts:
        raise TextError('There is no text; give one, such as "The man is a baker.", or --file.')
    return texts


def _content(file: str) -> str:
    if file != STANDARD_INPUT:
        return read_text(file)
    return decoded(sys.stdin.buffer.read(), "Standard input")


def columns(rows: Iterable[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Lines of aligned columns; `right` says which of them are right-aligned."""
    table = [list(row) for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            " " * (width - display_width(cell)) + cell
            if flush
            else cell + " " * (width - display_width(cell))
            for cell, width, flush in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
