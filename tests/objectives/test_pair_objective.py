"""What pairs are to teach: order, belonging together, or nothing."""

from __future__ import annotations

import numpy as np
import pytest

from albert_lib.objectives import SegmentPairs
from albert_lib.objectives.order import ExampleOrder
from albert_lib.objectives.pair_objective import for_objective, in_order, order_pair
from albert_lib.objectives.segments import PairPlan


@pytest.fixture
def plan(counting_store):
    shuffled = SegmentPairs(counting_store, 24, seed=3).plan(0)
    return shuffled.take(np.random.default_rng(0).permutation(len(shuffled)))


def test_pairs_for_the_order_stay_as_they_are(plan):
    assert for_objective(plan, "sop", 21) is plan


def test_without_an_objective_all_pairs_are_in_order(plan):
    plain = for_objective(plan, "none", 21)
    assert plan.swapped.any()
    assert not plain.swapped.any()
    np.testing.assert_array_less(plain.first_start, plain.second_start)
    # the same two passages, whichever was written first
    for one, other in zip(
        (plain.first_start, plain.second_start),
        (np.minimum(plan.first_start, plan.second_start),
         np.maximum(plan.first_start, plan.second_start)), strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(one, other)


def test_for_the_next_sentence_half_of_the_seconds_come_from_elsewhere(plan):
    posed, own = for_objective(plan, "nsp", 21), in_order(plan)
    elsewhere = posed.swapped
    np.testing.assert_array_equal(elsewhere, plan.swapped)
    np.testing.assert_array_equal(posed.second_start[~elsewhere], own.second_start[~elsewhere])
    following = np.roll(own.second_start, -1)
    np.testing.assert_array_equal(posed.second_start[elsewhere], following[elsewhere])
    assert (posed.second_start[elsewhere] != own.second_start[elsewhere]).all()


def test_pairs_fit_whatever_is_put_together(plan):
    posed = for_objective(plan, "nsp", 21)
    first = posed.first_end - posed.first_start
    second = posed.second_end - posed.second_start
    assert (first + second <= 21).all()
    assert (np.minimum(first, second) >= 1).all()


def test_what_is_put_together_is_as_long_as_it_may_be():
    # First 100 to 103; second 103 to 107, which the pair before receives: 2 + 4 fit into 9 tokens.
    plan = PairPlan(
        *(np.array(n) for n in ([42, 100], [45, 103], [40, 103], [42, 107])),
        swapped=np.array([True, False]),
    )
    posed = for_objective(plan, "nsp", 9)
    assert posed.first_start.tolist() == [40, 100] and posed.first_end.tolist() == [42, 103]
    assert posed.second_start.tolist() == [103, 103] and posed.second_end.tolist() == [107, 107]
    shorter = for_objective(plan, "nsp", 5)
    lengths = shorter.second_end - shorter.second_start + shorter.first_end - shorter.first_start
    assert lengths.tolist() == [5, 5]


def test_pairs_of_a_text_further_right_move_as_a_whole():
    plan = PairPlan(*(np.array([n]) for n in (2, 5, 5, 9)), swapped=np.array([False]))
    moved = plan.moved(10)
    places = (moved.first_start, moved.first_end, moved.second_start, moved.second_end)
    assert [place.item() for place in places] == [12, 15, 15, 19]
    assert moved.swapped is plan.swapped


def test_an_epoch_poses_its_pairs_by_the_objective(counting_store):
    pairs = SegmentPairs(counting_store, 24, seed=3)
    labels = {
        objective: np.concatenate(
            [w.plan.swapped for w in ExampleOrder(pairs, objective).examples([range(40)])]
        )
        for objective in ("sop", "nsp", "none")
    }
    np.testing.assert_array_equal(labels["sop"], labels["nsp"])
    assert labels["sop"].any()
    assert not labels["none"].any()


def test_one_pair_is_ordered_as_those_of_a_plan(plan, counting_store):
    unswapped, rng = in_order(plan), np.random.default_rng(0)

    def written(of, pair):
        bounds = ("first_start", "first_end"), ("second_start", "second_end")
        places = [slice(*(int(getattr(of, name)[pair]) for name in names)) for names in bounds]
        return [counting_store.ids[place].tolist() for place in places]

    for pair in range(len(plan)):
        label = None
        while label != int(plan.swapped[pair]):
            first, second, label = order_pair(*written(unswapped, pair), rng)
        assert [first, second] == written(plan, pair)


def test_half_of_the_pairs_are_swapped():
    rng = np.random.default_rng(1)
    labels = [order_pair([7], [8, 9], rng)[2] for _ in range(4000)]
    assert set(labels) == {0, 1}
    assert np.mean(labels) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(4000))
