"""What makes a choice of spans wrong: rules for each answer, and measurements over many.

The functions over one trial return a sentence or None; those over all trials measure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from albert_lib.workbook.exercise import Fault, Trial

MAX_NGRAM = 3
EVEN_ENOUGH = 0.08  # how far fractions and positions may lie from the library's on 240 sentences
FULL_ENOUGH = 0.9  # of what the library masks
Words = Sequence[range]
Spans = list[range]


# What is wrong with one answer, or None.


def inside_a_word(trial: Trial) -> str | None:
    """A span that begins or ends where no word does."""
    words: Words = trial.arguments["words"]
    starts, stops = {word.start for word in words}, {word.stop for word in words}
    for span in trial.answer:
        for word in words:
            if span.start not in starts and span.start in word:
                return (
                    f"Your span {span} begins inside the word at positions {word.start} to "
                    f"{word.stop - 1}. A span begins where a word begins and ends where one ends."
                )
            if span.stop not in stops and span.stop - 1 in word:
                return (
                    f"Your span {span} ends inside the word at positions {word.start} to "
                    f"{word.stop - 1}. Words are masked whole."
                )
    return None


def not_of_words(trial: Trial) -> str | None:
    """A span that is empty, or holds a position that belongs to no word."""
    positions = {position for word in trial.arguments["words"] for position in word}
    for span in trial.answer:
        if len(span) == 0:
            return f"Your span {span} is empty. Leave out a span that found no room."
        strange = [position for position in span if position not in positions]
        if strange:
            return (
                f"Your span {span} holds position {strange[0]}, which belongs to no word: [CLS], "
                "[SEP] or the end. Words are neighbours only when one stops where the next starts."
            )
    return None


def overlapping(trial: Trial) -> str | None:
    """A position masked twice."""
    masked: set[int] = set()
    for span in trial.answer:
        twice = masked.intersection(span)
        if twice:
            return (
                f"Position {min(twice)} lies in two of your spans. Leave out words that are taken."
            )
        masked.update(span)
    return None


def over_budget(trial: Trial) -> str | None:
    """More tokens masked than the budget allows."""
    excess = masked_tokens(trial.answer) - trial.arguments["budget"]
    return f"You mask {excess} tokens more than the budget." if excess > 0 else None


def too_long(trial: Trial) -> str | None:
    """A span of more words than allowed."""
    longest = max(words_per_span(trial.arguments["words"], trial.answer), default=0)
    if longest <= MAX_NGRAM:
        return None
    return f"One of your spans is {longest} words long; {MAX_NGRAM} is the most."


RULES: tuple[Callable[[Trial], str | None], ...] = (
    inside_a_word,
    not_of_words,
    overlapping,
    over_budget,
    too_long,
)


def broken(rule: Callable[[Trial], str | None], trials: Sequence[Trial]) -> list[str]:
    """What `rule` says of each trial that breaks it."""
    return [sentence for trial in trials if (sentence := rule(trial)) is not None]


# What is measured over all answers together.


def masked_tokens(spans: Spans) -> int:
    """How many tokens the spans hold."""
    return sum(map(len, spans))


def words_per_span(words: Words, spans: Spans) -> list[int]:
    """How many words each span holds."""
    return [sum(word.start in span for word in words) for span in spans]


def length_fractions(trials: Sequence[Trial], of: str) -> Float[np.ndarray, " ngrams"]:
    """The fractions of spans of one, two and three words, in the answers or the expected ones."""
    lengths = [
        length
        for trial in trials
        for length in words_per_span(trial.arguments["words"], getattr(trial, of))
    ]
    clipped = np.clip(np.array(lengths, dtype=np.int64), 0, MAX_NGRAM)  # perhaps of no span at all
    counts = np.bincount(clipped, minlength=MAX_NGRAM + 1)[1:]
    return counts / max(1, counts.sum())


def front_fraction(trials: Sequence[Trial], of: str) -> float:
    """The fraction of masked tokens that lie in the first 40 % of their sequence."""
    front = total = 0
    for trial in trials:
        border = 0.4 * trial.arguments["words"][-1].stop
        positions = [position for span in getattr(trial, of) for position in span]
        front += sum(position < border for position in positions)
        total += len(positions)
    return front / max(1, total)


def lengths_off(trials: Sequence[Trial]) -> bool:
    """Whether the fractions of lengths are not the library's."""
    gaps = length_fractions(trials, "answer") - length_fractions(trials, "expected")
    return bool(np.abs(gaps).max() > EVEN_ENOUGH)


def lengths_one(trials: Sequence[Trial]) -> bool:
    """Whether nearly all spans are of one word."""
    return bool(length_fractions(trials, "answer")[0] > 0.95)


def front_heavy(trials: Sequence[Trial]) -> bool:
    """Whether the front of the sequences is masked more often than the rest."""
    return front_fraction(trials, "answer") > front_fraction(trials, "expected") + EVEN_ENOUGH


def always_the_same(trials: Sequence[Trial]) -> bool:
    """Whether all answers to one sequence are the same, whatever the generator."""
    return all(len(answers) == 1 for answers in answers_by(trials, generator_too=False))


def not_repeatable(trials: Sequence[Trial]) -> bool:
    """Whether the same generator gives different answers to the same sequence."""
    return any(len(answers) > 1 for answers in answers_by(trials, generator_too=True))


def answers_by(trials: Sequence[Trial], generator_too: bool) -> Iterable[set[tuple[range, ...]]]:
    """The different answers to each sequence, or to each sequence with each generator."""
    answers: dict[tuple[Any, ...], set[tuple[range, ...]]] = defaultdict(set)
    for trial in trials:
        state = trial.arguments["rng"].bit_generator.state["state"]["state"]
        sequence = tuple(trial.arguments["words"])
        answers[(sequence, state if generator_too else None)].add(tuple(trial.answer))
    return answers.values()


def masks_too_little(trials: Sequence[Trial]) -> bool:
    """Whether much of the budget is left although words would fit."""
    masked = sum(masked_tokens(trial.answer) for trial in trials)
    return masked < FULL_ENOUGH * sum(masked_tokens(trial.expected) for trial in trials)


def percent(fraction: float) -> str:
    """A fraction as a whole percentage."""
    return f"{100 * fraction:.0f} %"


def lengths_in_words(trials: Sequence[Trial]) -> str:
    """The fractions of lengths as a clause."""
    one, two, three = map(percent, length_fractions(trials, "answer"))
    return f"{one} of your spans are one word long, {two} two, {three} three"


def judge_spans(trials: Sequence[Trial]) -> Fault | None:
    """The first rule that is broken: those of a single answer first."""
    for rule in RULES:
        for trial in trials:
            sentence = rule(trial)
            if sentence is not None:
                return Fault(sentence, trial)
    unused = sum(t.arguments["budget"] - masked_tokens(t.answer) for t in trials)
    for is_off, sentence in (
        (masks_too_little, f"You leave {unused} tokens of the budgets unused on {len(trials)} "
         "sequences. Go on while a word fits."),
        (not_repeatable, "The same generator gives different spans: draw from rng alone."),
        (always_the_same, "Every generator gives the same spans: draw from rng."),
        (front_heavy, "The front of your sequences is masked more often than the rest."),
        (lengths_off, f"{lengths_in_words(trials)}; P(n) should be proportional to 1/n."),
    ):  # fmt: skip
        if is_off(trials):
            return Fault(sentence)
    return None
