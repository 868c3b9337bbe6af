"""Which tokens to mask, in spans of whole words, and what to write in their place.

The paper's n-gram masking (section 4.1, equation 1) as google-research/albert's
create_pretraining_data.py draws it, one sequence at a time, to be read; `batch_masking.py` does
the same for many sequences at once.

One departure: the reference drops a span that meets words already masked (its `continue`, meant
to skip them, continues the wrong loop); here such a span ends where it meets them, so that the
budget is spent to the last token whenever a free word still fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from albert_lib.errors import ConfigError
from albert_lib.objectives.draws import check_number, check_whole_number


@dataclass(frozen=True)
class MaskingConfig:
    """How much is masked and how; the defaults are the paper's, without its limit of 20.

    With 512 positions that limit masks 3.9 % instead of 15 % (google-research/albert issue 51);
    `max_predictions=20` brings it back. Raises ConfigError for values that cannot work.

    Attributes:
        rate: The masking rate: the fraction of a sequence's positions that are masked, padding
            not counted.
        max_ngram: The longest span, in words.
        max_predictions: The most tokens masked in a sequence; None: no limit.
        mask_probability: How often a masked token is shown as [MASK] …
        random_probability: … or as a random token; else it is shown as it is.

    Example:
        >>> MaskingConfig(rate=0.2).budget(np.array([10, 100, 512])).tolist()
        [2, 20, 102]
        >>> MaskingConfig(max_predictions=20).budget(np.array([128, 512])).tolist()
        [19, 20]
    """

    rate: float = 0.15
    max_ngram: int = 3
    max_predictions: int | None = None
    mask_probability: float = 0.8
    random_probability: float = 0.1

    def __post_init__(self) -> None:
        for name in ("rate", "mask_probability", "random_probability"):
            check_number(getattr(self, name), name)
        if not 0 < self.rate <= 1:
            raise ConfigError(f"rate is {self.rate}; mask more than 0 and at most 1 of a text.")
        check_whole_number(self.max_ngram, "max_ngram", least=1)
        if self.max_predictions is not None:
            check_whole_number(self.max_predictions, "max_predictions", 1, ", or None for no limit")
        both = self.mask_probability + self.random_probability
        if min(self.mask_probability, self.random_probability) < 0 or both > 1 + 1e-9:
            raise ConfigError(
                f"mask_probability {self.mask_probability} and random_probability "
                f"{self.random_probability} must not be negative nor exceed 1 together."
            )

    def budget(self, lengths: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " batch"]:
        """How many tokens to mask in sequences of these lengths, at most."""
        return masking_budget(lengths, self.rate, self.max_predictions)


def masking_budget(
    lengths: Int[np.ndarray, " batch"], rate: float, max_predictions: int | None = None
) -> Int[np.ndarray, " batch"]:
    """How many tokens to mask in sequences of these lengths, at most: Google's rule.

    min(max_predictions, max(1, round(rate · length))), where length counts [CLS] and [SEP] too
    though they are never masked; so the rate among the other tokens is slightly higher. A half
    is rounded to the even neighbour. `max_predictions` None: no limit.

    Example:
        >>> masking_budget(np.array([2, 30, 512]), rate=0.15).tolist()
        [1, 4, 77]
        >>> masking_budget(np.array([2, 30, 512]), rate=0.15, max_predictions=20).tolist()
        [1, 4, 20]
    """
    budget = np.maximum(1, np.rint(rate * lengths).astype(np.int64))
    return budget if max_predictions is None else np.minimum(budget, max_predictions)


def find_words(
    input_ids: Int[np.ndarray, " seq"],
    is_word_start: Bool[np.ndarray, " vocab"],
    is_special: Bool[np.ndarray, " vocab"],
) -> list[range]:
    """The positions of each word of a sequence, in order; special tokens belong to no word.

    A segment that begins in the middle of a word (its front was trimmed) begins with the rest of
    that word.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> ids = np.array(tokenizer.encode("she walks"))  # [CLS] ▁she ▁walk s [SEP]
        >>> find_words(ids, tokenizer.is_word_start, tokenizer.is_special)
        [range(1, 2), range(2, 4)]
    """
    words: list[range] = []
    for position, token in enumerate(input_ids):
        if is_special[token]:
            continue
        continues = words and words[-1].stop == position and not is_word_start[token]
        if continues:
            words[-1] = range(words[-1].start, position + 1)
        else:
            words.append(range(position, position + 1))
    return words


def span_lengths(
    uniforms: Float64[np.ndarray, "*shape"], max_ngram: int = 3
) -> Int[np.ndarray, "*shape"]:
    """Span lengths in words, P(n) ∝ 1/n for n = 1 … max_ngram: 6/11, 3/11 and 2/11 for three.

    Example:
        >>> span_lengths(np.array([0.0, 0.5, 0.6, 0.9])).tolist()
        [1, 1, 2, 3]
    """
    weights = 1 / np.arange(1, max_ngram + 1)
    upper_bounds = np.cumsum(weights / weights.sum())
    return 1 + np.searchsorted(upper_bounds[:-1], uniforms, side="right")


def choose_spans(
    words: Sequence[range], budget: int, rng: np.random.Generator, max_ngram: int = 3
) -> list[range]:
    """Choose spans of neighbouring whole words to mask, `budget` tokens at most.

    `words` holds the positions of each word, in order; two words are neighbours when one ends
    where the next begins, so no span crosses a [SEP]. Words are visited in random order. Each
    begins a span of n words, P(n) ∝ 1/n. The span ends early at a word that is taken, is no
    neighbour, or exceeds what is left of the budget.

    Returns the spans as ranges of positions, in the order in which they were chosen.

    Example:
        >>> words = [range(1, 2), range(2, 4), range(4, 5), range(6, 7), range(7, 8)]
        >>> spans = choose_spans(words, budget=3, rng=np.random.default_rng(0))
        >>> spans, sum(map(len, spans))
        ([range(6, 7), range(4, 5), range(1, 2)], 3)
    """
    turn, length = rng.random((2, len(words)))
    n_words = span_lengths(length, max_ngram)
    taken = [False] * len(words)
    spans = []
    for first in np.argsort(turn):
        if budget <= 0:
            break
        span = range(words[first].start, words[first].start)  # empty so far
        for index in range(first, min(first + n_words[first], len(words))):
            longer = range(span.start, words[index].stop)
            if taken[index] or words[index].start != span.stop or len(longer) > budget:
                break
            taken[index] = True
            span = longer
        if span:
            spans.append(span)
            budget -= len(span)
    return spans


def replace_tokens(
    tokens: Int[np.ndarray, " masked"],
    treatment: Float64[np.ndarray, " masked"],
    choice: Float64[np.ndarray, " masked"],
    config: MaskingConfig,
    mask_token_id: int,
    vocab_size: int,
) -> Int[np.ndarray, " masked"]:
    """What is shown for masked tokens: [MASK], a random token or the token itself, 80/10/10.

    Every token is decided on its own, even within one word: `treatment` (uniform) decides how it
    is shown, `choice` (uniform) which random token. That is uniform over the whole vocabulary,
    special tokens included, as in the reference.

    Example:
        >>> tokens, treatment = np.array([14, 15, 16]), np.array([0.1, 0.85, 0.95])
        >>> choice = np.array([0.5, 0.5, 0.5])
        >>> replace_tokens(tokens, treatment, choice, MaskingConfig(), 4, vocab_size=100).tolist()
        [4, 50, 16]
    """
    random_tokens = (choice * vocab_size).astype(np.int64)
    as_mask = treatment < config.mask_probability
    as_random = treatment < config.mask_probability + config.random_probability
    return np.where(as_mask, mask_token_id, np.where(as_random, random_tokens, tokens))
