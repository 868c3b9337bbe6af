"""Right answers to the exercises of chapter 2, as a student may write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from albert_lib.objectives import MaskingConfig


def find_words(
    input_ids: np.ndarray, is_word_start: np.ndarray, is_special: np.ndarray
) -> list[range]:
    words = []
    begin = None  # of the word that is being read
    for position in range(len(input_ids)):
        token = input_ids[position]
        if begin is not None and (is_special[token] or is_word_start[token]):
            words.append(range(begin, position))
            begin = None
        if begin is None and not is_special[token]:
            begin = position
    if begin is not None:
        words.append(range(begin, len(input_ids)))
    return words


def choose_spans(words: Sequence[range], budget: int, rng: np.random.Generator) -> list[range]:
    spans = []
    taken: set[int] = set()  # numbers of words
    for first in rng.permutation(len(words)).tolist():
        if budget == 0:
            break
        n = rng.choice([1, 2, 3], p=[6 / 11, 3 / 11, 2 / 11])
        start = stop = words[first].start
        for i in range(first, min(first + n, len(words))):
            if i in taken or words[i].start != stop or words[i].stop - start > budget:
                break
            taken.add(i)
            stop = words[i].stop
        if stop > start:
            spans.append(range(start, stop))
            budget -= stop - start
    return spans


def replace_tokens(
    tokens: np.ndarray,
    treatment: np.ndarray,
    choice: np.ndarray,
    config: MaskingConfig,
    mask_token_id: int,
    vocab_size: int,
) -> np.ndarray:
    shown = tokens.copy()
    random_from = config.mask_probability
    kept_from = config.mask_probability + config.random_probability
    for i in range(len(tokens)):
        if treatment[i] < random_from:
            shown[i] = mask_token_id
        elif treatment[i] < kept_from:
            shown[i] = int(choice[i] * vocab_size)
    return shown


def masking_budget(
    lengths: np.ndarray, rate: float, max_predictions: int | None = None
) -> np.ndarray:
    budgets = []
    for length in lengths.tolist():
        budget = max(1, round(rate * length))
        if max_predictions is not None:
            budget = min(budget, max_predictions)
        budgets.append(budget)
    return np.array(budgets, dtype=np.int64)


def order_pair(
    first: list[int], second: list[int], rng: np.random.Generator
) -> tuple[list[int], list[int], int]:
    label = int(rng.integers(2))
    if label == 1:
        first, second = second, first
    return first, second, label
