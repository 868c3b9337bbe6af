"""Batches of like lengths: every row once, hardly any padding, and any step by itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from albert_lib.errors import ConfigError
from albert_lib.finetuning.batch_order import BatchOrder, draw_batches, padding_share

ROWS = 67_349  # SST-2's training part
ONE_WORD = 5  # tokens of the shortest rows of `lengths_like_sst2`


def lengths_like_sst2(rows: int = ROWS) -> np.ndarray:
    """Lengths drawn with the middle and the tail of SST-2's: 11 tokens the median, 81 the most."""
    drawn = np.random.default_rng(11).lognormal(np.log(11), 0.62, rows)
    return np.clip(drawn.astype(np.int64), ONE_WORD, 81)


def flat(batches: list[list[int]]) -> list[int]:
    return [row for batch in batches for row in batch]


def test_the_drawn_lengths_are_like_those_of_sst2() -> None:
    lengths = lengths_like_sst2()
    assert abs(lengths.mean() - 14.3) < 1.5
    assert abs(np.median(lengths) - 11) <= 1
    assert 40 < np.quantile(lengths, 0.99) < 55


def test_hardly_anything_is_padding() -> None:
    lengths = lengths_like_sst2()
    order = BatchOrder(lengths, batch_size=32, seed=0)
    share = padding_share(lengths, order.epoch(0))
    assert share <= 0.01
    in_random_order = np.random.default_rng(0).permutation(ROWS)[: 2104 * 32].reshape(2104, 32)
    assert padding_share(lengths, in_random_order) > 0.5
    assert padding_share([512] * 2 + [128] * 2, np.array([[0, 2], [1, 3]])) == 0.375


def test_every_row_comes_once_an_epoch_but_for_a_few_left_over() -> None:
    order = BatchOrder(lengths_like_sst2(1003), batch_size=10, seed=4)
    assert order.batches_per_epoch == 100
    left_over = []
    for epoch in range(40):
        rows = order.epoch(epoch).ravel().tolist()
        assert len(set(rows)) == len(rows) == 1000
        left_over.append(set(range(1003)) - set(rows))
    assert len(set().union(*left_over)) > 100, "other rows stay out in every epoch"
    lengths = lengths_like_sst2(1003)
    mean_left_out = np.mean([lengths[row] for rows in left_over for row in rows])
    assert abs(mean_left_out - lengths.mean()) < 3, "short and long ones alike"


def test_a_batch_is_of_neighbours_in_length() -> None:
    lengths = lengths_like_sst2(640)
    batches = BatchOrder(lengths, batch_size=32, seed=0).epoch(0)
    in_order = lengths[batches][np.argsort(lengths[batches].max(axis=1), kind="stable")]
    spans = sorted((row.min(), row.max()) for row in in_order)
    for (_, longest), (shortest, _) in itertools.pairwise(spans):
        assert longest <= shortest
    assert np.all(np.diff(lengths[batches], axis=1) >= 0), "the shortest row first"


def test_an_epoch_does_not_go_from_short_to_long() -> None:
    lengths = lengths_like_sst2()
    order = BatchOrder(lengths, batch_size=32, seed=0)
    last_batches = [lengths[order.epoch(epoch)[-50:]].mean() for epoch in range(4)]
    first_batches = [lengths[order.epoch(epoch)[:50]].mean() for epoch in range(4)]
    for mean in (*last_batches, *first_batches):
        assert abs(mean - lengths.mean()) < 5
    ends = [lengths[order.epoch(epoch)[-1]].max() for epoch in range(12)]
    assert len(set(ends)) > 3


def test_rows_of_equal_length_meet_others_in_every_epoch() -> None:
    order = BatchOrder([7] * 400 + [9] * 400, batch_size=20, seed=0)
    epochs = [{tuple(sorted(batch)) for batch in order.epoch(number)} for number in range(3)]
    assert len(set().union(*epochs)) == 120


def test_any_step_is_known_by_itself() -> None:
    lengths = lengths_like_sst2(500)
    straight = BatchOrder(lengths, batch_size=8, seed=3)
    expected = [straight.rows(step).tolist() for step in range(150)]  # over two borders of epochs
    resumed = BatchOrder(lengths, batch_size=8, seed=3)
    for step in (149, 3, 62, 61, 124, 0):
        assert resumed.rows(step).tolist() == expected[step]
    assert straight.batches_per_epoch == 62
    assert sorted(flat(expected[62:124])) != sorted(flat(expected[:62]))
    assert len(set(flat(expected[62:124]))) == 62 * 8
    other = BatchOrder(lengths, batch_size=8, seed=4)
    assert [other.rows(step).tolist() for step in range(150)] != expected


def test_the_order_is_the_same_on_every_machine_and_in_every_version() -> None:
    order = BatchOrder([3, 1, 4, 1, 5, 9, 2, 6], batch_size=2, seed=7)
    assert [order.rows(step).tolist() for step in range(8)] == [
        [2, 4], [1, 3], [7, 5], [6, 0],
        [6, 0], [3, 1], [2, 4], [7, 5],
    ]  # fmt: skip


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size is 8, but there are 3 rows to train on"):
        BatchOrder([4, 4, 4], batch_size=8, seed=0)
    with pytest.raises(ConfigError, match="there are 0 rows"):
        BatchOrder([], batch_size=1, seed=0)
    with pytest.raises(ConfigError, match="batch_size is 0"):
        BatchOrder([4], batch_size=0, seed=0)
    with pytest.raises(ConfigError, match="seed is -1"):
        BatchOrder([4], batch_size=1, seed=-1)
    assert BatchOrder([4, 4, 4], batch_size=3, seed=0).batches_per_epoch == 1


def test_an_epoch_is_what_draw_batches_draws() -> None:
    lengths = lengths_like_sst2(100)
    generator = np.random.default_rng(np.random.SeedSequence([4, 2]))
    expected = draw_batches(lengths, 16, generator)
    assert expected.shape == (6, 16) and len(np.unique(expected)) == 96
    assert np.array_equal(BatchOrder(lengths, 16, seed=4).epoch(2), expected)
