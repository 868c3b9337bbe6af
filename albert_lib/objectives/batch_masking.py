"""Masking for many sequences at once: `masking.py`'s rules on whole arrays.

Given the same random numbers, the same tokens are masked as by `find_words` and `choose_spans`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int

from albert_lib.objectives.masking import MaskingConfig, replace_tokens, span_lengths

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

UNIFORMS_PER_TOKEN = 4  # its word's turn and span length, how it is shown, the random token


def mask_batch(
    input_ids: Int[np.ndarray, "batch seq"],
    tokenizer: AlbertTokenizer,
    config: MaskingConfig,
    uniforms: Float64[np.ndarray, "batch 4 seq"],
) -> tuple[Int[np.ndarray, "batch seq"], Bool[np.ndarray, "batch seq"]]:
    """Mask spans in every sequence; return the ids as the model sees them, and which are masked.

    `uniforms` are random numbers in [0, 1). Of a sequence with k words, `uniforms[i, :2, :k]` is
    what `choose_spans` draws for it: the words' turns and span lengths. `uniforms[i, 2:]` decides,
    for the token at each position, how it is shown and which random token replaces it.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> ids = tokenizer(["the old baker walks to the mill before dawn"]).input_ids.numpy()
        >>> uniforms = np.random.default_rng(0).random((1, 4, ids.shape[1]))
        >>> shown, is_masked = mask_batch(ids, tokenizer, MaskingConfig(rate=0.3), uniforms)
        >>> tokenizer.decode(shown[0])
        '[CLS] the old baker[MASK][MASK] to the mill before dawn[SEP]'
    """
    is_masked = choose_spans_batch(
        input_ids,
        config.budget((input_ids != tokenizer.pad_token_id).sum(axis=1)),
        tokenizer.is_word_start,
        tokenizer.is_special,
        uniforms[:, :2],
        config.max_ngram,
    )
    row, position = np.divmod(np.flatnonzero(is_masked), input_ids.shape[1])  # faster than nonzero
    shown = np.array(input_ids)
    shown[row, position] = replace_tokens(
        input_ids[row, position],
        uniforms[row, 2, position],
        uniforms[row, 3, position],
        config,
        tokenizer.mask_token_id,
        tokenizer.vocab_size,
    )
    return shown, is_masked


def choose_spans_batch(
    input_ids: Int[np.ndarray, "batch seq"],
    budget: Int[np.ndarray, " batch"],
    is_word_start: Bool[np.ndarray, " vocab"],
    is_special: Bool[np.ndarray, " vocab"],
    uniforms: Float64[np.ndarray, "batch 2 seq"],
    max_ngram: int,
) -> Bool[np.ndarray, "batch seq"]:
    """`find_words` and `choose_spans` for all sequences at once: which positions to mask.

    In each iteration every sequence that has budget left tries its next word. Words and positions
    are counted through the whole batch.

    Example:
        >>> is_word_start = np.array([False, True, True, False])
        >>> is_special = np.array([True, False, False, False])
        >>> ids = np.array([[0, 1, 3, 2, 0]])  # special, a word of two tokens, a word of one
        >>> uniforms = np.zeros((1, 2, 5))
        >>> choose_spans_batch(ids, np.array([2]), is_word_start, is_special, uniforms, 1).tolist()
        [[False, True, True, False, False]]
    """
    starts, stops, n_words = find_words_batch(input_ids, is_word_start, is_special)
    first_word = np.cumsum(n_words) - n_words  # of each sequence
    most = n_words.max()
    turn = np.where(np.arange(most) < n_words[:, None], uniforms[:, 0, :most], np.inf)
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
        # a span ends with its sequence at the latest
        wanted = np.minimum(
            span_lengths(uniforms[trying, 1, index], max_ngram), n_words[trying] - index
        )
        word = first_word[trying] + index
        end = take_spans(word, wanted, left[trying], starts, stops, free, max_ngram)
        begin = starts[word]
        left[trying] -= end - begin
        # a span is +1 where it begins and −1 where it ends; spans may touch
        change[begin[end > begin]] += 1
        change[end[end > begin]] -= 1
    is_masked = np.cumsum(change[:-1], dtype=np.int8).view(bool)
    return is_masked.reshape(input_ids.shape)


def take_spans(
    first: Int[np.ndarray, " spans"],
    wanted: Int[np.ndarray, " spans"],
    room: Int[np.ndarray, " spans"],
    starts: Int[np.ndarray, " words"],
    stops: Int[np.ndarray, " words"],
    free: Bool[np.ndarray, " words"],
    max_ngram: int,
) -> Int[np.ndarray, " spans"]:
    """Take up to `wanted` words from word `first` on, for each span: the position where it ends.

    It ends early at a word that is not free, is no neighbour, or exceeds the room. Words taken
    are no longer `free`. An empty span ends where it begins.

    Example:
        >>> starts, stops = np.array([1, 3, 4]), np.array([3, 4, 5])
        >>> one, free = np.array([0]), np.array([True, True, False])
        >>> take_spans(one, np.array([3]), np.array([9]), starts, stops, free, max_ngram=3)
        array([4])
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

    Example:
        >>> is_word_start = np.array([False, True, True, False])
        >>> is_special = np.array([True, False, False, False])
        >>> find_words_batch(np.array([[0, 1, 3, 2, 0]]), is_word_start, is_special)
        (array([1, 3]), array([3, 4]), array([2]))
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
