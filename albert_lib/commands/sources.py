"""What several commands take: text sources, and a tokenizer by name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from albert_lib.files import data_folder
from albert_lib.text import AlbertTokenizer
from albert_lib.text.corpus import Document, python_documentation, read_documents

PYTHON_DOCUMENTATION = "python-documentation"
SOURCE_HELP = (
    "a folder of .txt files, a .txt or .jsonl file, or "
    f"{PYTHON_DOCUMENTATION} (the prose that Python and its packages carry)"
)
SHIPPED_TOKENIZER = "english-8k"


def add_tokenizer_argument(parser: argparse.ArgumentParser) -> None:
    """Add --tokenizer."""
    parser.add_argument(
        "--tokenizer",
        default=SHIPPED_TOKENIZER,
        help=f"folder with a spiece.model, hub id, or {SHIPPED_TOKENIZER}, which comes along",
    )


def load_tokenizer(name: str) -> AlbertTokenizer:
    """Load a tokenizer that comes with the project by its name, any other by folder or hub id."""
    shipped = data_folder() / "tokenizers" / name
    return AlbertTokenizer.from_pretrained(shipped if shipped.is_dir() else name)


def documents_from(sources: Sequence[str]) -> Iterator[Document]:
    """Yield the documents of every source in turn."""
    for source in sources:
        if source == PYTHON_DOCUMENTATION:
            yield from python_documentation()
        else:
            yield from read_documents(source)
