"""Every interval and correction by a computation of its own: tables, listing, repeated draws."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from albert_lib.errors import InputError
from albert_lib.probing import (
    benjamini_hochberg,
    bootstrap_ends,
    bootstrap_interval,
    effect_size,
    effect_size_interval,
    holm,
    mean_interval,
    mean_p_value,
    percentile_bootstrap,
    proportion_interval,
    two_way_interval,
)
from albert_lib.probing.intervals import draw_counts

# Student's t, 97.5 %, from printed tables, by number of values
T_975 = {2: 12.706, 3: 4.303, 6: 2.571, 12: 2.201, 30: 2.045, 121: 1.980}


@pytest.mark.parametrize("count", T_975)
def test_student_interval_from_printed_tables(count: int) -> None:
    values = np.random.default_rng(count).normal(3.0, 2.0, size=count)
    spread = math.sqrt(sum((v - values.mean()) ** 2 for v in values) / (count - 1))
    margin = T_975[count] * spread / math.sqrt(count)
    found = mean_interval(values)
    assert found.high - found.mean == pytest.approx(margin, rel=5e-4)
    assert found.mean - found.low == pytest.approx(margin, rel=5e-4)


def test_p_value_by_integrating_students_density() -> None:
    values = np.array([0.9, 0.1, 0.7, 0.4, -0.2, 0.6])
    freedom, mean = 5, 0.05
    t = (values.mean() - mean) / (values.std(ddof=1) / math.sqrt(6))
    x = np.linspace(t, t + 2000, 2_000_001)
    density = math.gamma(3.0) / math.sqrt(freedom * math.pi) / math.gamma(2.5)
    tail = np.trapezoid(density * (1 + x**2 / freedom) ** -3.0, x)
    assert mean_p_value(values, mean) == pytest.approx(2 * tail, rel=1e-4)


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (3, 10), (15, 24), (7, 7), (50, 1508)])
def test_wilson_ends_are_where_the_score_test_just_rejects(hits: int, count: int) -> None:
    found, z = proportion_interval(hits, count, 0.95), 1.959964
    for end in (found.low, found.high):
        distance = abs(hits / count - end)
        assert distance == pytest.approx(z * math.sqrt(end * (1 - end) / count), abs=1e-6)
    assert found.low <= found.mean <= found.high


@pytest.mark.parametrize(("p", "count"), [(0.5, 24), (0.1, 40)])
def test_wilson_holds_the_true_proportion_as_often_as_it_says(p: float, count: int) -> None:
    chances = [
        math.comb(count, hits) * p**hits * (1 - p) ** (count - hits) for hits in range(count + 1)
    ]
    held = [not proportion_interval(hits, count).excludes(p) for hits in range(count + 1)]
    assert np.dot(chances, held) == pytest.approx(0.95, abs=0.02)


def test_the_bootstrap_of_a_mean_by_listing_every_resample() -> None:
    values = [0.0, 1.0, 5.0, 11.0]
    means = sorted(np.mean(drawn) for drawn in product(values, repeat=4))  # 256, equally likely
    expected = np.quantile(means, [0.1, 0.9])
    found = bootstrap_interval(values, np.random.default_rng(0), 0.8, resamples=200_000)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.26)
    assert found.mean == 4.25


def test_the_two_way_bootstrap_by_listing_every_resample() -> None:
    table = np.array([[0.0, 1.0, 7.0], [2.0, 5.0, 20.0]])
    means = [
        table[np.ix_(rows, columns)].mean()
        for rows in product(range(2), repeat=2)
        for columns in product(range(3), repeat=3)
    ]
    found = two_way_interval(table, np.random.default_rng(0), 0.8, resamples=100_000)
    assert found.mean == table.mean()
    for end, share in ((found.low, 0.1), (found.high, 0.9)):
        assert np.mean(np.array(means) < end - 1e-9) <= share + 0.01
        assert np.mean(np.array(means) <= end + 1e-9) >= share - 0.01


def test_the_bootstrap_of_an_effect_size_by_listing_every_resample() -> None:
    x, y = np.array([1.0, 2.0, 4.0]), np.array([0.0, 0.5, 1.5])
    sizes = []
    for drawn in product(product(x, repeat=3), product(y, repeat=3)):
        a, b = map(np.array, drawn)
        if np.concatenate([a, b]).std() > 0:
            sizes.append(effect_size(a, b))
    found = effect_size_interval(x, y, np.random.default_rng(0), 0.8, resamples=100_000)
    assert found.mean == effect_size(x, y)
    for end, share in ((found.low, 0.1), (found.high, 0.9)):
        assert np.mean(np.array(sizes) < end - 1e-9) <= share + 0.01
        assert np.mean(np.array(sizes) <= end + 1e-9) >= share - 0.01


def test_a_resample_of_one_value_has_no_effect_size_and_is_left_out() -> None:
    x, y = np.array([1.0, 2.0]), np.array([1.0, 0.0])  # one resample in 16 is 1, 1, 1, 1
    found = effect_size_interval(x, y, np.random.default_rng(0), resamples=4000)
    assert all(map(math.isfinite, (found.low, found.high)))
    assert found.high <= 2


def test_the_effect_size_by_hand() -> None:
    # of 3, 5, 0, 2: mean 2.5, squared distances 0.25 + 6.25 + 6.25 + 0.25, over 3
    assert effect_size(np.array([3.0, 5.0]), np.array([0.0, 2.0])) == pytest.approx(
        3 / math.sqrt(13 / 3)
    )


def test_the_bootstrap_draws_each_kind_of_unit_on_its_own() -> None:
    seen: list[tuple[int, ...]] = []

    def statistic(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        seen.extend([first.shape, second.shape])
        assert (first.min(), first.max(), second.min(), second.max()) == (0, 3, 0, 4)
        return first.mean(axis=1) - second.mean(axis=1)

    low, high = percentile_bootstrap((4, 5), statistic, np.random.default_rng(0), resamples=500)
    assert seen == [(500, 4), (500, 5)]
    assert low < -0.5 < high


def test_the_bootstrap_leaves_out_what_has_no_value_and_refuses_no_resamples() -> None:
    def statistic(drawn: np.ndarray) -> np.ndarray:
        return np.where(np.arange(len(drawn)) % 2 == 0, np.nan, 3.0)

    def number(drawn: np.ndarray) -> np.ndarray:
        return np.full(len(drawn), float(len(drawn)))

    rng = np.random.default_rng(0)
    assert percentile_bootstrap(4, number, rng) == (1000.0, 1000.0)
    assert percentile_bootstrap(4, statistic, rng) == (3.0, 3.0)
    assert percentile_bootstrap((4, 1), statistic, rng) == (-math.inf, math.inf)
    assert all(map(math.isfinite, percentile_bootstrap(2, statistic, rng)))
    with pytest.raises(InputError, match="resamples=0 draws nothing"):
        percentile_bootstrap(4, statistic, rng, resamples=0)
    with pytest.raises(InputError, match=r"confidence=1\.0"):
        percentile_bootstrap(4, statistic, rng, confidence=1.0)


def test_draws_are_counted_row_by_row() -> None:
    drawn = np.random.default_rng(0).integers(7, size=(50, 7))
    counts = draw_counts(drawn, 7)
    for row, of_row in zip(drawn, counts, strict=True):
        assert of_row.tolist() == [row.tolist().count(unit) for unit in range(7)]


def test_holm_keeps_the_family_wise_error_rate_also_of_dependent_tests() -> None:
    rng = np.random.default_rng(0)
    any_false = plain = found = 0
    for _ in range(1500):
        shared = rng.normal()
        z = 0.6 * shared + 0.8 * rng.normal(size=10)
        z[:3] += 3.5  # three true effects, seven tests of nothing
        p = np.array([math.erfc(abs(each) / math.sqrt(2)) for each in z])
        rejected = holm(p) < 0.05
        any_false += rejected[3:].any()
        found += rejected[:3].sum()
        plain += (p < 0.05)[3:].any()
    assert any_false / 1500 < 0.06
    assert plain / 1500 > 0.15
    assert found / 4500 > 0.6  # and it does find


def test_benjamini_hochberg_keeps_the_false_discovery_rate() -> None:
    rng = np.random.default_rng(1)
    rates = []
    for _ in range(3000):
        z = rng.normal(size=20)
        z[:8] += 3.0
        p = np.array([math.erfc(abs(each) / math.sqrt(2)) for each in z])
        rejected = benjamini_hochberg(p) < 0.2
        rates.append(rejected[8:].sum() / max(1, rejected.sum()))
    # of independent tests the rate is the level times the fraction of true nulls, exactly
    assert np.mean(rates) == pytest.approx(0.2 * 12 / 20, abs=0.01)


def test_ends_of_the_bootstrap_are_those_of_its_interval_and_of_any_statistic() -> None:
    values = np.array([3.0, 5.0, 4.0, 8.0, -1.0])
    settings = {"confidence": 0.8, "resamples": 500}
    ends = bootstrap_ends(values, np.random.default_rng(3), **settings)
    interval = bootstrap_interval(values, np.random.default_rng(3), **settings)
    assert (interval.low, interval.high) == ends
    general = percentile_bootstrap(
        5, lambda drawn: values[drawn].mean(axis=1), np.random.default_rng(3), **settings
    )
    assert ends == pytest.approx(general)
    assert bootstrap_ends(values[:1], np.random.default_rng(3)) == (-math.inf, math.inf)


def test_no_resamples_are_no_interval() -> None:
    with pytest.raises(InputError, match="resamples=0"):
        bootstrap_interval([1.0, 2.0], np.random.default_rng(0), resamples=0)
