"""Exercise 2.2 refuses what is nearly right, and lets every right way pass; so does 2.5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from albert_lib.objectives.masking import choose_spans
from albert_lib.workbook.checks import examine
from albert_lib.workbook.comparison import kind_problem
from albert_lib.workbook.exercise import Exercise, Trial, call, find_exercise
from albert_lib.workbook.exercises.span_statistics import LONG, RIGHT_FRACTIONS, length_counts
from albert_lib.workbook.exercises.span_variants import spans_like

SPANS, ORDER = find_exercise("2.2"), find_exercise("2.5")
Words = Sequence[range]
Spans = list[range]
P = [6 / 11, 3 / 11, 2 / 11]


def trials_of(exercise: Exercise, function: Callable[..., Any], seed: int) -> list[Trial]:
    rng = np.random.default_rng(seed)
    assert exercise.borders is not None
    inputs = [*exercise.borders(rng), *(exercise.draw(rng) for _ in range(exercise.trials))]
    return [
        Trial(
            i, call(exercise.solution, exercise.solution, i), call(function, exercise.solution, i)
        )
        for i in inputs
    ]


def refused(exercise: Exercise, function: Callable[..., Any], seed: int) -> str | None:
    """Why the exercise refuses a function under a seed, or None."""
    trials = trials_of(exercise, function, seed)
    for trial in trials:
        problem = kind_problem(trial.expected, trial.answer)
        if problem is not None:
            return problem
    assert exercise.judge is not None
    fault = exercise.judge(trials)
    return fault.sentence if fault is not None else None


# -- Right ways to choose spans


def skip_what_does_not_fit(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    masked: set[int] = set()
    spans = []
    for first in rng.permutation(len(words)):
        chosen = words[first : first + int(rng.choice([1, 2, 3], p=P))]
        span = range(chosen[0].start, chosen[-1].stop)
        whole = len(span) == sum(map(len, chosen)) and masked.isdisjoint(span)
        if whole and len(masked) + len(span) <= budget:
            spans.append(span)
            masked.update(span)
    return spans


def shrink_until_it_fits(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    masked: set[int] = set()
    spans = []
    for first in sorted(range(len(words)), key=lambda _: rng.random()):
        for n in range(int(rng.choice([1, 2, 3], p=P)), 0, -1):
            chosen = words[first : first + n]
            span = range(chosen[0].start, chosen[-1].stop)
            whole = len(span) == sum(map(len, chosen)) and masked.isdisjoint(span)
            if whole and len(masked) + len(span) <= budget:
                spans.append(span)
                masked.update(span)
                break
    return spans


def where_there_is_room(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """The length first, then a place that has room for it; a shorter one when there is none."""
    free, spans = np.ones(len(words), dtype=bool), []
    starts = np.array([word.start for word in words], dtype=int)
    stops = np.array([word.stop for word in words], dtype=int)
    while True:
        for n in range(int(rng.choice([1, 2, 3], p=P)), 0, -1):
            first = np.arange(max(0, len(words) - n + 1))
            fits = stops[first + n - 1] - starts[first] <= budget
            for k in range(n):
                fits &= free[first + k]
            for k in range(n - 1):
                fits &= stops[first + k] == starts[first + k + 1]
            if fits.any():
                break
        else:
            return spans
        word = int(rng.choice(first[fits]))
        free[word : word + n] = False
        spans.append(range(int(starts[word]), int(stops[word + n - 1])))
        budget -= len(spans[-1])


def growing_to_the_left(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    mirrored = [range(-word.stop, -word.start) for word in words][::-1]
    return [range(1 - s.stop - 1, 1 - s.start - 1) for s in spans_like(mirrored, budget, rng)]


def sorted_by_place(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return sorted(choose_spans(words, budget, rng), key=lambda span: span.start)


RIGHT = [
    choose_spans,
    spans_like,
    skip_what_does_not_fit,
    shrink_until_it_fits,
    where_there_is_room,
    growing_to_the_left,
    sorted_by_place,
]


@pytest.mark.parametrize("right", RIGHT)
def test_every_right_way_passes(right: Callable[..., Any]) -> None:
    assert refused(SPANS, right, seed=1) is None


@pytest.mark.parametrize("way", range(3))
def test_right_fractions_are_those_of_right_answers(way: int) -> None:
    right = (choose_spans, skip_what_does_not_fit, where_there_is_room)[way]
    counts = length_counts(trials_of(SPANS, right, seed=3))
    gaps = counts / counts.sum() - RIGHT_FRACTIONS[way]
    assert np.abs(gaps).max() < 4.5 * np.sqrt(0.25 / counts.sum())


# -- Wrong ways that once passed, and their neighbours


def filtered(keep: Callable[[int, int], bool]) -> Callable[..., Spans]:
    """Spans begin only at some words: `keep(word, number of words)`."""

    def wrong(words: Words, budget: int, rng: np.random.Generator) -> Spans:
        return spans_like(words, budget, rng, may_begin=lambda word: keep(word, len(words)))

    return wrong


def likelier_at_the_end(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Words of the last third are three times as likely to be visited next."""
    weight = np.where(np.arange(len(words)) < 2 * len(words) / 3, 1.0, 3.0)
    order = np.argsort(rng.exponential(size=len(words)) / weight)
    return in_this_order(words, budget, rng, order.tolist())


def walking_on(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Begins anywhere and goes on with the next word, span after span."""
    begin = int(rng.integers(max(1, len(words))))
    order = [*range(begin, len(words)), *range(begin)]
    return in_this_order(words, budget, rng, order)


def in_this_order(words: Words, budget: int, rng: np.random.Generator, order: list[int]) -> Spans:
    taken: set[int] = set()
    spans = []
    for first in order:
        n, span = int(rng.choice([1, 2, 3], p=P)), range(words[first].start, words[first].start)
        for word in words[first : first + n]:
            if word.start != span.stop or word.start in taken or word.stop - span.start > budget:
                break
            span = range(span.start, word.stop)
            taken.update(word)
        if span:
            spans.append(span)
            budget -= len(span)
    return spans


def few_generators(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return choose_spans(words, budget, np.random.default_rng(int(rng.integers(3))))


def three_at_least(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return choose_spans(words, max(3, budget), rng)


def none_of_one(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return choose_spans(words, budget, rng) if budget > 1 else []


def one_token_less(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return choose_spans(words, budget - 1, rng)


def half_the_budget(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return choose_spans(words, budget // 2, rng)


def short_words_only(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return choose_spans([word for word in words if len(word) < 3], budget, rng)


def first_segment_only(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    return spans_like(words[: max(1, len(words) // 2)], budget, rng)


def neighbours_joined(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    joined: Spans = []
    for span in sorted_by_place(words, budget, rng):
        if joined and joined[-1].stop == span.start:
            joined[-1] = range(joined[-1].start, span.stop)
        else:
            joined.append(span)
    return joined


WRONG: dict[str, Callable[..., Any]] = {
    "nothing": lambda words, budget, rng: [],
    "lengths by halves": partial(spans_like, weights=(4, 2, 1)),
    "lengths a half and two quarters": partial(spans_like, weights=(2, 1, 1)),
    "lengths drawn evenly": partial(spans_like, weights=(1, 1, 1)),
    "lengths rising": partial(spans_like, weights=(1, 2, 3)),
    "two words at most": partial(spans_like, longest=2),
    "one length a text": partial(spans_like, once_a_text=True),
    "the first word never": filtered(lambda word, n: word > 0 or n == 1),
    "the last word never": filtered(lambda word, n: word < n - 1 or n == 1),
    "even words only": filtered(lambda word, n: word % 2 == 0),
    "every third word": filtered(lambda word, n: word % 3 == 0),
    "no word of a tenth": filtered(lambda word, n: not 0.4 * n < word < 0.5 * n),
    "likelier at the end": likelier_at_the_end,
    "walking on": walking_on,
    "few generators": few_generators,
    "three at least": three_at_least,
    "none of a budget of 1": none_of_one,
    "a token less": one_token_less,
    "half the budget": half_the_budget,
    "short words only": short_words_only,
    "the first segment only": first_segment_only,
    "neighbours joined": neighbours_joined,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_nearly_right_is_refused(name: str) -> None:
    assert refused(SPANS, WRONG[name], seed=1) is not None


def test_what_fails_at_the_edges_only_is_told_of_its_error() -> None:
    def needs_a_word(words: Words, budget: int, rng: np.random.Generator) -> Spans:
        rng.choice([word.start for word in words])
        return choose_spans(words, budget, rng)

    def needs_a_neighbour(words: Words, budget: int, rng: np.random.Generator) -> Spans:
        return choose_spans(words, budget, rng) if not words or words[1] else []

    for wrong in (needs_a_word, needs_a_neighbour):
        assert examine(SPANS, wrong).status == "raised"


def test_who_never_shuffles_is_not_told_of_a_seed() -> None:
    def as_they_stand(words: Words, budget: int, rng: np.random.Generator) -> Spans:
        spans = []
        for word in words:
            if len(word) <= budget:
                spans.append(word)
                budget -= len(word)
        return spans

    verdict = examine(SPANS, as_they_stand)
    assert verdict.misconception is not None and "first words" in verdict.misconception
    assert "seed of your own" not in verdict.text


@pytest.mark.parametrize(
    ("too_little", "name"),
    [
        (half_the_budget, "budget left over"),
        (lambda words, budget, rng: [], "nothing masked"),
    ],
)
def test_too_little_is_said_with_a_number(too_little: Callable[..., Any], name: str) -> None:
    verdict = examine(SPANS, too_little)
    assert verdict.misconception == name
    assert "unused" in verdict.text and "would still fit" in verdict.text


def test_long_texts_are_long_enough() -> None:
    trials = trials_of(SPANS, choose_spans, seed=0)
    assert length_counts(trials).sum() > 9_000
    assert sum(len(trial.arguments["words"]) < LONG for trial in trials) > 80


# -- The pair


def test_other_right_ways_to_order_a_pair_pass() -> None:
    def by_permutation(first: Any, second: Any, rng: np.random.Generator) -> Any:
        a, b = rng.permutation(2)
        return (first, second)[a], (first, second)[b], int(a)

    def by_whole_number(first: Any, second: Any, rng: np.random.Generator) -> Any:
        if rng.integers(2) == 0:
            return list(first), list(second), 0
        return list(second), list(first), 1

    for right in (by_permutation, by_whole_number):
        assert [refused(ORDER, right, seed) for seed in range(5)] == 5 * [None]


@pytest.mark.parametrize(
    "swaps",
    [
        lambda first, second, rng: first[0] % 2 == 0,
        lambda first, second, rng: len(first) > 4 or rng.random() < 0.5,
        lambda first, second, rng: np.random.default_rng(sum(first)).random() < 0.5,
        lambda first, second, rng: rng.random() < 0.33,
    ],
    ids=["by the first token", "long ones always", "by the text", "one in three"],
)
def test_what_gives_the_order_away_is_refused(swaps: Callable[..., bool]) -> None:
    def wrong(first: Any, second: Any, rng: np.random.Generator) -> Any:
        return (second, first, 1) if swaps(first, second, rng) else (first, second, 0)

    assert refused(ORDER, wrong, seed=1) is not None
