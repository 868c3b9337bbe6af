from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from albert_lib.corpus import blocks
from albert_lib.corpus.blocks import block_bounds, read_block


@pytest.mark.parametrize("pieces", [1, 50, 700, 10**6])
def test_blocks_are_whole_documents_one_after_another(
    make_store, random_documents, monkeypatch, pieces
):
    monkeypatch.setattr(blocks, "BLOCK_PIECES", pieces)
    documents = random_documents(30)
    store = make_store(documents)
    bounds = block_bounds(store)
    assert (bounds[0], bounds[-1]) == (0, 30) and (np.diff(bounds) > 0).all()
    lengths = np.array([sum(map(len, document)) for document in documents])
    for first, end in pairwise(bounds.tolist()):
        block = read_block(store, first, end)
        assert block.n_documents == end - first
        np.testing.assert_array_equal(block.document_lengths(), lengths[first:end])
        assert lengths[first : end - 1].sum() < pieces  # but for the last document it is no larger
        starts = block.sentence_starts
        found = [store.ids[a:b].tolist() for a, b in pairwise(starts)]
        assert found == [sentence for document in documents[first:end] for sentence in document]


def test_a_long_document_stays_in_one_block(make_store, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIECES", 10)
    # they begin at 0, 4, 99, 102 and 105; of the tens, 100 lies in the third
    store = make_store([[[7] * 4], [[8] * 95], [[9] * 3], [[9] * 3], [[9] * 3]])
    assert block_bounds(store).tolist() == [0, 2, 3, 5]
