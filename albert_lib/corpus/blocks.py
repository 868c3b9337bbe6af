"""A store in blocks of whole documents, so that no step has to look at the whole of a corpus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from albert_lib.corpus.store import TokenStore

BLOCK_PIECES = 1 << 17  # what a block holds, and at most a document more


@dataclass(frozen=True, eq=False)
class Block:
    """Neighbouring documents of a store.

    Sentence i of the block is `store.ids[sentence_starts[i] : sentence_starts[i + 1]]`; its
    document d is made of the block's sentences `document_starts[d] … document_starts[d + 1] − 1`.
    """

    sentence_starts: Int[np.ndarray, " sentence_boundaries"]
    document_starts: Int[np.ndarray, " document_boundaries"]

    @property
    def n_documents(self) -> int:
        """Number of documents in the block."""
        return len(self.document_starts) - 1

    def document_lengths(self) -> Int[np.ndarray, " documents"]:
        """How many pieces each document has."""
        return np.diff(self.sentence_starts[self.document_starts])


def block_bounds(store: TokenStore) -> Int[np.ndarray, " bounds"]:
    """Which document each block begins with, and the end.

    A block begins with the first document at or after every multiple of `BLOCK_PIECES` pieces.
    The documents of a long corpus are not read through: the places are looked up by bisection.
    """
    places = np.arange(0, store.n_tokens, BLOCK_PIECES)
    sentences = np.searchsorted(store.sentence_starts, places)
    documents = np.searchsorted(store.document_starts, sentences)
    return np.unique(np.append(documents, store.n_documents))


def read_block(store: TokenStore, first_document: int, end_document: int) -> Block:
    """The documents first_document … end_document − 1, copied: the store's pages are let go."""
    document_starts = np.array(store.document_starts[first_document : end_document + 1])
    begin, end = document_starts[0], document_starts[-1]
    sentence_starts = np.array(store.sentence_starts[begin : end + 1])
    store.release_pages()
    return Block(sentence_starts, document_starts - begin)
