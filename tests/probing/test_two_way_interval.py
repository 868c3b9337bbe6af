"""The crossed bootstrap sees both sources of chance, and is the plain one where there is one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from albert_lib.errors import InputError
from albert_lib.probing import Interval, bootstrap_interval, two_way_interval


def table(rng: np.random.Generator, seeds: int, templates: int) -> np.ndarray:
    """A true mean of 1 with an effect of each seed and of each template."""
    return 1.0 + rng.normal(size=(seeds, 1)) + rng.normal(size=(1, templates))


def test_it_holds_the_true_mean_nearly_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    crossed, templates_only = [], []
    for _ in range(300):
        values = table(rng, seeds=20, templates=20)
        crossed.append(not two_way_interval(values, rng, resamples=400).excludes(1.0))
        of_templates = bootstrap_interval(values.mean(axis=0), rng, resamples=400)
        templates_only.append(not of_templates.excludes(1.0))
    assert 0.88 < np.mean(crossed) < 0.98
    assert np.mean(templates_only) < 0.88  # as if there were no other seeds


def test_it_is_narrow_for_few_seeds_and_wide_for_mere_noise_as_documented() -> None:
    rng = np.random.default_rng(0)

    def held(seeds: int, templates: int) -> float:
        tables = [table(rng, seeds, templates) for _ in range(400)]
        return float(
            np.mean([not two_way_interval(t, rng, resamples=400).excludes(1.0) for t in tables])
        )

    assert 0.84 < held(5, 8) < 0.94
    assert 0.76 < held(3, 8) < 0.88
    noise = rng.normal(size=(400, 10, 10))
    assert np.mean([two_way_interval(t, rng, resamples=400).excludes(0.0) for t in noise]) < 0.02


def test_drawing_by_hand_gives_the_same_interval() -> None:
    """Another route to it: draw the indices themselves and average the table of the drawn."""
    values = table(np.random.default_rng(1), seeds=6, templates=9)
    ours = two_way_interval(values, np.random.default_rng(2), resamples=20_000)
    rng = np.random.default_rng(3)
    means = [
        values[np.ix_(rng.integers(6, size=6), rng.integers(9, size=9))].mean()
        for _ in range(20_000)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.03)
    assert ours.mean == pytest.approx(values.mean())
    assert (ours.confidence, ours.n_values) == (0.95, 54)


def test_where_all_seeds_agree_only_templates_count() -> None:
    templates = np.random.default_rng(4).normal(size=12)
    crossed = two_way_interval(np.tile(templates, (5, 1)), np.random.default_rng(5), 0.9, 20_000)
    plain = bootstrap_interval(templates, np.random.default_rng(6), 0.9, 20_000)
    assert (crossed.low, crossed.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_it_repeats_with_its_generator_and_does_not_care_about_the_axis() -> None:
    values = table(np.random.default_rng(7), seeds=4, templates=5)
    first = two_way_interval(values, np.random.default_rng(8))
    assert first == two_way_interval(values, np.random.default_rng(8))
    assert first != two_way_interval(values, np.random.default_rng(9))
    turned = two_way_interval(values.T, np.random.default_rng(8), resamples=20_000)
    assert (turned.low, turned.high) == pytest.approx((first.low, first.high), abs=0.15)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_one_seed_or_one_template_says_nothing_about_others(shape: tuple[int, int]) -> None:
    interval = two_way_interval(np.full(shape, 2.0), np.random.default_rng(0))
    assert interval == Interval(2.0, -math.inf, math.inf, 0.95, shape[0] * shape[1])


@pytest.mark.usefixtures("without_shape_checks")
def test_bad_tables_are_refused() -> None:
    rng = np.random.default_rng(0)
    for empty in (np.ones(3), np.ones((0, 4)), np.ones((2, 2, 2))):
        with pytest.raises(InputError, match="a row for every seed and a column for every"):
            two_way_interval(empty, rng)
    with pytest.raises(InputError, match="1 of 4 values are not finite"):
        two_way_interval(np.array([[1.0, math.nan], [0.0, 1.0]]), rng)
    with pytest.raises(InputError, match=r"confidence=95\.0"):
        two_way_interval(np.ones((2, 2)), rng, confidence=95.0)
    with pytest.raises(InputError, match="resamples=0"):
        two_way_interval(np.ones((2, 2)), rng, resamples=0)
