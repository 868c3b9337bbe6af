from __future__ import annotations

import numpy as np
import pytest

from albert_lib.corpus import store as store_module
from albert_lib.objectives import SegmentPairs, order
from albert_lib.objectives.order import ExampleOrder
from albert_lib.objectives.segments import TARGET_PERIOD


def texts(plan, ids):
    """Every pair of a plan: its two segments, and whether they are swapped."""
    columns = (plan.first_start, plan.first_end, plan.second_start, plan.second_end, plan.swapped)
    pairs = zip(*(column.tolist() for column in columns), strict=True)
    return [(ids[a:b].tolist(), ids[c:d].tolist(), swapped) for a, b, c, d, swapped in pairs]


def met(examples, first, end):
    """The pairs of examples first … end − 1."""
    parts = examples.examples([range(first, end)])
    return [pair for part in parts for pair in texts(part.plan, part.ids)]


@pytest.fixture
def pairs(counting_store, monkeypatch):
    """A store of many blocks, and windows of three."""
    monkeypatch.setattr(store_module, "BLOCK_TOKENS", 60)
    monkeypatch.setattr(order, "WINDOW_BLOCKS", 3)
    pairs = SegmentPairs(counting_store, 24, short_sequence_probability=0.5, seed=3)
    assert pairs.n_blocks > 10
    return pairs


def calls_of(monkeypatch, pairs, name):
    """Which (epoch, block) a method of `pairs` is asked for from now on."""
    asked, method = [], getattr(pairs, name)
    monkeypatch.setattr(pairs, name, lambda *where: asked.append(where) or method(*where))
    return asked


def test_an_epoch_has_every_pair_once(pairs):
    examples = ExampleOrder(pairs)
    first = 0
    for epoch in range(TARGET_PERIOD + 3):
        planned = texts(pairs.plan(epoch), pairs.store.ids)
        found = met(examples, first, first + len(planned))
        assert sorted(found) == sorted(planned)
        assert found != planned
        first += len(planned)


def test_an_example_is_the_same_however_it_is_reached(pairs):
    in_order = ExampleOrder(pairs)
    sequence = met(in_order, 0, 3000)
    assert in_order.find(2999)[0] > TARGET_PERIOD
    anyhow = ExampleOrder(pairs)
    for first in np.random.default_rng(0).integers(0, 2980, 40).tolist():
        assert met(anyhow, first, first + 20) == sequence[first : first + 20]
    for first in (2980, 0, 1500):
        assert met(ExampleOrder(pairs), first, first + 20) == sequence[first:][:20]


def test_the_first_examples_wait_for_one_window_alone(pairs, monkeypatch):
    counted, planned = (calls_of(monkeypatch, pairs, name) for name in ("count", "plan_block"))
    met(ExampleOrder(pairs), 0, 2)
    assert len(counted) == len(planned) == 3
    assert {epoch for epoch, _ in planned} == {0}


def test_a_late_example_plans_its_own_window_and_counts_each_block_ten_times_at_most(
    pairs, monkeypatch
):
    counted, planned = (calls_of(monkeypatch, pairs, name) for name in ("count", "plan_block"))
    examples = ExampleOrder(pairs)
    met(examples, 1_000_000, 1_000_001)
    assert len(planned) == 3
    assert len(counted) <= TARGET_PERIOD * pairs.n_blocks
    counted.clear()
    met(examples, 3_000_000, 3_000_001)
    assert len(planned) == 6 and not counted


def test_what_is_counted_is_what_is_planned(pairs):
    for epoch in (0, 1, TARGET_PERIOD + 1):
        for block in range(pairs.n_blocks):
            assert pairs.count(epoch, block) == len(pairs.plan_block(epoch, block))


def test_pairs_of_several_blocks_mix_and_blocks_come_in_another_order_each_epoch(pairs):
    examples = ExampleOrder(pairs)
    bounds = pairs.store.sentence_starts[pairs.store.document_starts[pairs._bounds]]
    orders, first = [], 0
    for epoch in range(2):
        n_pairs = len(pairs.plan(epoch))
        start = [pair[0][0] - 5 for pair in met(examples, first, first + n_pairs)]
        block = np.searchsorted(bounds, start, side="right") - 1
        assert (np.diff(block) != 0).mean() > 0.4  # two of three, if all blocks were equally long
        orders.append(block)
        first += n_pairs
    assert set(orders[0][:10]) != set(orders[1][:10])


def test_a_corpus_of_one_window_is_shuffled_as_a_whole(counting_store, monkeypatch):
    monkeypatch.setattr(store_module, "BLOCK_TOKENS", 60)
    pairs = SegmentPairs(counting_store, 24)
    found = met(ExampleOrder(pairs), 0, len(pairs.plan(0)))
    start = np.array([float(first[0]) for first, _, _ in found])  # ids count upwards
    place = np.arange(len(start))
    assert abs(np.corrcoef(start, place)[0, 1]) < 5 / np.sqrt(len(start))
    tenth = start[: len(start) // 10]
    assert np.ptp(tenth) > 0.5 * counting_store.n_tokens


def test_lengths_come_round_after_ten_epochs_and_cuts_do_not(pairs):
    now, later = pairs.plan(2), pairs.plan(12)
    assert TARGET_PERIOD == 10
    assert len(now) == len(later)
    assert len(now) != len(pairs.plan(3))
    assert now.first_end.tolist() != later.first_end.tolist()


def test_ranges_that_meet_are_one_range(pairs):
    examples = ExampleOrder(pairs)
    whole = met(examples, 0, 900)
    strewn = examples.examples([range(5, 8), range(300, 302), range(302, 330), range(890, 900)])
    found = [pair for part in strewn for pair in texts(part.plan, part.ids)]
    assert found == whole[5:8] + whole[300:330] + whole[890:]
