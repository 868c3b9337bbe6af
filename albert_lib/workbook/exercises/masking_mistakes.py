"""Inputs and mistakes of 2.1, 2.3 and 2.4: words, what a masked token shows, the budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from albert_lib.objectives.masking import MaskingConfig

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
) -> list[range]:
    """`find_words` with one part exchanged."""
    words: list[range] = []
    inside = False
    for position, token in enumerate(input_ids.tolist()):
        if is_special[token] and not specials_too:
            inside = inside and across
        elif is_word_start[token] or is_special[token] or tokens_alone:
            words.append(range(position, position + 1))
            inside = True
        elif inside:
            words[-1] = range(words[-1].start, position + 1)
        elif not trimmed_dropped:
            words.append(range(position, position + 1))
            inside = True
    if last_dropped:
        words = words[:-1]
    return [range(word.start, word.stop - 1) for word in words] if stop_included else words


def draw_treatments(rng: np.random.Generator) -> dict[str, Any]:
    """Up to twelve masked tokens, and shares that are most often not 80/10/10."""
    n, vocab_size = int(rng.integers(1, 13)), int(rng.integers(8, 100))
    mask = 0.8 if rng.random() < 0.4 else float(rng.uniform(0.2, 0.8))
    random = 0.1 if mask == 0.8 else float(rng.uniform(0.05, 1 - mask))
    return {
        "tokens": rng.integers(5, vocab_size, size=n),
        "treatment": rng.random(n),
        "choice": rng.random(n),
        "config": MaskingConfig(mask_probability=mask, random_probability=random),
        "mask_token_id": int(rng.integers(5)),
        "vocab_size": vocab_size,
    }


def edges_of_shares(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Nothing masked, one token, treatments on the borders of the shares, choices at both ends."""
    quarters = np.arange(8) / 8  # exact in binary, so that the borders are met exactly
    choice = np.array([0.0, 0.999, 0.001, 0.5, 0.0, 0.999, 0.96, 0.25])
    nothing, one = np.array([], dtype=np.int64), np.array([7])
    cases: list[tuple[Any, Any, Any, float, float]] = [
        (nothing, np.array([]), np.array([]), 0.8, 0.1),
        (one, np.array([0.85]), np.array([0.999]), 0.8, 0.1),
        (np.arange(8) + 8, quarters, choice, 0.5, 0.25),
        (np.arange(8) + 8, quarters, choice, 0.0, 1.0),
        (np.arange(8) + 8, quarters, choice, 0.0, 0.0),
    ]
    return [
        {
            "tokens": tokens,
            "treatment": treatment,
            "choice": choice,
            "config": MaskingConfig(mask_probability=mask, random_probability=random),
            "mask_token_id": 4,
            "vocab_size": 30,
        }
        for tokens, treatment, choice, mask, random in cases
    ]


def shown(
    tokens: np.ndarray,
    treatment: np.ndarray,
    choice: np.ndarray,
    config: MaskingConfig,
    mask_token_id: int,
    vocab_size: int,
    *,
    never_random: bool = False,
    all_masked: bool = False,
    fixed_shares: bool = False,
    rounded: bool = False,
    without_specials: bool = False,
    once_for_all: bool = False,
) -> np.ndarray:
    """`replace_tokens` with one part exchanged."""
    mask, random = config.mask_probability, config.random_probability
    if fixed_shares:
        mask, random = 0.8, 0.1
    if once_for_all:
        treatment = np.repeat(treatment[:1], len(tokens))
    lowest = 5 if without_specials else 0
    scaled = choice * (vocab_size - lowest)
    random_tokens = lowest + (np.rint(scaled) if rounded else scaled).astype(np.int64)
    as_mask = treatment < mask
    if all_masked:
        as_mask = np.ones_like(as_mask)
    as_random = treatment < (random if never_random else mask + random)
    result: np.ndarray = np.where(
        as_mask, mask_token_id, np.where(as_random, random_tokens, tokens)
    )
    return result


def draw_lengths(rng: np.random.Generator) -> dict[str, Any]:
    """Lengths of a few sequences, a rate and a limit that is often none."""
    longest = int(rng.choice([12, 60, 512]))
    return {
        "lengths": rng.integers(1, longest + 1, size=rng.integers(1, 9)),
        "rate": float(rng.choice([0.15, 0.15, 0.25, 0.3, 0.4])),
        "max_predictions": None if rng.random() < 0.5 else int(rng.integers(1, 25)),
    }


def short_lengths(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Lengths at which the rule's parts meet: halves, the least of one, the limit."""
    cases: list[tuple[list[int], float, int | None]]
    cases = [([1], 0.15, None), ([10], 0.15, None), ([30], 0.15, None), ([50], 0.15, None)]
    cases += [([2, 6, 10], 0.25, None), ([136, 137], 0.15, 20), ([1, 5], 0.15, 1)]
    return [
        {"lengths": np.array(lengths), "rate": rate, "max_predictions": most}
        for lengths, rate, most in cases
    ]


def budgets(
    lengths: np.ndarray,
    rate: float,
    max_predictions: int | None,
    *,
    rounding: str = "even",
    least: int = 1,
    limited: bool = True,
    specials_left_out: bool = False,
) -> np.ndarray:
    """`masking_budget` with one part exchanged."""
    exact = rate * (np.maximum(lengths - 3, 0) if specials_left_out else lengths)
    if rounding == "half up":
        exact = np.floor(exact + 0.5)
    elif rounding == "down":
        exact = np.floor(exact)
    elif rounding == "up":
        exact = np.ceil(exact)
    budget = np.maximum(least, np.rint(exact).astype(np.int64))
    if max_predictions is not None and limited:
        budget = np.minimum(budget, max_predictions)
    return budget
