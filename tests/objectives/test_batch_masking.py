from __future__ import annotations

import numpy as np
import pytest

from albert_lib.objectives import MaskingConfig, choose_runs, find_words, mask_batch


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
        MaskingConfig(share=0.6, max_ngram=5),
        MaskingConfig(share=1.0),
        MaskingConfig(max_ngram=1),
        MaskingConfig(max_predictions=2),
    ],
)
def test_a_batch_is_masked_as_choose_runs_masks_each_sequence(tokenizer, config):
    ids, draws = draw_sequences(60, 48)
    shown, hidden = mask_batch(ids, tokenizer, config, draws)
    for row in range(len(ids)):
        words = find_words(ids[row], tokenizer.is_word_start, tokenizer.is_special)
        budget = int(config.budget((ids[row : row + 1] != 0).sum(axis=1))[0])
        rng = Replay(draws[row, :2, : len(words)])
        runs = choose_runs(words, budget, rng, config.max_ngram)
        expected = sorted(position for run in runs for position in run)
        assert np.flatnonzero(hidden[row]).tolist() == expected
    np.testing.assert_array_equal(shown[~hidden], ids[~hidden])


def test_special_pieces_and_padding_are_never_hidden(tokenizer):
    ids, draws = draw_sequences(200, 32, special_share=0.3)
    _, hidden = mask_batch(ids, tokenizer, MaskingConfig(share=1.0), draws)
    np.testing.assert_array_equal(hidden, ~tokenizer.is_special[ids])


def test_the_share_is_the_budget_exactly_when_there_are_words_enough(tokenizer):
    rng = np.random.default_rng(0)
    ids = 2 * rng.integers(3, 500, (500, 128))  # words of one piece
    ids[:, 0], ids[:, 60], ids[:, 127] = 2, 3, 3
    _, hidden = mask_batch(ids, tokenizer, MaskingConfig(), rng.random((500, 4, 128)))
    assert (hidden.sum(axis=1) == 19).all()


def test_rows_do_not_influence_each_other(tokenizer):
    ids, draws = draw_sequences(40, 64)
    shown, hidden = mask_batch(ids, tokenizer, MaskingConfig(), draws)
    some = np.array([31, 2, 17])
    shown_alone, hidden_alone = mask_batch(ids[some], tokenizer, MaskingConfig(), draws[some])
    np.testing.assert_array_equal(shown[some], shown_alone)
    np.testing.assert_array_equal(hidden[some], hidden_alone)


def test_the_layout_in_memory_does_not_matter(tokenizer):
    ids, draws = draw_sequences(20, 32)
    by_row = mask_batch(ids, tokenizer, MaskingConfig(), draws)
    by_column = mask_batch(np.asfortranarray(ids), tokenizer, MaskingConfig(), draws)
    for one, other in zip(by_row, by_column, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_ends_with_its_sequence(tokenizer):
    ids = np.full((400, 8), 6)  # no special piece parts one sequence from the next
    rng = np.random.default_rng(0)
    _, hidden = mask_batch(ids, tokenizer, MaskingConfig(share=0.25), rng.random((400, 4, 8)))
    assert (hidden.sum(axis=1) == 2).all()


def test_hidden_pieces_are_shown_80_10_10(tokenizer):
    rng = np.random.default_rng(0)
    ids = rng.integers(500, 1000, (2000, 64))
    shown, hidden = mask_batch(ids, tokenizer, MaskingConfig(), rng.random((2000, 4, 64)))
    n = hidden.sum()
    assert n > 19_000
    as_mask = (shown[hidden] == 4).sum() / n
    unchanged = (shown[hidden] == ids[hidden]).sum() / n
    bound = 5 * np.sqrt(0.25 / n)
    assert as_mask == pytest.approx(0.8 + 0.1 / 1000, abs=bound)
    assert unchanged == pytest.approx(0.1 + 0.1 / 1000, abs=bound)
    # what is neither is drawn from the whole vocabulary
    drawn = shown[hidden & (shown != ids) & (shown != 4)]
    tenths = np.histogram(drawn, bins=10, range=(0, 1000))[0]
    np.testing.assert_allclose(tenths, len(drawn) / 10, atol=5 * np.sqrt(len(drawn) * 0.09))


def test_a_sequence_without_a_word_stays_as_it_is(tokenizer):
    ids = np.array([[2, 3, 3, 0]])
    shown, hidden = mask_batch(ids, tokenizer, MaskingConfig(), np.full((1, 4, 4), 0.5))
    assert not hidden.any()
    np.testing.assert_array_equal(shown, ids)
