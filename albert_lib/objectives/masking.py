"""What to hide: short runs of whole words, and what to write in their place.

The paper's n-gram masking (section 4.1, equation 1) as google-research/albert's
create_pretraining_data.py draws it, one sequence at a time, to be read; `batch_masking.py` does
the same for many sequences at once.

One departure: the reference drops a run that meets words already hidden (its `continue`, meant to
pass over them, continues the wrong loop); here such a run is cut short where it meets them, so
that the budget is spent to the last piece whenever a free word still fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from albert_lib.errors import ConfigError


@dataclass(frozen=True)
class MaskingConfig:
    """How much is hidden and how; the defaults are the paper's, without its limit of 20.

    With 512 positions that limit hides 3.9 % instead of 15 % (google-research/albert issue 51);
    `max_predictions=20` brings it back.
    """

    share: float = 0.15  # of all positions of a sequence that are not padding
    max_ngram: int = 3  # longest run, in words
    max_predictions: int | None = None  # a sequence; None: no limit
    mask_probability: float = 0.8  # a hidden piece is shown as [MASK] …
    random_probability: float = 0.1  # … or as a random piece, else as itself

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"share is {self.share}; hide more than 0 and at most 1 of a text.")
        if self.max_ngram < 1:
            raise ConfigError(f"max_ngram is {self.max_ngram}; a run has at least 1 word.")
        if self.max_predictions is not None and self.max_predictions < 1:
            raise ConfigError(
                f"max_predictions is {self.max_predictions}; use at least 1, or None for no limit."
            )
        both = self.mask_probability + self.random_probability
        if min(self.mask_probability, self.random_probability) < 0 or both > 1 + 1e-9:
            raise ConfigError(
                f"mask_probability {self.mask_probability} and random_probability "
                f"{self.random_probability} must not be negative nor exceed 1 together."
            )

    def budget(self, lengths: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " batch"]:
        """How many pieces to hide in sequences of these lengths, at most: Google's rule.

        min(max_predictions, max(1, round(share · length))), where length counts [CLS] and [SEP]
        too though they are never hidden; so the share of text pieces is slightly larger.
        """
        budget = np.maximum(1, np.rint(self.share * lengths).astype(np.int64))
        return budget if self.max_predictions is None else np.minimum(budget, self.max_predictions)


def find_words(
    input_ids: Int[np.ndarray, " seq"],
    is_word_start: Bool[np.ndarray, " vocab"],
    is_special: Bool[np.ndarray, " vocab"],
) -> list[range]:
    """The positions of each word of a sequence, in order; special pieces belong to no word.

    A segment that begins in the middle of a word (its front was trimmed) begins with the rest of
    that word.
    """
    words: list[range] = []
    for position, piece in enumerate(input_ids):
        if is_special[piece]:
            continue
        continues = words and words[-1].stop == position and not is_word_start[piece]
        if continues:
            words[-1] = range(words[-1].start, position + 1)
        else:
            words.append(range(position, position + 1))
    return words


def run_lengths(
    uniforms: Float64[np.ndarray, "*shape"], max_ngram: int = 3
) -> Int[np.ndarray, "*shape"]:
    """Run lengths in words, P(n) ∝ 1/n for n = 1 … max_ngram: 6/11, 3/11 and 2/11 for three."""
    weights = 1 / np.arange(1, max_ngram + 1)
    upper_bounds = np.cumsum(weights / weights.sum())
    return 1 + np.searchsorted(upper_bounds[:-1], uniforms, side="right")


def choose_runs(
    words: Sequence[range], budget: int, rng: np.random.Generator, max_ngram: int = 3
) -> list[range]:
    """Choose runs of neighbouring whole words to hide, `budget` pieces at most.

    `words` holds the positions of each word, in order; two words are neighbours when one ends
    where the next begins, so no run crosses a [SEP]. Words take their turn in random order. Each
    begins a run of n words, P(n) ∝ 1/n. The run ends early at a word that is taken, is no
    neighbour, or exceeds what is left of the budget.

    Returns the runs as ranges of positions, in the order in which they were chosen.
    """
    turn, length = rng.random((2, len(words)))
    n_words = run_lengths(length, max_ngram)
    taken = [False] * len(words)
    runs = []
    for first in np.argsort(turn):
        run = range(words[first].start, words[first].start)  # empty so far
        for index in range(first, min(first + n_words[first], len(words))):
            longer = range(run.start, words[index].stop)
            if taken[index] or words[index].start != run.stop or len(longer) > budget:
                break
            taken[index] = True
            run = longer
        if run:
            runs.append(run)
            budget -= len(run)
    return runs


def replace_pieces(
    pieces: Int[np.ndarray, " hidden"],
    treatment: Float64[np.ndarray, " hidden"],
    choice: Float64[np.ndarray, " hidden"],
    config: MaskingConfig,
    mask_token_id: int,
    vocab_size: int,
) -> Int[np.ndarray, " hidden"]:
    """What is shown for hidden pieces: [MASK], a random piece or the piece itself, 80/10/10.

    Every piece is decided on its own, even within one word. The random piece is uniform over the
    whole vocabulary, special pieces included, as in the reference.
    """
    random_pieces = (choice * vocab_size).astype(np.int64)
    as_mask = treatment < config.mask_probability
    as_random = treatment < config.mask_probability + config.random_probability
    return np.where(as_mask, mask_token_id, np.where(as_random, random_pieces, pieces))
