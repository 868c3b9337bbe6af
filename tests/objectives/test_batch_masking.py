from __future__ import annotations

import numpy as np
import pytest

from albert_lib.objectives import MaskingConfig, choose_spans, find_words, mask_batch


class Replay(np.random.Generator):
    """A generator that hands out one given table of uniforms."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__(np.random.PCG64())
        self.table = table

    def random(self, size):
        assert size == self.table.shape
        return self.table


def draw_sequences(n, length, seed=0, special_share=0.03):
    """Random pieces with special ones strewn in, [CLS] in front and padding behind."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, 1000, (n, length))
    ids[rng.random(ids.shape) < special_share] = 3
    ids[:, 0] = 2
    ids[np.arange(length) >= rng.integers(4, length + 1, n)[:, None]] = 0
    return ids, rng.random((n, 4, length))


@pytest.mark.parametrize(
    "config",
    [
        MaskingConfig(),
        MaskingConfig(rate=0.6, max_ngram=5),
        MaskingConfig(rate=1.0),
        MaskingConfig(max_ngram=1),
        MaskingConfig(max_predictions=2),
    ],
)
def test_a_batch_is_masked_as_choose_spans_masks_each_sequence(tokenizer, config):
    ids, draws = draw_sequences(60, 48)
    shown, masked = mask_batch(ids, tokenizer, config, draws)
    for row in range(len(ids)):
        words = find_words(ids[row], tokenizer.is_word_start, tokenizer.is_special)
        budget = int(config.budget((ids[row : row + 1] != 0).sum(axis=1))[0])
        rng = Replay(draws[row, :2, : len(words)])
        spans = choose_spans(words, budget, rng, config.max_ngram)
        expected = sorted(position for span in spans for position in span)
        assert np.flatnonzero(masked[row]).tolist() == expected
    np.testing.assert_array_equal(shown[~masked], ids[~masked])


def test_special_pieces_and_padding_are_never_hidden(tokenizer):
    ids, draws = draw_sequences(200, 32, special_share=0.3)
    _, masked = mask_batch(ids, tokenizer, MaskingConfig(rate=1.0), draws)
    np.testing.assert_array_equal(masked, ~tokenizer.is_special[ids])


def test_the_rate_is_the_budget_exactly_when_there_are_words_enough(tokenizer):
    rng = np.random.default_rng(0)
    ids = 2 * rng.integers(3, 500, (500, 128))  # words of one piece
    ids[:, 0], ids[:, 60], ids[:, 127] = 2, 3, 3
    _, masked = mask_batch(ids, tokenizer, MaskingConfig(), rng.random((500, 4, 128)))
    assert (masked.sum(axis=1) == 19).all()


def test_rows_do_not_influence_each_other(tokenizer):
    ids, draws = draw_sequences(40, 64)
    shown, masked = mask_batch(ids, tokenizer, MaskingConfig(), draws)
    some = np.array([31, 2, 17])
    shown_alone, masked_alone = mask_batch(ids[some], tokenizer, MaskingConfig(), draws[some])
    np.testing.assert_array_equal(shown[some], shown_alone)
    np.testing.assert_array_equal(masked[some], masked_alone)


def test_the_layout_in_memory_does_not_matter(tokenizer):
    ids, draws = draw_sequences(20, 32)
    by_row = mask_batch(ids, tokenizer, MaskingConfig(), draws)
    by_column = mask_batch(np.asfortranarray(ids), tokenizer, MaskingConfig(), draws)
    for one, other in zip(by_row, by_column, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_span_ends_with_its_sequence(tokenizer):
    ids = np.full((400, 8), 6)  # no special piece parts one sequence from the next
    rng = np.random.default_rng(0)
    _, masked = mask_batch(ids, tokenizer, MaskingConfig(rate=0.25), rng.random((400, 4, 8)))
    assert (masked.sum(axis=1) == 2).all()


def test_masked_pieces_are_shown_80_10_10(tokenizer):
    rng = np.random.default_rng(0)
    ids = rng.integers(500, 1000, (2000, 64))
    shown, masked = mask_batch(ids, tokenizer, MaskingConfig(), rng.random((2000, 4, 64)))
    n = masked.sum()
    assert n > 19_000
    as_mask = (shown[masked] == 4).sum() / n
    unchanged = (shown[masked] == ids[masked]).sum() / n
    bound = 5 * np.sqrt(0.25 / n)
    assert as_mask == pytest.approx(0.8 + 0.1 / 1000, abs=bound)
    assert unchanged == pytest.approx(0.1 + 0.1 / 1000, abs=bound)
    # what is neither is drawn from the whole vocabulary
    drawn = shown[masked & (shown != ids) & (shown != 4)]
    tenths = np.histogram(drawn, bins=10, range=(0, 1000))[0]
    np.testing.assert_allclose(tenths, len(drawn) / 10, atol=5 * np.sqrt(len(drawn) * 0.09))


def test_a_sequence_without_a_word_stays_as_it_is(tokenizer):
    ids = np.array([[2, 3, 3, 0]])
    shown, masked = mask_batch(ids, tokenizer, MaskingConfig(), np.full((1, 4, 4), 0.5))
    assert not masked.any()
    np.testing.assert_array_equal(shown, ids)
