"""Raw text to pieces to ids: reading corpora, normalising, cutting (notebook 01)."""

from __future__ import annotations

from albert_lib.text.batch import TokenizedBatch
from albert_lib.text.corpus import (
    python_documentation,
    read_documents,
    read_jsonl,
    read_text_file,
    read_text_folder,
    split_documents,
)
from albert_lib.text.normalize import normalize
from albert_lib.text.sentences import Document, split_sentences
from albert_lib.text.settings import GOOGLE, HUGGING_FACE
from albert_lib.text.tokenizer import AlbertTokenizer
from albert_lib.text.unigram import Edge, best_segmentation, lattice, mark_words

__all__ = [
    "AlbertTokenizer",
    "Document",
    "Edge",
    "GOOGLE",
    "HUGGING_FACE",
    "TokenizedBatch",
    "best_segmentation",
    "lattice",
    "mark_words",
    "normalize",
    "python_documentation",
    "read_documents",
    "read_jsonl",
    "read_text_file",
    "read_text_folder",
    "split_documents",
    "split_sentences",
]
