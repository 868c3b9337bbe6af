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
    row, position = np.divmod(np.flatnonzero(hidden), input_ids.shape[1])  # faster than nonzero
    shown = np.array(input_ids)
    shown[row, position] = replace_pieces(
        input_ids[row, position],
        draws[row, 2, position],
        draws[row, 3, position],
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

    In each turn of the loop every sequence that has budget left tries its next word. Words and
    positions are counted through the whole batch.
    """
    starts, stops, n_words = find_words_batch(input_ids, is_word_start, is_special)
    first_word = np.cumsum(n_words) - n_words  # of each sequence
    most = n_words.max()
    turn = np.where(np.arange(most) < n_words[:, None], draws[:, 0, :most], np.inf)
    order = np.argsort(turn, axis=1)
    free = np.ones(len(starts), dtype=bool)
    left = np.array(budget)
    change = np.zeros(input_ids.size + 1, dtype=np.int8)

    trying = np.arange(len(input_ids))
    for attempt in range(most):
        trying = trying[(left[trying] > 0) & (attempt < n_words[trying])]
        if not len(trying):
            break
        index = order[trying, attempt]
        # a run ends with its sequence at the latest
        wanted = np.minimum(
            run_lengths(draws[trying, 1, index], max_ngram), n_words[trying] - index
        )
        word = first_word[trying] + index
        end = take_runs(word, wanted, left[trying], starts, stops, free, max_ngram)
        begin = starts[word]
        left[trying] -= end - begin
        # a run is +1 where it begins and −1 where it ends; runs may touch
        change[begin[end > begin]] += 1
        change[end[end > begin]] -= 1
    hidden = np.cumsum(change[:-1], dtype=np.int8).view(bool)
    return hidden.reshape(input_ids.shape)


def take_runs(
    first: Int[np.ndarray, " runs"],
    wanted: Int[np.ndarray, " runs"],
    room: Int[np.ndarray, " runs"],
    starts: Int[np.ndarray, " words"],
    stops: Int[np.ndarray, " words"],
    free: Bool[np.ndarray, " words"],
    max_ngram: int,
) -> Int[np.ndarray, " runs"]:
    """Take as much of each run of `wanted` words from word `first` as may be: where it ends.

    It ends early at a word that is not free, is no neighbour, or exceeds the room. Words taken
    are no longer `free`. An empty run ends where it begins.
    """
    begin = starts[first]
    end = np.array(begin)
    growing = np.arange(len(first))
    for extra in range(max_ngram):
        growing = growing[extra < wanted[growing]]
        word = first[growing] + extra
        fits = free[word] & (starts[word] == end[growing])
        fits &= stops[word] - begin[growing] <= room[growing]
        growing, word = growing[fits], word[fits]
        free[word] = False
        end[growing] = stops[word]
    return end


def find_words_batch(
    input_ids: Int[np.ndarray, "batch seq"],
    is_word_start: Bool[np.ndarray, " vocab"],
    is_special: Bool[np.ndarray, " vocab"],
) -> tuple[Int[np.ndarray, " words"], Int[np.ndarray, " words"], Int[np.ndarray, " batch"]]:
    """Where the words of all sequences start and stop, and how many words each sequence has.

    Positions are counted through the whole batch.
    """
    in_word = ~is_special.take(input_ids)
    edge = np.zeros((len(input_ids), 1), dtype=bool)
    before = np.concatenate([edge, in_word[:, :-1]], axis=1)
    begins = in_word & (is_word_start.take(input_ids) | ~before)
    continues = in_word & ~begins
    after = np.concatenate([continues[:, 1:], edge], axis=1)
    ends = in_word & ~after
    # there are as many ends as beginnings, in the same order
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1, begins.sum(axis=1)
