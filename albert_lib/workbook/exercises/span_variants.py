"""Inputs of exercise 2.2, and `choose_spans` with the mistakes that are made in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from albert_lib.objectives.masking import choose_spans, span_lengths
from albert_lib.workbook.exercise import Trial, call
from albert_lib.workbook.exercises.span_rules import RULES, broken, unused
from albert_lib.workbook.exercises.span_statistics import (
    LONG_BUDGET,
    MAX_NGRAM,
    Spans,
    Words,
    always_the_same,
    first_words_only,
    fractions,
    front_heavy,
    length_counts,
    lengths_off,
    long_text,
    not_repeatable,
    odd_edge,
    of_long_texts,
    one_length_a_text,
)

LONG_SHARE = 0.72  # of the drawn inputs: spans enough to tell 1/n from what is nearly 1/n
ALIKE = 0.03  # fractions of lengths differ by less when they were drawn in the same way
REDRAWN = 150  # long texts on which a way to draw lengths is tried


def draw_sentence(rng: np.random.Generator) -> dict[str, Any]:
    """A long text of one-token words, or a short one with words of up to four tokens."""
    seed = np.random.default_rng(int(rng.integers(2**31)))
    if rng.random() < LONG_SHARE:
        return {"words": long_text(), "budget": LONG_BUDGET, "rng": seed}
    words = draw_words(rng, int(rng.integers(1, 40)))
    length = words[-1].stop + 1
    usual = max(1, round(0.15 * length))
    return {
        "words": words,
        "budget": int(rng.choice([1, usual, usual, length // 2 + 1])),
        "rng": seed,
    }


def draw_words(rng: np.random.Generator, n_words: int) -> list[range]:
    """Words of one to four tokens behind [CLS], with a [SEP] somewhere among them."""
    lengths = rng.choice([1, 2, 3, 4], size=n_words, p=[0.6, 0.25, 0.1, 0.05])
    last_of_first = int(rng.integers(n_words))
    words, position = [], 1
    for word, length in enumerate(lengths.tolist()):
        words.append(range(position, position + length))
        position += length + (word == last_of_first)
    return words


def borders(rng: np.random.Generator) -> list[dict[str, Any]]:
    """No word, one word, a budget of 1, more budget than text; and six texts, twice over.

    Each of the six comes twice with each of two generators: so one sees whether an answer depends
    on the generator, and on nothing else.
    """
    one, three, parted = [range(1, 2)], [range(1, 4)], [range(1, 2), range(3, 5)]
    cases: list[tuple[Words, int]] = [([], 1), ([], 5), (one, 1), (one, 9), (three, 1), (three, 3)]
    cases += [(parted, 2), (parted, 9), (long_text(), 1), (draw_words(rng, 5), 50)]
    found = [(words, budget, int(rng.integers(2**31))) for words, budget in cases]
    for _ in range(6):
        words = draw_words(rng, int(rng.integers(10, 40)))
        budget = max(2, round(0.15 * words[-1].stop))
        for seed in rng.integers(2**31, size=2).tolist():
            found += 2 * [(words, budget, seed)]
    return [
        {"words": list(words), "budget": budget, "rng": np.random.default_rng(seed)}
        for words, budget, seed in found
    ]


def spans_like(
    words: Words,
    budget: int,
    rng: np.random.Generator,
    *,
    in_order: bool = False,
    weights: Sequence[int] | None = None,
    longest: int = MAX_NGRAM,
    once_a_text: bool = False,
    look_ahead: bool = True,
    avoid_taken: bool = True,
    may_begin: Callable[[int], bool] = lambda word: True,
) -> Spans:
    """`choose_spans` with one part exchanged."""
    order = range(len(words)) if in_order else rng.permutation(len(words)).tolist()
    if weights is None:
        n_words = span_lengths(rng.random(len(words)), longest)
    else:
        n_words = rng.choice([1, 2, 3], p=np.divide(weights, sum(weights)), size=len(words))
    taken: set[range] = set()
    spans: Spans = []
    for first in filter(may_begin, order):
        n = n_words[0 if once_a_text else first]
        span = range(words[first].start, words[first].start)
        for word in words[first : first + n]:
            if word.start != span.stop or (avoid_taken and word in taken):
                break
            if len(span) + (len(word) if look_ahead else 0) > budget:
                break
            span = range(span.start, word.stop)
            taken.add(word)
        if span:
            spans.append(span)
            budget -= len(span)
        if budget <= 0:
            break
    return spans


def from_any_token(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Spans of tokens that begin and end anywhere in the text."""
    free = [position for word in words for position in word]
    return spans_like([range(position, position + 1) for position in free], budget, rng)


def from_the_left(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Words in reading order, each with probability one half, until the budget is gone."""
    chosen = [word for word in words if rng.random() < 0.5]
    return spans_like(chosen, budget, rng, in_order=True)


def seed_of_its_own(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """A new generator from the same seed each time."""
    return choose_spans(words, budget, np.random.default_rng(0))


def one_too_few(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """A word that would fill the budget does not fit."""
    return spans_like(words, budget - 1, rng)


def no_seed(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """A new generator from nowhere."""
    return choose_spans(words, budget, np.random.default_rng())


def across_the_gap(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Takes the next word in the list for a neighbour, so spans go over [SEP]."""
    spans: Spans = []
    left, taken = budget, set[int]()
    for first in rng.permutation(len(words)):
        last = min(first + int(span_lengths(rng.random(1))[0]), len(words)) - 1
        span = range(words[first].start, words[last].stop)
        if len(span) <= left and taken.isdisjoint(span):
            spans.append(span)
            taken.update(span)
            left -= len(span)
    return spans


def by_the_rules(trials: Sequence[Trial]) -> bool:
    """Whether no answer breaks a rule and all come from the generator: then one can measure."""
    return (
        not any(broken(rule, trials) for rule in RULES)
        and not not_repeatable(trials)
        and not always_the_same(trials)
    )


def front_only(trials: Sequence[Trial]) -> bool:
    """A symptom: the front of the texts is preferred, and more than the first words are masked."""
    return front_heavy(trials) and not first_words_only(trials) and by_the_rules(trials)


def nothing_masked(trials: Sequence[Trial]) -> bool:
    """A symptom: no span on any text."""
    return not any(trial.answer for trial in trials)


def left_over(trials: Sequence[Trial]) -> bool:
    """A symptom: something is masked, and budget is left over although words would fit."""
    return bool(broken(unused, trials)) and not nothing_masked(trials)


def never_three(trials: Sequence[Trial]) -> bool:
    """A symptom: spans of one word and of two, and none of three."""
    one, two, three = length_counts(trials).tolist()
    return min(one, two) > 0 == three and by_the_rules(trials)


def one_for_all(trials: Sequence[Trial]) -> bool:
    """A symptom: the spans of a text have one length."""
    return one_length_a_text(trials) and by_the_rules(trials)


def some_never_begin(trials: Sequence[Trial]) -> bool:
    """A symptom: a word at the edge of a segment is masked too rarely or too often."""
    odd = odd_edge(trials) is not None
    return odd and not front_heavy(trials) and by_the_rules(trials)


def drawn_with(*all_weights: Sequence[int]) -> Callable[[Sequence[Trial]], bool]:
    """Whether lengths come out as they do when drawn with some of these weights: a symptom."""

    def symptom(trials: Sequence[Trial]) -> bool:
        if not lengths_off(trials) or front_heavy(trials) or not by_the_rules(trials):
            return False
        own = fractions(length_counts(trials))
        some = of_long_texts(trials)[:REDRAWN]
        for weights in all_weights:
            redrawn = [Trial(t.arguments, t.expected, redraw(t, weights)) for t in some]
            if np.abs(own - fractions(length_counts(redrawn))).max() < ALIKE:
                return True
        return False

    return symptom


def redraw(trial: Trial, weights: Sequence[int]) -> Spans:
    """An answer to the same input with lengths drawn with these weights."""
    weighted = functools.partial(spans_like, weights=weights)
    answer: Spans = call(weighted, choose_spans, trial.arguments)
    return answer
