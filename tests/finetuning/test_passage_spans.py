"""Probabilities over a passage, and its best span: as torch and the whole search have them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from albert_lib.errors import InputError
from albert_lib.finetuning.passage_spans import best_span, masked_softmax
from albert_lib.finetuning.spans import best_spans
from albert_lib.finetuning.windows import example_windows


@pytest.mark.parametrize("seed", range(5))
def test_masked_softmax_is_that_of_torch_with_infinite_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, allowed = rng.normal(scale=300, size=12), rng.random(12) < 0.5
    allowed[3] = True
    masked = torch.from_numpy(scores).masked_fill(~torch.from_numpy(allowed), -torch.inf)
    found = masked_softmax(scores, allowed)
    np.testing.assert_allclose(found, masked.softmax(dim=0).numpy(), atol=1e-12)
    assert (found[~allowed] == 0).all()


@pytest.mark.parametrize("max_tokens", [1, 2, 30])
@pytest.mark.parametrize("number", [0, 1])
def test_best_span_is_the_first_of_the_whole_search(number: int, max_tokens: int) -> None:
    window = example_windows()[number]
    length = len(window.input_ids)
    allowed = np.zeros(length, dtype=bool)
    for position in range(window.offset, length - 1):
        allowed[position] = window.best_context[position - window.offset]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        starts, ends = rng.normal(size=length), rng.normal(size=length)
        (best,) = best_spans(window, starts, ends, max_tokens=max_tokens, n_best=1)
        everywhere = allowed.copy()
        everywhere[window.offset : length - 1] = True  # an end may stand in any context
        starts = np.where(allowed, starts, -1e9)
        found = best_span(starts, ends, everywhere, max_tokens)
        assert window.to_passage(*found) == (best.first, best.last)


def test_of_equal_spans_the_first_and_shortest_wins() -> None:
    zeros, allowed = np.zeros(4), np.array([False, True, True, True])
    assert best_span(zeros, zeros, allowed) == (1, 1)


def test_nothing_allowed_is_refused() -> None:
    with pytest.raises(InputError, match="allowed"):
        masked_softmax(np.zeros(3), np.zeros(3, dtype=bool))
    with pytest.raises(InputError, match="allowed"):
        best_span(np.zeros(3), np.zeros(3), np.zeros(3, dtype=bool))
