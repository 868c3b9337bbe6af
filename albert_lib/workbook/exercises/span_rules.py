"""What makes one choice of spans wrong, and the judge of many: these rules, then statistics.

The functions over one trial return a sentence or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from albert_lib.workbook.exercise import Fault, Trial
from albert_lib.workbook.exercises.span_statistics import (
    ERROR,
    MAX_NGRAM,
    Spans,
    Words,
    always_the_same,
    begins_unevenly,
    begun,
    first_words_only,
    front_heavy,
    lengths_in_words,
    lengths_off,
    masked,
    masks_too_little,
    not_repeatable,
    odd_edge,
    of_long_texts,
    passes_over_long_words,
    touching,
)

MANY = (
    30  # free words that fit: that a right answer passes them all by is one in a thousand million
)


def no_range(trial: Trial) -> str | None:
    """Something else than a range of neighbouring positions."""
    for span in trial.answer:
        if not isinstance(span, range) or span.step != 1:
            return f"{span!r:.60} is no range of neighbouring positions, as range(4, 6) is."
    return None


def inside_a_word(trial: Trial) -> str | None:
    """A span that begins or ends where no word does."""
    words: Words = trial.arguments["words"]
    starts, stops = {word.start for word in words}, {word.stop for word in words}
    for span in trial.answer:
        if span.start not in starts:
            for word in words:
                if span.start in word:
                    return (
                        f"Your span {span} begins inside the word at positions {word.start} to "
                        f"{word.stop - 1}. A span begins where a word begins and ends where one "
                        "ends."
                    )
        if span.stop not in stops:
            for word in words:
                if span.stop - 1 in word:
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
    seen: set[int] = set()
    for span in trial.answer:
        twice = seen.intersection(span)
        if twice:
            return (
                f"Position {min(twice)} lies in two of your spans. Leave out words that are taken."
            )
        seen.update(span)
    return None


def over_budget(trial: Trial) -> str | None:
    """More tokens masked than the budget allows."""
    excess = masked_tokens(trial.answer) - trial.arguments["budget"]
    return f"You mask {excess} tokens more than the budget." if excess > 0 else None


def too_long(trial: Trial) -> str | None:
    """A span of more words than allowed."""
    starts = {word.start for word in trial.arguments["words"]}
    longest = max((sum(at in starts for at in span) for span in trial.answer), default=0)
    if longest <= MAX_NGRAM:
        return None
    return f"One of your spans is {longest} words long; {MAX_NGRAM} is the most."


def unused(trial: Trial) -> str | None:
    """Budget left over although many words would still fit."""
    left = trial.arguments["budget"] - masked_tokens(trial.answer)
    taken = {position for span in trial.answer for position in span}
    fitting = sum(w.start not in taken and len(w) <= left for w in trial.arguments["words"])
    if fitting < MANY:
        return None
    return (
        f"You leave {left} of {trial.arguments['budget']} tokens of a budget unused, and {fitting} "
        "words would still fit. Go on while a word fits."
    )


RULES: tuple[Callable[[Trial], str | None], ...] = (
    no_range,
    inside_a_word,
    not_of_words,
    overlapping,
    over_budget,
    too_long,
    unused,
)


def masked_tokens(spans: Spans) -> int:
    """How many tokens the spans hold."""
    return sum(map(len, spans))


def broken(rule: Callable[[Trial], str | None], trials: Sequence[Trial]) -> list[str]:
    """What `rule` says of each trial that breaks it."""
    return [sentence for trial in trials if (sentence := rule(trial)) is not None]


def breaks(rule: Callable[[Trial], str | None]) -> Callable[[Sequence[Trial]], bool]:
    """Whether some trial breaks a rule, as a symptom."""
    return lambda trials: not broken(no_range, trials) and bool(broken(rule, trials))


def judge_spans(trials: Sequence[Trial]) -> Fault | None:
    """The first rule that is broken: those of a single answer first."""
    for rule in RULES:
        for trial in trials:
            sentence = rule(trial)
            if sentence is not None:
                return Fault(sentence, trial)
    for is_off, sentence in (
        (not_repeatable, "The same generator gives different spans: draw from rng alone."),
        (always_the_same, "Every generator gives the same spans: draw from rng."),
        (masks_too_little, "You leave a good part of the budgets unused. Go on while a word fits."),
        (
            passes_over_long_words,
            "You hardly ever mask words of three tokens and more, though they fit.",
        ),
        (first_words_only, "You mask the first words of each text and none of the others."),
        (front_heavy, "The front of your texts is masked more often than the rest."),
        (begins_unevenly, "Some words begin a span more often than others."),
        (touching, "Most of your spans begin where another one stops."),
    ):
        if is_off(trials):
            return Fault(sentence)
    if odd_edge(trials) is not None:
        return Fault(edge_in_words(trials))
    if lengths_off(trials):
        return Fault(
            f"{lengths_in_words(trials)}. No way to draw P(n) in proportion to 1/n gives that, but "
            f"once in {round(1 / ERROR):,} checks."
        )
    return None


def edge_in_words(trials: Sequence[Trial]) -> str:
    """Which word at an edge is begun and masked how often."""
    word = odd_edge(trials)
    assert word is not None
    n_texts = len(of_long_texts(trials))
    return (
        f"Word {word} of a text of 300 begins a span in {begun(trials)[word]} of {n_texts} texts "
        f"and is masked in {masked(trials)[word]}; words in the middle begin one in about "
        f"{n_texts // 8} and are masked in {n_texts // 5}. Every word may begin a span, the first "
        "and the last too."
    )
