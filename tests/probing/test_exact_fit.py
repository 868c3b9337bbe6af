"""A text of exactly as many tokens as the model has positions is asked; one more is refused."""

from __future__ import annotations

import pytest
import torch

from albert_lib.errors import InputError
from albert_lib.model import AlbertModel
from albert_lib.probing import Features, FillMask, bias_score, pseudo_log_likelihood
from albert_lib.probing.sets.base import TOO_LONG, encode_pairs, why_not

LONGEST = 64  # positions of the model in conftest
ORDINARY = LONGEST - 2  # without [CLS] and [SEP]


def words(count: int) -> str:
    return " ".join(["the"] * count)


def test_fill_mask(fill_mask: FillMask) -> None:
    assert len(fill_mask.masked_logits([f"{words(ORDINARY - 1)} [MASK]"])) == 1
    with pytest.raises(InputError, match="has 65 tokens"):
        fill_mask.masked_logits([f"{words(ORDINARY)} [MASK]"])


def test_features(fill_mask: FillMask) -> None:
    features = Features(AlbertModel(fill_mask.model.config), fill_mask.tokenizer)
    assert len(features(words(ORDINARY)).tokens) == LONGEST
    with pytest.raises(InputError, match="has 65 tokens"):
        features(words(ORDINARY + 1))


def test_pseudo_log_likelihood(fill_mask: FillMask) -> None:
    (scores,) = pseudo_log_likelihood(fill_mask, [words(ORDINARY)], [[1]])
    assert len(scores.input_ids) == LONGEST
    with pytest.raises(InputError, match="has 65 tokens"):
        pseudo_log_likelihood(fill_mask, [words(ORDINARY + 1)])


def test_bias_score(fill_mask: FillMask) -> None:
    (row,) = bias_score(fill_mask, [f"{words(ORDINARY - 2)} {{person}} [MASK]"], ["nurse"])
    assert row.values.shape == (1,)
    with pytest.raises(InputError, match="has 65 tokens"):
        bias_score(fill_mask, [f"{words(ORDINARY - 1)} {{person}} [MASK]"], ["nurse"])


def test_pairs_and_queries_of_the_sets(fill_mask: FillMask) -> None:
    assert why_not(fill_mask, [5] * LONGEST) is None
    assert why_not(fill_mask, [5] * (LONGEST + 1)) == TOO_LONG
    pairs = [(ORDINARY, ORDINARY), (1, ORDINARY + 1), (ORDINARY + 1, 1)]
    fitting, dropped = encode_pairs(fill_mask, pairs, lambda pair: (words(pair[0]), words(pair[1])))
    assert [item for item, _, _ in fitting] == [(ORDINARY, ORDINARY)]
    assert [len(ids) for ids in fitting[0][1:]] == [LONGEST, LONGEST]
    assert dropped == {"pair longer than 64 tokens": 2}


def test_what_comes_back_is_in_the_order_of_the_texts(fill_mask: FillMask) -> None:
    texts = [f"{words(n)} [MASK]" for n in (9, 1, 5, 3)]
    together = fill_mask.masked_logits(texts)
    for text, logits in zip(texts, together, strict=True):
        assert torch.allclose(logits, fill_mask.masked_logits([text])[0], atol=1e-4)
