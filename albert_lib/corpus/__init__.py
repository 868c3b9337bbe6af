"""From documents to a token store on disk: sources, readers, builder, store (notebook 01)."""

from __future__ import annotations

from albert_lib.corpus.sources import (
    python_documentation,
    read_documents,
    read_jsonl,
    read_text_file,
    read_text_folder,
    split_documents,
)
from albert_lib.corpus.store import TokenStore

__all__ = [
    "TokenStore",
    "python_documentation",
    "read_documents",
    "read_jsonl",
    "read_text_file",
    "read_text_folder",
    "split_documents",
]
