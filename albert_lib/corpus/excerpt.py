"""Samples spread evenly over a corpus, so that measuring takes no longer the larger it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from albert_lib.corpus import TokenStore

EXCERPT_DOCUMENTS = 256  # at most
COUNTED_TOKENS = 1 << 27  # 134 million: at most; about a second
COUNTED_AT_ONCE = 1 << 20


def excerpt(store: TokenStore, n_tokens: int) -> TokenStore:
    """Return the beginnings of documents spread evenly over `store`, `n_tokens` in all or fewer.

    Whole sentences, at least one a document; the store itself when it is no longer than that.
    The tokens are copied into memory, nothing is written.
    """
    if store.n_tokens <= n_tokens:
        return store
    n_documents = min(EXCERPT_DOCUMENTS, store.n_documents)
    chosen = np.linspace(0, store.n_documents - 1, n_documents).astype(np.int64)
    first, finish = store.document_starts[chosen], store.document_starts[chosen + 1]
    wanted = store.sentence_starts[first] + n_tokens // n_documents
    last = np.searchsorted(store.sentence_starts, wanted, side="right") - 1
    last = np.clip(last, first + 1, finish)
    ids, lengths = [], []
    for begin, end in zip(first, last, strict=True):
        bounds = store.sentence_starts[begin : end + 1]
        ids.append(store.ids[bounds[0] : bounds[-1]])
        lengths.append(np.diff(bounds))
    return replace(
        store,
        ids=np.concatenate(ids),
        sentence_starts=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]),
        document_starts=np.concatenate([[0], np.cumsum([len(each) for each in lengths])]),
    )


def unigram_counts(store: TokenStore) -> Int[np.ndarray, " vocab"]:
    """Return how often each token of the vocabulary occurs.

    In a store of more than 134 million tokens, so many are counted, in blocks spread evenly over
    it: counting billions would delay the start of a run by minutes.
    """
    if store.n_tokens <= COUNTED_TOKENS:
        return store.unigram_counts()
    counts = np.zeros(store.vocab_size, dtype=np.int64)
    n_blocks = COUNTED_TOKENS // COUNTED_AT_ONCE
    for start in np.linspace(0, store.n_tokens - COUNTED_AT_ONCE, n_blocks).astype(np.int64):
        block = store.ids[start : start + COUNTED_AT_ONCE]
        counts += np.bincount(block, minlength=store.vocab_size)
        store.release_pages()
    return counts
