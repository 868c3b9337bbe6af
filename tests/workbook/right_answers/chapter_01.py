"""Right answers to the exercises of chapter 1, as a student may write them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

MARK = "\u2581"


def mark_words(text: str) -> str:
    marked = ""
    for word in text.split():
        marked += MARK + word
    return marked


def best_segmentation(text: str, scores: Mapping[str, float]) -> list[str]:
    n = len(text)
    best = [-math.inf] * (n + 1)
    came_from = [0] * (n + 1)
    best[0] = 0.0
    for end in range(1, n + 1):
        for start in range(end):
            piece = text[start:end]
            if piece not in scores:
                continue
            candidate = best[start] + scores[piece]
            if candidate > best[end]:
                best[end] = candidate
                came_from[end] = start
    pieces = []
    end = n
    while end > 0:
        pieces.append(text[came_from[end] : end])
        end = came_from[end]
    pieces.reverse()
    return pieces


def marginal_log_likelihood(text: str, scores: Mapping[str, float]) -> float:
    ways = np.full(len(text) + 1, -np.inf)
    ways[0] = 0.0
    for end in range(1, len(text) + 1):
        for start in range(end):
            piece = text[start:end]
            if piece in scores:
                ways[end] = np.logaddexp(ways[end], ways[start] + scores[piece])
    return float(ways[-1])


def with_special_tokens(
    first: list[int], second: list[int] | None, cls_id: int, sep_id: int
) -> tuple[list[int], int]:
    ids = [cls_id] + first + [sep_id]
    length = len(ids)
    if second is not None:
        ids = ids + second + [sep_id]
    return ids, length


def pad_sequences(
    sequences: list[tuple[list[int], int]], pad_id: int, width: int
) -> dict[str, np.ndarray]:
    shape = (len(sequences), width)
    input_ids = np.full(shape, pad_id, dtype=np.int64)
    attention_mask = np.zeros(shape, dtype=np.int64)
    token_type_ids = np.zeros(shape, dtype=np.int64)
    for row, (ids, first_length) in enumerate(sequences):
        n = len(ids)
        input_ids[row, :n] = ids
        attention_mask[row, :n] = 1
        token_type_ids[row, first_length:n] = 1
    return {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": token_type_ids,
    }


def truncate_pair(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    first, second = list(first), list(second)
    first_was_longer = len(first) > len(second)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first.pop()
        elif len(second) > len(first) or first_was_longer:
            second.pop()
        else:
            first.pop()
    return first, second
