"""The threshold on null scores: what it scores can be reached, and nothing scores better."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_lib.errors import InputError
from albert_lib.finetuning import (
    Answer,
    SquadFile,
    SquadQuestion,
    choose_null_threshold,
    score_squad,
)
from albert_lib.finetuning.null_threshold import middle

Row = tuple[list[str], str, float]  # gold answers, prediction, null score


def asked(rows: list[Row]) -> tuple[SquadFile, dict[str, str], dict[str, float]]:
    questions = tuple(
        SquadQuestion(str(number), "", "?", tuple(Answer(gold, 0) for gold in golds))
        for number, (golds, _, _) in enumerate(rows)
    )
    predictions = {str(number): prediction for number, (_, prediction, _) in enumerate(rows)}
    nulls = {str(number): null for number, (_, _, null) in enumerate(rows)}
    return SquadFile("2.0", questions), predictions, nulls


RIGHT, NONE = (["x"], "x"), ([], "x")  # answered rightly; has no answer


@pytest.mark.parametrize(
    ("rows", "value", "score"),
    [
        ([(*RIGHT, -1.0), (*NONE, 1.0)], 0.0, 100.0),
        ([(*NONE, -1.0), (*NONE, -2.0)], -math.inf, 100.0),  # the script says 0.0, which gives 0
        ([(*RIGHT, 3.0), (*RIGHT, 4.0)], math.inf, 100.0),
        ([(*RIGHT, 0.5), (*NONE, 0.5)], -math.inf, 50.0),  # the script says 100, out of reach
        ([(*NONE, 0.5), (*RIGHT, 0.5)], -math.inf, 50.0),
        ([(["x"], "y", 0.0), (*NONE, 1.0)], -math.inf, 50.0),  # of equally good ones the lowest
        ([(*RIGHT, 0.0), (*NONE, 1.0), (*NONE, 2.0), (*RIGHT, 3.0)], 0.5, 75.0),
        ([(*RIGHT, 0.0), ([], "the", 1.0)], 0.5, 100.0),  # right either way
    ],
)
def test_worked_out_by_hand(rows: list[Row], value: float, score: float) -> None:
    chosen = choose_null_threshold(*asked(rows))
    assert (chosen.value, chosen.scores.overall.f1) == (value, pytest.approx(score))


def test_the_metric_decides() -> None:
    rows = [(["new york"], "york", -1.0), ([], "x", -2.0), (["x"], "x", -3.0)]
    assert choose_null_threshold(*asked(rows), metric="f1").value == -2.5
    rows = [(["new york city"], "new york", 0.0), (["x"], "y", 1.0)]
    by_f1 = choose_null_threshold(*asked(rows), metric="f1")
    by_exact = choose_null_threshold(*asked(rows), metric="exact_match")
    assert (by_f1.value, by_exact.value) == (0.5, -math.inf)


SCORES = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0]) | st.floats(-1e3, 1e3)
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["new york", "york", "x", "!"]), max_size=2),
        st.sampled_from(["new york", "york", "x", "", "the"]),
        SCORES,
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(ROWS, st.sampled_from(["exact_match", "f1"]))
def test_no_threshold_scores_better_and_this_one_scores_what_it_says(
    rows: list[Row], metric: Any
) -> None:
    data, predictions, nulls = asked(rows)
    chosen = choose_null_threshold(data, predictions, nulls, metric)
    assert score_squad(data, predictions, nulls, chosen.value) == chosen.scores
    best = getattr(chosen.scores.overall, metric)
    for threshold in {-math.inf, math.inf, *nulls.values()}:  # one in every interval between scores
        there = score_squad(data, predictions, nulls, threshold).overall
        assert best >= getattr(there, metric) - 1e-6


@settings(max_examples=300, deadline=None)
@given(ROWS, st.floats(-50, 50))
def test_shifting_all_null_scores_changes_no_score(rows: list[Row], shift: float) -> None:
    rounded = [(golds, text, round(null, 3)) for golds, text, null in rows]
    shifted = [(golds, text, null + round(shift, 3)) for golds, text, null in rounded]
    before, after = (choose_null_threshold(*asked(each)) for each in (rounded, shifted))
    assert before.scores == after.scores


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False))
def test_a_middle_answers_the_lower_and_not_the_higher(low: float, high: float) -> None:
    if low < high:
        assert low <= middle(low, high) and (middle(low, high) < high or high == math.inf)


def test_neighbouring_numbers_have_no_middle() -> None:
    assert middle(1.0, math.nextafter(1.0, 2)) == 1.0
    assert middle(0.0, 5e-324) == 0.0
    assert middle(-1.7e308, 1.7e308) == 0.0


def test_what_is_missing_is_named() -> None:
    data, predictions, nulls = asked([(*RIGHT, 0.0), (*NONE, 1.0)])
    with pytest.raises(InputError, match="'1' has no null score among 1"):
        choose_null_threshold(data, predictions, {"0": 0.0})
    with pytest.raises(InputError, match="'1' has no prediction among 1"):
        choose_null_threshold(data, {"0": "x"}, nulls)
    with pytest.raises(InputError, match=r"Version 1\.1 has no unanswerable"):
        choose_null_threshold(SquadFile("1.1", data.questions[:1]), predictions, nulls)
