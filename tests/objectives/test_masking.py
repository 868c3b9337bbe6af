from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_lib.errors import ConfigError
from albert_lib.objectives import (
    MaskingConfig,
    choose_spans,
    find_words,
    replace_tokens,
    span_lengths,
)


def words_of(lengths, gaps=()):
    """Words of these lengths in a row, with an unmaskable position before the words in `gaps`."""
    words, position = [], 1
    for index, length in enumerate(lengths):
        position += index in gaps
        words.append(range(position, position + length))
        position += length
    return words


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(1, 5), max_size=40),
    st.sets(st.integers(1, 39)),
    st.integers(1, 60),
    st.integers(1, 4),
    st.integers(0, 2**32),
)
def test_spans_are_whole_neighbouring_words_within_budget(lengths, gaps, budget, max_ngram, seed):
    words = words_of(lengths, gaps)
    spans = choose_spans(words, budget, np.random.default_rng(seed), max_ngram)
    masked = [position for span in spans for position in span]
    assert len(masked) == len(set(masked)) <= budget
    starts = {word.start: index for index, word in enumerate(words)}
    for span in spans:
        index = starts[span.start]
        covered = []
        while index < len(words) and words[index].stop <= span.stop:
            covered.append(words[index])
            index += 1
        assert [p for word in covered for p in word] == list(span)  # no gap, no half word
        assert 1 <= len(covered) <= max_ngram
    left = budget - len(masked)
    free = [len(word) for word in words if word.start not in masked]
    assert all(length > left for length in free)  # nothing that fits was passed over


def test_span_lengths_fall_off_as_one_over_n():
    u = (np.arange(1100) + 0.5) / 1100
    assert np.bincount(span_lengths(u), minlength=4)[1:].tolist() == [600, 300, 200]
    assert set(span_lengths(u, 1)) == {1}
    assert np.bincount(span_lengths(u, 2))[1:] == pytest.approx([1100 * 2 / 3, 1100 / 3], abs=1)
    assert span_lengths(np.array([0.0, np.nextafter(1.0, 0.0)])).tolist() == [1, 3]


def test_chosen_lengths_are_six_three_and_two_elevenths_where_nothing_is_in_the_way():
    words, rng = words_of([1] * 100), np.random.default_rng(0)
    # the first run of each choice: only the last words of the hundred can cut it short
    first_runs = np.array([len(choose_spans(words, 3, rng)[0]) for _ in range(1100)])
    expected = np.array([600, 300, 200])
    counts = np.bincount(first_runs, minlength=4)[1:]
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 13.8  # 2 degrees of freedom, p = .001


def test_every_word_is_masked_equally_often():
    # but for the ends, which fewer spans can reach
    words, rng = words_of([1] * 40), np.random.default_rng(0)
    counts = np.zeros(41)
    for _ in range(2000):
        for span in choose_spans(words, 6, rng):
            counts[span.start : span.stop] += 1
    inner = counts[4:38]
    assert inner.max() - inner.min() < 6.5 * np.sqrt(inner.mean())
    assert inner.mean() == pytest.approx(2000 * 6 / 40, rel=0.05)


def test_a_span_does_not_cross_a_separator():
    words = words_of([1, 1], gaps={1})
    for seed in range(50):
        for span in choose_spans(words, 2, np.random.default_rng(seed)):
            assert len(span) == 1


def test_words_end_at_word_starts_and_at_special_pieces(tokenizer):
    # [CLS] 10 11 | 12 [SEP] 13 | 14 15 15 [MASK] 17 [SEP] pad; odd pieces continue a word
    ids = np.array([2, 10, 11, 12, 3, 13, 14, 15, 15, 4, 17, 3, 0])
    words = find_words(ids, tokenizer.is_word_start, tokenizer.is_special)
    assert words == [range(1, 3), range(3, 4), range(5, 6), range(6, 9), range(10, 11)]


def test_each_piece_is_decided_on_its_own_80_10_10():
    rng = np.random.default_rng(0)
    n, vocab_size = 100_000, 50
    pieces = np.full(n, 7)
    shown = replace_tokens(pieces, rng.random(n), rng.random(n), MaskingConfig(), 4, vocab_size)
    counts = np.bincount(shown, minlength=vocab_size)
    random_each = 0.1 * n / vocab_size
    expected = np.full(vocab_size, random_each)  # the random piece may be any, specials too
    expected[4] += 0.8 * n
    expected[7] += 0.1 * n
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert len(counts) == vocab_size
    assert chi_square < 85.4  # 49 degrees of freedom, p = .001
    kinds = np.where(shown == 4, 0, np.where(shown == 7, 2, 1))
    same_as_neighbour = (kinds[1:] == kinds[:-1]).mean()
    assert same_as_neighbour == pytest.approx(0.64 + 0.01 + 0.01, abs=0.01)


@pytest.mark.parametrize(
    ("config", "length", "budget"),
    [
        (MaskingConfig(), 128, 19),
        (MaskingConfig(), 512, 77),
        (MaskingConfig(max_predictions=20), 512, 20),  # the reference's 3.9 %
        (MaskingConfig(), 5, 1),
        (MaskingConfig(), 3, 1),  # at least one
        (MaskingConfig(), 30, round(0.15 * 30)),
        (MaskingConfig(rate=0.5), 5, 2),  # 2.5 is rounded to the even number, as in Python
        (MaskingConfig(rate=0.4), 128, 51),
    ],
)
def test_the_budget_is_googles(config, length, budget):
    assert config.budget(np.array([length])).tolist() == [budget]
    limit = config.max_predictions or length
    assert budget == min(limit, max(1, round(config.rate * length)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 0.0}, "rate is 0.0"),
        ({"rate": 1.1}, "rate is 1.1"),
        ({"max_ngram": 0}, "max_ngram is 0"),
        ({"max_predictions": 0}, "max_predictions is 0.*None"),
        ({"mask_probability": 0.95}, "0.95.*0.1.*exceed 1"),
        ({"random_probability": -0.1}, "-0.1 must not be negative"),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        MaskingConfig(**values)
