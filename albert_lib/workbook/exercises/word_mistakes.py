"""Inputs and mistakes of 2.1, find the words, and the rules that they break."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from albert_lib.workbook.exercise import Trial

CLS, SEP, PAD, N_SPECIAL = 1, 2, 0, 3
VOCABULARY = 20  # 0 to 2 are special, the rest begins words or goes on with them


def draw_sequence(rng: np.random.Generator) -> dict[str, Any]:
    """Two segments of words of one to four tokens; either may begin in the middle of a word."""
    starts = np.zeros(VOCABULARY, dtype=bool)
    starts[rng.permutation(np.arange(N_SPECIAL, VOCABULARY))[:10]] = True
    beginnings, others = np.flatnonzero(starts), np.flatnonzero(~starts)[N_SPECIAL:]
    ids = [CLS]
    for _ in range(int(rng.integers(1, 3))):
        lengths = rng.choice([1, 2, 3, 4], size=rng.integers(1, 8), p=[0.5, 0.3, 0.1, 0.1])
        for word, length in enumerate(lengths):
            trimmed = word == 0 and rng.random() < 0.4
            ids.append(int(rng.choice(others if trimmed else beginnings)))
            ids += rng.choice(others, size=length - 1).tolist()
        ids.append(SEP)
    ids += [PAD] * int(rng.integers(3))
    return sequence_of(ids, starts)


def sequence_of(ids: list[int], starts: np.ndarray) -> dict[str, Any]:
    """The arguments of `find_words`."""
    return {
        "input_ids": np.array(ids, dtype=np.int64),
        "is_word_start": starts,
        "is_special": np.arange(VOCABULARY) < N_SPECIAL,
    }


def odd_sequences(rng: np.random.Generator) -> list[dict[str, Any]]:
    """No position, no word, one word, a text that neither begins nor ends with a special token."""
    starts = np.arange(VOCABULARY) >= 10
    cases: tuple[list[int], ...] = (
        [],
        [CLS, SEP],
        [CLS, 12, SEP],
        [CLS, 4, SEP],
        [12, 4, 13],
        [4, 5],
        [CLS, 12, SEP, 4],
    )
    return [sequence_of(ids, starts) for ids in cases]


def words_of(
    input_ids: np.ndarray,
    is_word_start: np.ndarray,
    is_special: np.ndarray,
    *,
    specials_too: bool = False,
    across: bool = False,
    trimmed_dropped: bool = False,
    last_dropped: bool = False,
    stop_included: bool = False,
    tokens_alone: bool = False,
    merged: bool = False,
    starts_at_second: bool = False,
    grown: str = "in its place",
    at_most: int = 99,
    longer: int = 0,
) -> list[range]:
    """`find_words` with one part exchanged."""
    words: list[range] = []
    inside = False
    for position, token in enumerate(input_ids.tolist()):
        begins = is_word_start[token] or is_special[token]
        if (merged and inside) or (starts_at_second and inside and len(words[-1]) == 1):
            begins = False
        if is_special[token] and not specials_too:
            inside = inside and across
        elif begins or tokens_alone or (inside and len(words[-1]) == at_most):
            words.append(range(position, position + 1))
            inside = True
        elif inside and grown == "beside it":
            words.append(range(words[-1].start, position + 1))
        elif inside and grown == "in its place":
            words[-1] = range(words[-1].start, position + 1)
        elif not inside and not trimmed_dropped:
            words.append(range(position, position + 1))
            inside = True
    if last_dropped:
        words = words[:-1]
    longer -= stop_included
    return [range(word.start, word.stop + longer) for word in words]


# -- What makes words wrong: each rule says it of one answer, or nothing


def strange_token(trial: Trial) -> str | None:
    """A position that holds a special token, or none."""
    ids, special = trial.arguments["input_ids"].tolist(), trial.arguments["is_special"]
    for word in trial.answer:
        for position in word:
            if not 0 <= position < len(ids) or special[ids[position]]:
                return (
                    f"Your word {word} of {ids} holds position {position}, where no token of a "
                    "word stands: a special token, or nothing. A range stops before its stop, so "
                    "range(4, 6) holds 4 and 5."
                )
    return None


def in_two_words(trial: Trial) -> str | None:
    """A position that two words hold."""
    ids, seen = trial.arguments["input_ids"].tolist(), set[int]()
    for word in trial.answer:
        twice = seen.intersection(word)
        if twice:
            return (
                f"In {ids} position {min(twice)} belongs to two of your words. A token that goes "
                "on with a word makes this word longer; it begins no second one."
            )
        seen.update(word)
    return None


def lost_token(trial: Trial) -> str | None:
    """A token of the text that no word holds."""
    ids, special = trial.arguments["input_ids"].tolist(), trial.arguments["is_special"]
    kept = {position for word in trial.answer for position in word}
    for position, token in enumerate(ids):
        if position not in kept and not special[token]:
            return (
                f"In {ids} position {position} belongs to none of your words. Every token that is "
                "not special does: it begins a word, or it goes on with one."
            )
    return None


def two_in_one(trial: Trial) -> str | None:
    """A word with a second beginning in it."""
    ids, starts = trial.arguments["input_ids"].tolist(), trial.arguments["is_word_start"]
    for word in trial.answer:
        for position in word[1:]:
            if starts[ids[position]]:
                return (
                    f"Your word {word} of {ids} holds two: the token at {position} begins a word. "
                    "is_word_start, looked up by the token, says so."
                )
    return None


def torn_word(trial: Trial) -> str | None:
    """A word that begins although the token before it belongs to the same."""
    ids, starts = trial.arguments["input_ids"].tolist(), trial.arguments["is_word_start"]
    special = trial.arguments["is_special"]
    for word in trial.answer:
        at = word.start
        if at > 0 and len(word) and not starts[ids[at]] and not special[ids[at - 1]]:
            return (
                f"Your word {word} of {ids} begins inside one: the token at {at} is no word start, "
                "and the one before it is of the same word, however long that is already."
            )
    return None


def breaks_rule(rule: Callable[[Trial], str | None]) -> Callable[[Sequence[Trial]], bool]:
    """Whether some answer breaks a rule, as a symptom."""
    return lambda trials: any(rule(trial) is not None for trial in trials)


def first_broken(rule: Callable[[Trial], str | None]) -> Callable[[Sequence[Trial]], str]:
    """What a rule says of the simplest answer that breaks it."""
    return lambda trials: next(said for trial in trials if (said := rule(trial)) is not None)
