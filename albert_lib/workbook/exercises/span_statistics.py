"""What many choices of spans show together: where they begin, how long they are.

Each test refuses a right answer once in a million checks or less (ERROR), reckoned on the spans
of the long texts: 300 words of one token in two segments, of which 60 are masked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from albert_lib.workbook.exercise import Trial

MAX_NGRAM = 3
ERROR = 1e-6
LONG, HALF, LONG_BUDGET = 300, 150, 60  # words of a long text, of its first segment; its budget
EDGE = 3  # words at either end of a segment that are begun and masked at a rate of their own
TENTHS = 10
# Fractions of spans of 1, 2 and 3 words that right answers give in the long texts, measured over
# 20,000 of them each: where a span ends early, where one without room is skipped, and where a
# span is put only where it has room. Other right ways lie between them.
RIGHT_FRACTIONS = np.array(
    [[0.5843, 0.2635, 0.1522], [0.5804, 0.2613, 0.1583], [0.5526, 0.2714, 0.1760]]
)
# How often those mask a word at the edge of a segment (the rest of the words: 0.2).
RARELY, OFTEN = 0.11, 0.22
BEGUN = 0.06  # of the texts, at least, have a span that begins at such a word
OFTEN_TOUCHING = 0.6  # of the spans stop where another begins; 0.17 do in right answers
FULL_ENOUGH = 0.8  # of what the library masks in short texts

Words = Sequence[range]
Spans = list[range]


def long_text() -> list[range]:
    """The words of the long text: [CLS] 150 words [SEP] 150 words [SEP], a token each."""
    starts = [1 + word + (word >= HALF) for word in range(LONG)]
    return [range(start, start + 1) for start in starts]


def of_long_texts(trials: Sequence[Trial]) -> list[Trial]:
    """The trials on the long text with its full budget."""
    return [
        trial
        for trial in trials
        if len(trial.arguments["words"]) == LONG and trial.arguments["budget"] == LONG_BUDGET
    ]


def words_per_span(words: Words, spans: Spans) -> list[int]:
    """How many words each span holds."""
    return [sum(word.start in span for word in words) for span in spans]


def begun(trials: Sequence[Trial]) -> Int[np.ndarray, " words"]:
    """How many spans begin at each word of the long text."""
    return by_word([span.start for trial in of_long_texts(trials) for span in trial.answer])


def masked(trials: Sequence[Trial]) -> Int[np.ndarray, " words"]:
    """How often each word of the long text is masked."""
    long = of_long_texts(trials)
    return by_word([position for trial in long for span in trial.answer for position in span])


def by_word(positions: list[int]) -> Int[np.ndarray, " words"]:
    """How often each word of the long text, or the word nearest to a position, is among them."""
    at = np.array(positions, dtype=np.int64)
    return np.bincount(np.clip(at - 1 - (at > HALF), 0, LONG - 1), minlength=LONG)


def length_counts(trials: Sequence[Trial]) -> Int[np.ndarray, " ngrams"]:
    """How many spans of one, two and three words the long texts have."""
    lengths = [len(span) for trial in of_long_texts(trials) for span in trial.answer]
    return np.bincount(np.clip(lengths, 0, MAX_NGRAM).astype(np.int64), minlength=MAX_NGRAM + 1)[1:]


def fractions(counts: Int[np.ndarray, " parts"]) -> Float[np.ndarray, " parts"]:
    """The parts of a whole."""
    return counts / max(1, counts.sum())


def lengths_off(trials: Sequence[Trial]) -> bool:
    """Whether the lengths of spans are not those of 1/n, in whatever right way it was drawn.

    A chi-square test with two degrees of freedom against the nearest right fractions. 10,000
    spans tell 1/n from 2⁻ⁿ (4/7, 2/7, 1/7) in 99 of 100 checks, from 1/2, 1/4, 1/4 in all.
    """
    counts = length_counts(trials)
    ends = [(a, b) for a in RIGHT_FRACTIONS for b in RIGHT_FRACTIONS]
    between = [a + (b - a) * part for a, b in ends for part in (0.0, 0.25, 0.5, 0.75)]
    return all(chance(counts, expected) < ERROR for expected in between)


def chance(counts: Int[np.ndarray, " parts"], expected: Float[np.ndarray, " parts"]) -> float:
    """The probability of counts as far from the expected fractions as these, or farther."""
    if not counts.sum():
        return 0.0
    return float(stats.chisquare(counts, counts.sum() * expected / expected.sum()).pvalue)


def inner(counts: Int[np.ndarray, " words"]) -> Int[np.ndarray, " inner"]:
    """The words that are not near the edge of their segment, where all are alike."""
    return np.concatenate([counts[EDGE : HALF - EDGE], counts[HALF + EDGE : LONG - EDGE]])


def begins_unevenly(trials: Sequence[Trial]) -> bool:
    """Whether some words of the long text, or tenths of it, begin more spans than others."""
    counts = inner(begun(trials))
    tenths = np.array([part.sum() for part in np.array_split(counts, TENTHS)])
    sizes = np.array([len(part) for part in np.array_split(counts, TENTHS)])
    return chance(counts, np.ones(len(counts))) < ERROR or chance(tenths, sizes * 1.0) < ERROR


def odd_edge(trials: Sequence[Trial]) -> int | None:
    """A word at the edge of a segment that never begins a span, or is masked at a strange rate."""
    n_texts, starts, counts = len(of_long_texts(trials)), begun(trials), masked(trials)
    for word in (0, 1, HALF - 2, HALF - 1, HALF, HALF + 1, LONG - 2, LONG - 1):
        never = starts[word] == 0 and (1 - BEGUN) ** n_texts < ERROR
        rare = stats.binom.cdf(counts[word], n_texts, RARELY) < ERROR
        if never or rare or stats.binom.sf(counts[word] - 1, n_texts, OFTEN) < ERROR:
            return word
    return None


def front_fraction(trials: Sequence[Trial]) -> float:
    """The fraction of masked words that lie in the first 40 % of the long text."""
    return float(fractions(masked(trials))[: int(0.4 * LONG)].sum())


def front_heavy(trials: Sequence[Trial]) -> bool:
    """Whether the front of the long text is masked more often than the rest."""
    return begins_unevenly(trials) and front_fraction(trials) > 0.5


def first_words_only(trials: Sequence[Trial]) -> bool:
    """Whether what is masked is the beginning of the long text, time after time."""
    counts = masked(trials)
    return bool(counts.sum() > 0 and counts[2 * LONG_BUDGET :].sum() == 0)


def touching(trials: Sequence[Trial]) -> bool:
    """Whether most spans stop where another one begins, as if one walked on from span to span."""
    touch = number = 0
    for trial in of_long_texts(trials):
        starts = {span.start for span in trial.answer}
        touch += sum(span.stop in starts for span in trial.answer)
        number += len(trial.answer)
    return touch > OFTEN_TOUCHING * number


def one_length_a_text(trials: Sequence[Trial]) -> bool:
    """Whether the spans of one text have one length, all but the last, and those of others another.

    Only spans with a free word behind them count: others may have been cut short.
    """
    alone = [most_frequent_part(trial.answer) for trial in of_long_texts(trials)]
    if not alone or float(np.mean(alone)) <= 0.75:
        return False
    return bool((length_counts(trials) > 0).sum() > 1)


def most_frequent_part(spans: Spans) -> float:
    """The part of the spans that have the most frequent length."""
    lengths = [len(span) for span in spans]
    return max(map(lengths.count, lengths)) / len(lengths) if lengths else 0.0


def always_the_same(trials: Sequence[Trial]) -> bool:
    """Whether all answers to the long text mask the same, and something, with any generator."""
    answers = {tuple(trial.answer) for trial in of_long_texts(trials)}
    return len(answers) == 1 and answers != {()}


def not_repeatable(trials: Sequence[Trial]) -> bool:
    """Whether the same generator gives different answers to the same text."""
    return any(len(answers) > 1 for answers in answers_by_generator(trials))


def answers_by_generator(trials: Sequence[Trial]) -> Iterable[set[tuple[range, ...]]]:
    """The different answers to each text and budget with each generator."""
    answers: dict[tuple[Any, ...], set[tuple[range, ...]]] = defaultdict(set)
    for trial in trials:
        state = trial.arguments["rng"].bit_generator.state["state"]["state"]
        text = tuple(trial.arguments["words"]), trial.arguments["budget"]
        answers[(text, state)].add(tuple(trial.answer))
    return answers.values()


def masks_too_little(trials: Sequence[Trial]) -> bool:
    """Whether much of the budgets of short texts is left although words would fit."""
    short = of_short_texts(trials)
    own = sum(map(len, (span for trial in short for span in trial.answer)))
    library = sum(map(len, (span for trial in short for span in trial.expected)))
    return own < FULL_ENOUGH * library


def passes_over_long_words(trials: Sequence[Trial]) -> bool:
    """Whether words of three tokens and more are masked much more rarely than by the library."""
    own = library = 0
    for trial in of_short_texts(trials):
        starts = {word.start for word in trial.arguments["words"] if len(word) >= 3}
        own += sum(len(starts.intersection(span)) for span in trial.answer)
        library += sum(len(starts.intersection(span)) for span in trial.expected)
    return 4 * own < library


def of_short_texts(trials: Sequence[Trial]) -> list[Trial]:
    """The trials on all other texts."""
    return [trial for trial in trials if len(trial.arguments["words"]) < LONG]


def percent(fraction: float) -> str:
    """A fraction as a whole percentage."""
    return f"{100 * fraction:.0f} %"


def lengths_in_words(trials: Sequence[Trial]) -> str:
    """The fractions of lengths as a clause."""
    one, two, three = map(percent, fractions(length_counts(trials)))
    return f"{one} of your spans are one word long, {two} two, {three} three"
