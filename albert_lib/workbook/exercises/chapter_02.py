"""Exercises of chapter 2: masking. Answers are random, so rules decide what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_lib.objectives.masking import choose_spans, span_lengths
from albert_lib.workbook.exercise import Exercise, Misconception, Trial, call
from albert_lib.workbook.exercises.span_rules import (
    EVEN_ENOUGH,
    MAX_NGRAM,
    Spans,
    Words,
    always_the_same,
    broken,
    front_fraction,
    front_heavy,
    inside_a_word,
    judge_spans,
    length_fractions,
    lengths_in_words,
    lengths_off,
    lengths_one,
    not_of_words,
    not_repeatable,
    over_budget,
    overlapping,
    percent,
)


def draw_sentence(rng: np.random.Generator) -> dict[str, Any]:
    """One of twenty sequences ([CLS] words [SEP] words [SEP]) and a generator of its own.

    Few sequences, many generators: so that one sees whether a function uses the generator. Few
    seeds as well: so that one sees whether it uses nothing else.
    """
    sentence = np.random.default_rng(int(rng.integers(20)))
    n_words = int(sentence.integers(24, 60))
    lengths = sentence.choice([1, 2, 3, 4], size=n_words, p=[0.6, 0.25, 0.1, 0.05])
    words, position = [], 1  # behind [CLS]
    for word, length in enumerate(lengths.tolist()):
        if word == n_words // 2:
            position += 1  # [SEP]
        words.append(range(position, position + length))
        position += length
    budget = max(1, round(0.15 * (position + 1)))
    return {"words": words, "budget": budget, "rng": np.random.default_rng(int(rng.integers(6)))}


def spans_like(
    words: Words,
    budget: int,
    rng: np.random.Generator,
    *,
    in_order: bool = False,
    even_lengths: bool = False,
    longest: int = MAX_NGRAM,
    look_ahead: bool = True,
    avoid_taken: bool = True,
) -> Spans:
    """`choose_spans` with one part exchanged."""
    order = range(len(words)) if in_order else rng.permutation(len(words))
    taken: set[range] = set()
    spans: Spans = []
    for first in order:
        n = (
            int(rng.integers(1, longest + 1))
            if even_lengths
            else int(span_lengths(rng.random(1), longest)[0])
        )
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


def stops_too_late(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Stops when the budget is passed, not before."""
    return spans_like(words, budget, rng, look_ahead=False)


def from_any_token(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Spans of tokens that begin and end anywhere in the text."""
    free = [position for word in words for position in word]
    return spans_like([range(position, position + 1) for position in free], budget, rng)


def lengths_drawn_evenly(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """One, two and three words alike."""
    return spans_like(words, budget, rng, even_lengths=True)


def single_words(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """One word a span."""
    return spans_like(words, budget, rng, longest=1)


def from_the_left(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Words in reading order, each with probability one half, until the budget is gone."""
    chosen = [word for word in words if rng.random() < 0.5]
    return spans_like(chosen, budget, rng, in_order=True)


def words_masked_twice(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """Does not remember what is masked already."""
    return spans_like(words, budget, rng, avoid_taken=False)


def seed_of_its_own(words: Words, budget: int, rng: np.random.Generator) -> Spans:
    """A new generator from the same seed each time."""
    return choose_spans(words, budget, np.random.default_rng(0))


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


def lengths_even(trials: Sequence[Trial]) -> bool:
    """Whether lengths come out as they do when 1, 2 and 3 are drawn alike and the budget cuts."""
    drawn_evenly = [
        Trial(t.arguments, t.expected, call(lengths_drawn_evenly, choose_spans, t.arguments))
        for t in trials
    ]
    gaps = length_fractions(trials, "answer") - length_fractions(drawn_evenly, "answer")
    return lengths_off(trials) and bool(np.abs(gaps).max() < EVEN_ENOUGH / 2)


EXERCISES = (
    Exercise(
        id="2.2",
        title="Choose the spans",
        difficulty=2,
        minutes=15,
        points=3,
        solution=choose_spans,
        draw=draw_sentence,
        trials=240,
        judge=judge_spans,
        misconceptions=(
            Misconception(
                "inside words",
                from_any_token,
                lambda trials: broken(inside_a_word, trials)[0],
                symptom=lambda trials: bool(broken(inside_a_word, trials)),
            ),
            Misconception(
                "across the gap",
                across_the_gap,
                lambda trials: broken(not_of_words, trials)[0],
                symptom=lambda trials: bool(broken(not_of_words, trials)),
            ),
            Misconception(
                "masked twice",
                words_masked_twice,
                lambda trials: broken(overlapping, trials)[0],
                symptom=lambda trials: bool(broken(overlapping, trials)),
            ),
            Misconception(
                "over budget",
                stops_too_late,
                lambda trials: (
                    f"Over budget on {len(broken(over_budget, trials))} of {len(trials)} "
                    "sequences: you stop after the budget is passed. Ask whether the next word "
                    "still fits before you take it."
                ),
                symptom=lambda trials: bool(broken(over_budget, trials)),
            ),
            Misconception(
                "no seed",
                no_seed,
                "The same generator gave different spans: draw from rng and from nothing else, or "
                "nobody can repeat your experiment.",
                symptom=not_repeatable,
            ),
            Misconception(
                "seed of its own",
                seed_of_its_own,
                "Calls with different generators gave the same spans: draw from rng, not from a "
                "seed of your own.",
                symptom=always_the_same,
            ),
            Misconception(
                "from the left",
                from_the_left,
                lambda trials: (
                    f"{percent(front_fraction(trials, 'answer'))} of what you mask lies in the "
                    "first 40 % of its sequence: you walk from the left and run out of budget. "
                    "Shuffle the words first."
                ),
                symptom=front_heavy,
            ),
            Misconception(
                "one word a span",
                single_words,
                "All your spans are one word long. Draw the number of words of each span: 1, 2 or "
                "3, with probabilities 6/11, 3/11 and 2/11.",
                symptom=lengths_one,
            ),
            Misconception(
                "even lengths",
                lengths_drawn_evenly,
                lambda trials: (
                    f"{lengths_in_words(trials)}: you draw lengths evenly. The paper's fall off "
                    "as 1/n, which is 6/11, 3/11 and 2/11."
                ),
                symptom=lengths_even,
            ),
        ),
        hints=(
            "`words[i]` is the range of positions of word i, so `len(words[i])` is its number of "
            "tokens. A span of words i to j is `range(words[i].start, words[j].stop)`: return a "
            "list of those.",
            "Visit the words in random order. At each, draw how many words the span should have, "
            "then let it grow word by word while the next word is a neighbour (it starts where "
            "the span stops), is not taken, and still fits into the budget.",
            "`for first in rng.permutation(len(words)):` and `n = rng.choice([1, 2, 3], "
            "p=[6/11, 3/11, 2/11])`. Keep a set of the words that are taken, and subtract "
            "`len(span)` from the budget when a span is done. Skip a span that stayed empty.",
        ),
    ),
)
