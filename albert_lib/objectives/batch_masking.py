"""Masking for many sequences at once: `masking.py`'s rules on whole arrays.

Given the same random numbers, the same pieces are hidden as by `find_words` and `choose_runs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int

from albert_lib.objectives.masking import MaskingConfig, replace_pieces, run_lengths

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

DRAWS_PER_PIECE = 4  # its word's turn and run length, how it is shown, the random piece


def mask_batch(
    input_ids: Int[np.ndarray, "batch seq"],
    tokenizer: AlbertTokenizer,
    config: MaskingConfig,
    draws: Float64[np.ndarray, "batch 4 seq"],
) -> tuple[Int[np.ndarray, "batch seq"], Bool[np.ndarray, "batch seq"]]:
    """Hide runs in every sequence; return the ids as the model sees them, and which are hidden.

    `draws` are uniforms in [0, 1). Of a sequence with k words, `draws[i, :2, :k]` is what
    `choose_runs` draws for it: the words' turns and run lengths. `draws[i, 2:]` decides, for the
    piece at each position, how it is shown and which random piece replaces it.
    """
    lengths = (input_ids != tokenizer.pad_token_id).sum(axis=1)
    hidden = choose_runs_batch(
        input_ids,
        config.budget(lengths),
        tokenizer.is_word_start,
        tokenizer.is_special,
        draws[:, :2],
        config.max_ngram,
    )
    shown = np.array(input_ids)
    shown[hidden] = replace_pieces(
        input_ids[hidden],
        draws[:, 2][hidden],
        draws[:, 3][hidden],
        config,
        tokenizer.mask_token_id,
        tokenizer.vocab_size,
    )
    return shown, hidden


def choose_runs_batch(
    input_ids: Int[np.ndarray, "batch seq"],
    budget: Int[np.ndarray, " batch"],
    is_word_start: Bool[np.ndarray, " vocab"],
    is_special: Bool[np.ndarray, " vocab"],
    draws: Float64[np.ndarray, "batch 2 seq"],
    max_ngram: int,
) -> Bool[np.ndarray, "batch seq"]:
    """`find_words` and `choose_runs` for all sequences at once: which positions to hide.

    In each turn of the loop every sequence that has budget left tries its next word.
    """
    starts, stops = word_table(input_ids, is_word_start, is_special, spare=max_ngram)
    is_word = stops > starts
    n_words = is_word.sum(axis=1)
    turn = np.where(is_word[:, :-max_ngram], draws[:, 0, : n_words.max()], np.inf)
    order = np.argsort(turn, axis=1)
    wanted = run_lengths(draws[:, 1, : n_words.max()], max_ngram)
    free = is_word.copy()
    left = np.array(budget)
    change = np.zeros((len(input_ids), input_ids.shape[1] + 1), dtype=np.int8)

    trying = np.arange(len(input_ids))
    for attempt in range(n_words.max()):
        trying = trying[(left[trying] > 0) & (attempt < n_words[trying])]
        if not len(trying):
            break
        first = order[trying, attempt]
        begin = starts[trying, first]
        end = begin
        grows = np.ones(len(trying), dtype=bool)
        for extra in range(max_ngram):
            word = first + extra
            longer = stops[trying, word]
            grows &= extra < wanted[trying, first]
            grows &= free[trying, word] & (starts[trying, word] == end)
            grows &= longer - begin <= left[trying]
            free[trying[grows], word[grows]] = False
            end = np.where(grows, longer, end)
        left[trying] -= end - begin
        # a run is +1 where it begins and −1 where it ends; runs may touch, empty ones cancel
        change[trying, begin] += 1
        change[trying, end] -= 1
    return np.cumsum(change[:, :-1], axis=1, dtype=np.int8) > 0


def word_table(
    input_ids: Int[np.ndarray, "batch seq"],
    is_word_start: Bool[np.ndarray, " vocab"],
    is_special: Bool[np.ndarray, " vocab"],
    spare: int,
) -> tuple[Int[np.ndarray, "batch slots"], Int[np.ndarray, "batch slots"]]:
    """Where the words of each sequence start and stop; unused slots are empty, `spare` at least."""
    in_word = ~is_special[input_ids]
    edge = np.zeros((len(input_ids), 1), dtype=bool)
    before = np.concatenate([edge, in_word[:, :-1]], axis=1)
    begins = in_word & (is_word_start[input_ids] | ~before)
    after = np.concatenate([~(in_word & ~begins)[:, 1:], ~edge], axis=1)
    ends = in_word & after  # the next position does not continue the word

    row, start = np.nonzero(begins)
    stop = np.nonzero(ends)[1] + 1  # as many, in the same order
    n_words = begins.sum(axis=1)
    slot = np.arange(len(row)) - np.repeat(np.cumsum(n_words) - n_words, n_words)
    starts = np.zeros((len(input_ids), n_words.max() + spare), dtype=np.int64)
    stops = np.zeros_like(starts)
    starts[row, slot] = start
    stops[row, slot] = stop
    return starts, stops
