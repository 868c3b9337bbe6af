"""A few pages from all over a corpus, small enough to look at often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from albert_lib.corpus import TokenStore

PLACES = 256  # documents looked into, at most


def excerpt(store: TokenStore, n_tokens: int) -> TokenStore:
    """Return the beginnings of documents spread evenly over `store`, `n_tokens` in all or fewer.

    Whole sentences, at least one a document; the store itself when it is no longer than that.
    The pieces are copied into memory, nothing is written.
    """
    if store.n_tokens <= n_tokens:
        return store
    n_documents = min(PLACES, store.n_documents)
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
