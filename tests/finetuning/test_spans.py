"""The best span under all constraints, held against trying every one of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.errors import InputError
from albert_lib.finetuning.spans import (
    RankedAnswer,
    SpanPrediction,
    best_spans,
    is_possible,
    predict_span,
)
from albert_lib.finetuning.windows import SpanWindow, WindowSizes, span_windows
from albert_lib.text.aligned_tokens import AlignedTokens, align_tokens

FIRST_ID = 5000  # of passages made up here; no question has it


def passage_of(widths: list[int]) -> AlignedTokens:
    """A passage of tokens of so many characters each; a text of few letters, so that it repeats."""
    lengths = np.array(widths, dtype=np.int64)
    ends = np.cumsum(lengths)
    text = "ab" * (sum(widths) // 2 + 1) if widths else ""
    ids = [FIRST_ID + place for place in range(len(widths))]
    return AlignedTokens(text, ids, ends - lengths, ends)


def every_possible_span(
    windows: list[SpanWindow], scores: list[tuple[Any, Any]], max_tokens: int
) -> list[tuple[float, int, int]]:
    """Score, first and last token in the passage, the best first; of equals, as they are found."""
    found = []
    for window, (starts, ends) in zip(windows, scores, strict=True):
        passage, n = window.passage, len(window.best_context)
        for i in range(n):
            for j in range(i, n):
                first, last = window.first + i, window.first + j
                if j - i + 1 > max_tokens or not window.best_context[i]:
                    continue
                if not any(passage.text_of(k, k) for k in range(first, last + 1)):
                    continue
                place = window.input_ids.index(FIRST_ID + first)
                score = float(starts[place]) + float(ends[place + j - i])
                found.append((score, first, last))
    return sorted(found, key=lambda each: -each[0])


@settings(deadline=None)
@given(
    widths=st.lists(st.integers(0, 2), max_size=14),
    advance=st.integers(1, 6),
    max_tokens=st.integers(1, 5),
    n_best=st.integers(1, 6),
    spread=st.sampled_from([1, 3, 1000]),  # few different scores, so many ties, or none
    seed=st.integers(0, 99),
)
def test_the_best_spans_are_those_of_brute_force(
    english_tokenizer: AlbertTokenizer,
    widths: list[int], advance: int, max_tokens: int, n_best: int, spread: int, seed: int,
) -> None:  # fmt: skip
    passage = passage_of(widths)
    sizes = WindowSizes(max_length=10, advance=advance, max_question=2)
    windows = span_windows(english_tokenizer, "Who?", passage, sizes)
    rng = np.random.default_rng(seed)
    scores = [tuple(rng.integers(0, spread, (2, 12)).astype(np.float32)) for _ in windows]
    predicted = predict_span(
        windows, [a for a, _ in scores], [b for _, b in scores],
        max_tokens=max_tokens, n_best=n_best,
    )  # fmt: skip
    every = every_possible_span(windows, scores, max_tokens)
    expected: dict[str, float] = {}
    for score, first, last in every[:n_best]:
        expected.setdefault(passage.text_of(first, last), score)
    assert [(each.text, each.score) for each in predicted.answers] == list(expected.items())
    for each in predicted.answers:
        assert each.text == passage.text[each.start : each.end] != ""
    if any(widths):
        assert predicted.text() == next(iter(expected))
        total = sum(math.exp(score - every[0][0]) for score in expected.values())
        for each, score in zip(predicted.answers, expected.values(), strict=True):
            assert each.probability == pytest.approx(math.exp(score - every[0][0]) / total)
    else:
        assert predicted.text() == "" and predicted.null_margin == math.inf
    assert predicted.null_score == min(float(a[0]) + float(b[0]) for a, b in scores)

    for window, (starts, ends) in zip(windows, scores, strict=True):
        alone = every_possible_span([window], [(starts, ends)], max_tokens)[:n_best]
        found = best_spans(window, starts, ends, max_tokens=max_tokens, n_best=n_best)
        assert [(score, first, last) for first, last, score in found] == alone


def test_which_spans_are_possible(english_tokenizer: AlbertTokenizer) -> None:
    """Proposed from anywhere in the input, padding included."""
    passage = passage_of([1, 0, 2, 1, 1, 1, 1, 1, 1])
    sizes = WindowSizes(max_length=10, advance=2, max_question=2)
    windows = span_windows(english_tokenizer, "Who?", passage, sizes)
    assert len(windows) > 2
    for window in windows:
        first, last = (grid.ravel() for grid in np.mgrid[-1:14, -1:14])
        possible = is_possible(window, first, last, max_tokens=3)
        no_scores = (np.zeros(12), np.zeros(12))
        expected = {(a, b) for _, a, b in every_possible_span([window], [no_scores], 3)}
        found = zip(first[possible].tolist(), last[possible].tolist(), strict=True)
        assert {window.to_passage(a, b) for a, b in found} == expected


def test_what_googles_two_lists_lose(english_tokenizer: AlbertTokenizer) -> None:
    """The twenty best starts all lie behind the twenty best ends: they are left with nothing."""
    passage = passage_of([1] * 60)
    (window,) = span_windows(english_tokenizer, "Who?", passage, WindowSizes())
    starts, ends = np.zeros(70), np.zeros(70)
    starts[window.offset + 40 : window.offset + 60] = 5.0
    ends[window.offset : window.offset + 20] = 5.0
    predicted = predict_span([window], [starts], [ends])
    assert predicted.answers[0].score == 5.0
    assert len(predicted.text()) <= 30


def test_text_is_cut_from_the_original(english_tokenizer: AlbertTokenizer) -> None:
    text = "The  “Café” of Zürich — ½ full…"
    passage = align_tokens(english_tokenizer, text)
    windows = span_windows(english_tokenizer, "Where?", passage, WindowSizes(), answer=(5, 21))
    starts, ends = np.zeros((2, 40))
    assert windows[0].answer is not None
    starts[windows[0].answer[0]] = ends[windows[0].answer[1]] = 1.0
    answer = predict_span(windows, [starts], [ends]).answers[0]
    assert answer.text == text[answer.start : answer.end] == "“Café” of Zürich"


def test_null_score_and_threshold() -> None:
    best = RankedAnswer("mill", 8, 12, score=3.0, probability=1.0)
    tie = SpanPrediction((best,), null_score=3.0)
    assert (tie.null_margin, tie.null_probability) == (0.0, 0.5)
    assert tie.text(threshold=0.0) == "mill"  # empty only above it
    assert SpanPrediction((best,), 3.5).text(threshold=0.0) == ""
    assert SpanPrediction((best,), 3.5).text(threshold=0.5) == "mill"
    assert SpanPrediction((best,), 3.5).text() == "mill"
    assert SpanPrediction((best,), 4.0).null_probability == pytest.approx(1 / (1 + math.exp(-1)))
    for far, probability in ((1e9, 1.0), (-1e9, 0.0)):
        assert SpanPrediction((best,), far).null_probability == probability
    nothing = SpanPrediction((), null_score=-5.0)
    assert nothing.text() == nothing.text(threshold=1e9) == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"n_best": 0}, "n_best 0"),
        ({"windows": []}, "exactly one question"),
        ({"start_scores": []}, "There are 1 windows, but 0 rows"),
        ({"end_scores": [np.zeros(3)]}, r"shape \(3,\) are not one for each of 8 tokens"),
        ({"end_scores": [np.zeros((8, 2))]}, r"shape \(8, 2\)"),
        ({"end_scores": [np.full(8, np.nan)]}, "NaN or infinite"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    english_tokenizer: AlbertTokenizer, change: dict[str, Any], message: str
) -> None:
    windows = span_windows(english_tokenizer, "Who?", passage_of([1, 1, 1]), WindowSizes())
    good = {"windows": windows, "start_scores": [np.zeros(8)], "end_scores": [np.zeros(8)]}
    assert predict_span(**good).text() == "a"
    with pytest.raises(InputError, match=message):
        predict_span(**{**good, **change})


def test_windows_of_two_questions_are_refused(english_tokenizer: AlbertTokenizer) -> None:
    windows = [
        window
        for number in range(2)
        for window in span_windows(
            english_tokenizer, "Who?", passage_of([1]), WindowSizes(), number=number
        )
    ]
    with pytest.raises(InputError, match="exactly one question"):
        predict_span(windows, [np.zeros(6)] * 2, [np.zeros(6)] * 2)


def test_scores_that_no_span_reads_may_be_anything(english_tokenizer: AlbertTokenizer) -> None:
    """A question or padding masked with -inf."""
    (window,) = span_windows(english_tokenizer, "Who?", passage_of([1, 1]), WindowSizes())
    scores = np.full(12, -np.inf)
    scores[[0, window.offset, window.offset + 1]] = 1.0, 2.0, 3.0
    assert predict_span([window], [scores], [scores]).answers[0].score == 6.0
