"""Medians and ranges over seeds, by hand."""

from __future__ import annotations

import pytest

from albert_lib.errors import InputError
from albert_lib.finetuning.seeds import ScoreRange, median_and_range


def test_the_median_of_an_odd_and_an_even_number() -> None:
    three = [{"exact": 70.0, "f1": 80}, {"exact": 75.0, "f1": 79.0}, {"exact": 74.0, "f1": 90.0}]
    assert median_and_range(three) == {
        "exact": ScoreRange(74.0, 70.0, 75.0, 3),
        "f1": ScoreRange(80.0, 79.0, 90.0, 3),
    }
    assert median_and_range(three[:2])["exact"] == ScoreRange(72.5, 70.0, 75.0, 2)


def test_one_seed_is_its_own_median() -> None:
    found = median_and_range([{"accuracy": 0.8125}])["accuracy"]
    assert str(found) == "0.812 (0.812 to 0.812, 1 seed)"


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([], "There are no results to take a median of"),
        ([{"f1": 1.0}, {"f1": 1.0, "exact": 2.0}], "Result 2 has the scores f1, exact, the first"),
        ([{"f1": 1.0}, {}], "Result 2 has the scores , the first one f1"),
        (
            [{"f1": 1.0}, {"f1": float("nan")}],
            "Result 2: f1 is nan; leave that run out, and say so",
        ),
    ],
)
def test_what_has_no_median_is_refused(results: list[dict[str, float]], message: str) -> None:
    with pytest.raises(InputError) as refused:
        median_and_range(results)
    assert message in str(refused.value)
