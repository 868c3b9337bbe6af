"""Raw text to tokens to ids: normalisation, segmentation, a vocabulary (notebook 01)."""

from __future__ import annotations

from albert_lib.text.batch import TokenizedBatch
from albert_lib.text.normalize import normalize
from albert_lib.text.sentences import Document, split_sentences
from albert_lib.text.settings import GOOGLE_TOKENIZATION, HUGGING_FACE_TOKENIZATION
from albert_lib.text.tokenizer import AlbertTokenizer
from albert_lib.text.unigram import (
    Edge,
    best_segmentation,
    lattice,
    marginal_log_likelihood,
    mark_words,
)

__all__ = [
    "AlbertTokenizer",
    "Document",
    "Edge",
    "GOOGLE_TOKENIZATION",
    "HUGGING_FACE_TOKENIZATION",
    "TokenizedBatch",
    "best_segmentation",
    "lattice",
    "marginal_log_likelihood",
    "mark_words",
    "normalize",
    "split_sentences",
]
