"""Corrected p-values by hand, by scipy, and by what they promise over many draws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from albert_lib.errors import InputError
from albert_lib.probing import (
    ProbeRow,
    benjamini_hochberg,
    bonferroni,
    holm,
    mean_interval,
    mean_p_value,
    simultaneous,
)

# Of four tests: × 4; × 4 3 2 1 from the smallest; × 4/1 4/2 4/3 4/4 from the smallest.
BY_HAND = [0.01, 0.04, 0.03, 0.005]
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_corrections_by_hand() -> None:
    assert bonferroni(BY_HAND).tolist() == pytest.approx([0.04, 0.16, 0.12, 0.02])
    assert holm(BY_HAND).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(BY_HAND).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert bonferroni([0.5, 0.2]).tolist() == [1.0, 0.4]


@given(P_VALUES)
def test_benjamini_hochberg_equals_scipy(p_values: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p_values, method="bh")
    assert benjamini_hochberg(p_values) == pytest.approx(expected)


@given(P_VALUES, st.floats(0.001, 0.999))
def test_holm_rejects_what_stepping_down_rejects(p_values: list[float], level: float) -> None:
    """The procedure as Holm describes it: from the smallest on, stop at the first to fail."""
    rejected = set()
    for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[index] * (len(p_values) - step) > level:
            break
        rejected.add(index)
    assert set(np.flatnonzero(holm(p_values) <= level)) == rejected


@given(P_VALUES)
def test_holm_lies_between_the_plain_and_bonferroni(p_values: list[float]) -> None:
    assert (holm(p_values) <= bonferroni(p_values)).all()
    assert (holm(p_values) >= np.array(p_values)).all()


def test_simultaneous_intervals_hold_together_as_they_say() -> None:
    rng = np.random.default_rng(0)
    together, alone = 0, 0
    for _ in range(400):
        samples = rng.normal(size=(20, 8))  # twenty rows in which nothing is going on
        rows = [ProbeRow("row", values, mean_interval(values)) for values in samples]
        alone += not any(row.interval.excludes(0.0) for row in rows)
        together += not any(row.interval.excludes(0.0) for row in simultaneous(rows))
    assert together >= 0.92 * 400
    assert alone < 0.5 * 400  # 0.95 ** 20 is 0.36


def test_simultaneous_keeps_labels_values_and_order() -> None:
    rows = [
        ProbeRow(label, values, mean_interval(values))
        for label, values in (("a", np.array([1.0, 2.0, 3.0])), ("b", np.array([0.0, 4.0])))
    ]
    wider = simultaneous(rows, confidence=0.9)
    assert [row.label for row in wider] == ["a", "b"]
    for before, after in zip(rows, wider, strict=True):
        assert after.values is before.values
        assert after.interval == mean_interval(before.values, 0.95)


def test_p_values_of_means_equal_scipy_and_agree_with_the_interval() -> None:
    values = np.random.default_rng(1).normal(0.4, size=9)
    p_value = mean_p_value(values, 0.1)
    assert p_value == pytest.approx(scipy.stats.ttest_1samp(values, 0.1).pvalue)
    assert mean_interval(values, 1 - 0.99 * p_value).excludes(0.1) is False
    assert mean_interval(values, 1 - 1.01 * p_value).excludes(0.1) is True
    assert mean_p_value([3.0]) == mean_p_value([1.0, -1.0]) == mean_p_value([0.0, 0.0]) == 1.0
    assert mean_p_value([2.0, 2.0]) == 0.0


def test_what_cannot_be_corrected_is_refused() -> None:
    for correction in (bonferroni, holm, benjamini_hochberg):
        with pytest.raises(InputError, match="no p-values"):
            correction([])
        for wrong in (-0.1, 1.5, float("nan")):
            with pytest.raises(InputError, match=f"{wrong} is no p-value"):
                correction([0.5, wrong])
    with pytest.raises(InputError, match="no rows to widen"):
        simultaneous([])
    with pytest.raises(InputError, match=r"confidence=95\.0"):
        simultaneous([ProbeRow("a", np.ones(2), mean_interval(np.ones(2)))], confidence=95.0)
