"""Intervals hold the truth as often as they say, and agree with scipy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from albert_lib.errors import InputError
from albert_lib.probing import (
    Interval,
    bootstrap_interval,
    mean_interval,
    proportion_interval,
)


def test_mean_interval_by_hand() -> None:
    # 1, 2, 3: mean 2, standard error 1/√3, t quantile with 2 degrees of freedom 4.302653
    interval = mean_interval([1.0, 2.0, 3.0])
    assert interval.mean == 2.0
    assert interval.high - 2.0 == pytest.approx(4.302653 / math.sqrt(3), abs=1e-6)
    assert interval.mean - interval.low == pytest.approx(interval.high - interval.mean)
    assert (interval.confidence, interval.n_values) == (0.95, 3)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_mean_interval_equals_scipy(confidence: float) -> None:
    values = np.random.default_rng(1).normal(size=11)
    expected = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    interval = mean_interval(values, confidence)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("count", [2, 8, 12])
def test_mean_interval_covers_as_it_says(count: int) -> None:
    rng = np.random.default_rng(count)
    samples = rng.normal(loc=0.3, size=(2000, count))
    covered = np.mean([not mean_interval(sample).excludes(0.3) for sample in samples])
    assert 0.935 < covered < 0.965  # three standard errors of 2000 draws at 0.95


def test_bootstrap_is_narrow_for_few_values_as_documented() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(1000, 8))
    held = [not bootstrap_interval(values, rng, resamples=500).excludes(0.0) for values in samples]
    assert 0.86 < np.mean(held) < 0.93
    many = rng.normal(size=(400, 60))
    held = [not bootstrap_interval(values, rng, resamples=500).excludes(0.0) for values in many]
    assert 0.91 < np.mean(held) < 0.98


def test_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).exponential(size=30)
    ours = bootstrap_interval(values, np.random.default_rng(4), resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.high - ours.mean > ours.mean - ours.low  # lopsided, like its values


def test_bootstrap_repeats_with_its_generator() -> None:
    values = [0.1, 0.5, -0.2, 0.9]
    first = bootstrap_interval(values, np.random.default_rng(7))
    assert first == bootstrap_interval(values, np.random.default_rng(7))
    assert first != bootstrap_interval(values, np.random.default_rng(8))


# Newcombe (1998, Statistics in Medicine 17:857), Table I, method 3: score without correction.
@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_proportion_interval_as_published(hits: int, count: int, low: float, high: float) -> None:
    interval = proportion_interval(hits, count)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)
    assert interval.mean == hits / count


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("hits", [0, 1, 5, 12])
def test_proportion_interval_equals_scipy(hits: int, confidence: float) -> None:
    expected = scipy.stats.binomtest(hits, 12).proportion_ci(confidence, method="wilson")
    interval = proportion_interval(hits, 12, confidence)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_one_value_says_nothing_about_others() -> None:
    for interval in (mean_interval([1.5]), bootstrap_interval([1.5], np.random.default_rng(0))):
        assert interval == Interval(1.5, -math.inf, math.inf, 0.95, 1)
        assert not interval.excludes(0.0)


def test_excludes_and_text() -> None:
    interval = Interval(mean=0.5, low=0.125, high=0.875, confidence=0.95, n_values=4)
    assert interval.excludes(0.0)
    assert interval.excludes(1.0)
    assert not interval.excludes(0.125)
    assert not interval.excludes(0.875)
    assert interval.excludes(0.124) and interval.excludes(0.876)
    assert str(interval) == "+0.50 [+0.12, +0.88]"


def test_bad_values_are_refused() -> None:
    with pytest.raises(InputError, match="no values"):
        mean_interval([])
    with pytest.raises(InputError, match="1 of 2 values are not finite"):
        mean_interval([1.0, math.nan])
    with pytest.raises(InputError, match="2 of 3 values are not finite"):
        bootstrap_interval([1.0, math.inf, -math.inf], np.random.default_rng(0))
    with pytest.raises(InputError, match="confidence=95"):
        mean_interval([1.0, 2.0], confidence=95.0)
    with pytest.raises(InputError, match="confidence=95"):
        proportion_interval(1, 2, confidence=95.0)
    for hits, count in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(InputError, match=f"{hits} of {count} is no proportion"):
            proportion_interval(hits, count)
