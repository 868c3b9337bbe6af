"""Percentages carry Wilson's interval in the unit of their value."""

from __future__ import annotations

import pytest

from albert_lib.errors import InputError
from albert_lib.probing import proportion_interval
from albert_lib.probing.sets.base import Measure, percentage


def test_a_percentage_by_hand() -> None:
    measure = percentage("stereotype score", hits=3, n=4)
    share = proportion_interval(3, 4)
    assert measure == Measure(
        "stereotype score", 75.0, 100 * share.low, 100 * share.high, 4, 50.0, "%"
    )
    assert percentage("neutral", 0, 4, neutral=None).neutral is None
    narrower = percentage("accuracy", 3, 4, confidence=0.5)
    assert measure.low < narrower.low < narrower.high < measure.high


def test_a_percentage_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="0 of 0 is no proportion"):
        percentage("empty", 0, 0)
