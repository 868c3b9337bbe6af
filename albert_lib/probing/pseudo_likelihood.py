"""Pseudo-log-likelihood: how well a masked model predicts each token of a text from the others.

A masked model gives no probability of a whole text. The usual substitute masks one token at a
time, all others visible, and sums the log-probabilities (Salazar et al., 2020,
arXiv:1910.14659). The tokens of a long rare word then give each other away: after "hooli" comes
"gan". Masking also the rest of the word to the right of the scored token mends that (Kauf and
Ivanova, 2023, arXiv:2305.10588); for a word alone this is reading it from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int

from albert_lib.errors import InputError, quoted
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.templates import AnyTokenizer
from albert_lib.text.unigram import WORD_START

# What is masked with a scored token: nothing else, its word, all scored positions of the text.
MaskUnit = Literal["token", "word", "positions"]
Text = str | Sequence[int]
MAX_SEQUENCES = 8192  # masked sequences made at a time, to bound the memory


@dataclass(frozen=True)
class TokenScores:
    """The log-probabilities of some tokens of one text, in nats.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing import TokenScores
        >>> scores = TokenScores([2, 7, 9, 3], ["▁a", "▁b"], np.array([1, 2]), np.array([-1.0, -3]))
        >>> scores.total, scores.mean
        (-4.0, -2.0)
    """

    input_ids: list[int]  # of the whole text, [CLS] and [SEP] included
    tokens: list[str]  # those that were scored
    positions: Int[np.ndarray, "scored"]  # of those in input_ids
    log_probabilities: Float[np.ndarray, "scored"]

    @property
    def total(self) -> float:
        """Their sum: the pseudo-log-likelihood; 0 where nothing was scored."""
        return float(self.log_probabilities.sum())

    @property
    def mean(self) -> float:
        """Their mean, for texts of different lengths; NaN where nothing was scored."""
        return self.total / len(self.tokens) if self.tokens else float("nan")


def pseudo_log_likelihood(
    fill_mask: FillMask,
    texts: Sequence[Text],
    positions: Sequence[Sequence[int] | None] | None = None,
    *,
    mask_unit: MaskUnit = "token",
    left_to_right: bool = True,
) -> list[TokenScores]:
    """The log-probability of every token of every text, or of those at `positions`, in nats.

    A text may also be given as ids, [CLS] and [SEP] included. `positions` holds, for each text,
    indices into those ids (0 is [CLS]), or None for all; special tokens are never scored, and a
    [MASK] written into a text stays masked.

    `mask_unit` says what is masked with the scored token: nothing else ("token"); the tokens of
    its word ("word"), a word being what whole-word masking takes for one; all of `positions`
    ("positions"), as for a target of several words. With `left_to_right` only those to its right,
    so that the scores of a word or target sum to its log-probability read in that order;
    without it all of them, so that it is predicted from outside the word alone.

    Raises InputError for a text without tokens or longer than the model's positions, and for
    positions that are outside the text or hold a special token.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, pseudo_log_likelihood
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> good, bad = pseudo_log_likelihood(model, ["The cat sleeps.", "The cat sleep the."])
        >>> good.tokens[:2], len(good.tokens), good.total < 0
        (['▁the', '▁cat'], 5, True)
    """
    encoded = [_encode(fill_mask, text) for text in texts]
    chosen = _chosen(fill_mask.tokenizer, texts, encoded, positions)
    rows = _masked_rows(fill_mask.tokenizer, encoded, chosen, mask_unit, left_to_right)
    found = _log_probabilities(fill_mask, encoded, rows)
    return [
        _token_scores(fill_mask.tokenizer, ids, places, [found[index, place] for place in places])
        for index, (ids, places) in enumerate(zip(encoded, chosen, strict=True))
    ]


def _token_scores(
    tokenizer: AnyTokenizer, ids: list[int], places: list[int], log_probabilities: list[float]
) -> TokenScores:
    return TokenScores(
        input_ids=ids,
        tokens=[tokenizer.id_to_piece(ids[place]) for place in places],
        positions=np.array(places, dtype=np.int64),
        log_probabilities=np.array(log_probabilities, dtype=float),
    )


def shared_positions(
    tokenizer: AnyTokenizer, first: Sequence[int], second: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Where two sequences of ids have the same tokens in the same order, as difflib aligns them.

    Two lists of positions, equally long, without those of special tokens: what CrowS-Pairs
    scores (`get_span` in nyu-mll/crows-pairs, metric.py).

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import shared_positions
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers/english-8k")
        >>> he, she = tokenizer.encode("He is late."), tokenizer.encode("She is late.")
        >>> shared_positions(tokenizer, he, she)
        ([2, 3, 4], [2, 3, 4])
    """
    special = tokenizer.is_special
    pairs = [
        (block.a + offset, block.b + offset)
        for block in SequenceMatcher(None, list(first), list(second)).get_matching_blocks()
        for offset in range(block.size)
        if not special[first[block.a + offset]]
    ]
    return [place for place, _ in pairs], [place for _, place in pairs]


def word_positions(
    tokenizer: AnyTokenizer, left: str, word: str, right: str
) -> tuple[list[int], list[int]]:
    """The ids of left + word + right between [CLS] and [SEP], and where the word's tokens are.

    `word` may be several words. A token that reaches over its edge counts as its own, and so does
    a ▁ that stands alone before it. Raises InputError where no token of it is left.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import word_positions
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers/english-8k")
        >>> ids, positions = word_positions(tokenizer, "She is an ", "electrician", ".")
        >>> [tokenizer.id_to_piece(ids[position]) for position in positions]
        ['▁electric', 'ian']
    """
    text = left + word + right
    ids, offsets = tokenizer.encode_with_offsets(text)
    end = len(tokenizer.normalize(left + word))
    start = end - len(tokenizer.normalize(word))
    alone = [tokenizer.id_to_piece(token) == WORD_START for token in ids]
    places = [
        place
        for place, (first, last) in enumerate(offsets)
        if start < end and first < end and last + alone[place] > start
    ]
    if not places:
        raise InputError(
            f"No token of {quoted(text)} belongs to {word!r}; name a word that is in it."
        )
    whole, n_before = tokenizer.with_special_tokens(ids)
    return whole, [n_before + place for place in places]


def _encode(fill_mask: FillMask, text: Text) -> list[int]:
    tokenizer = fill_mask.tokenizer
    longest = fill_mask.model.config.max_position_embeddings
    ids = tokenizer.encode(text) if isinstance(text, str) else [int(token) for token in text]
    outside = [token for token in ids if not 0 <= token < tokenizer.vocab_size]
    if outside:
        raise InputError(
            f"Id {outside[0]} is not one of the {tokenizer.vocab_size} of this vocabulary; "
            f"encode the text with the model's own tokenizer."
        )
    if len(ids) > longest:
        raise InputError(
            f"{quoted(text)} has {len(ids)} tokens with [CLS] and [SEP], but the model knows "
            f"{longest} positions; shorten it."
        )
    if tokenizer.is_special[ids].all():
        raise InputError(f"{quoted(text)} has no token to score; give a text of at least one word.")
    return ids


def _chosen(
    tokenizer: AnyTokenizer,
    texts: Sequence[Text],
    encoded: Sequence[list[int]],
    positions: Sequence[Sequence[int] | None] | None,
) -> list[list[int]]:
    """The positions to score in every text, checked."""
    asked = [None] * len(texts) if positions is None else list(positions)
    if len(asked) != len(texts):
        raise InputError(
            f"There are positions for {len(asked)} texts, but {len(texts)} texts; give each text "
            f"its own, or None for all of its tokens."
        )
    chosen = []
    for text, ids, places in zip(texts, encoded, asked, strict=True):
        special = tokenizer.is_special[ids]
        if places is None:
            chosen.append(np.flatnonzero(~special).tolist())
            continue
        for place in places:
            if not 0 <= place < len(ids) or special[place]:
                what = tokenizer.id_to_piece(ids[place]) if 0 <= place < len(ids) else "nothing"
                raise InputError(
                    f"Position {place} of {quoted(text)} holds {what}; choose positions of "
                    f"ordinary tokens among its {len(ids)}, [CLS] being 0."
                )
        chosen.append([int(place) for place in places])
    return chosen


def _masked_rows(
    tokenizer: AnyTokenizer,
    encoded: Sequence[list[int]],
    chosen: Sequence[list[int]],
    mask_unit: MaskUnit,
    left_to_right: bool,
) -> list[tuple[int, list[int], list[int]]]:
    """A row for each sequence to run: the text's index, what to mask, and what to score."""
    return [
        (index, masked, scored)
        for index, (ids, places) in enumerate(zip(encoded, chosen, strict=True))
        for masked, scored in _maskings(tokenizer, ids, places, mask_unit, left_to_right)
    ]


def _maskings(
    tokenizer: AnyTokenizer,
    ids: list[int],
    places: list[int],
    mask_unit: MaskUnit,
    left_to_right: bool,
) -> list[tuple[list[int], list[int]]]:
    """What to mask, and what to score then: a pair of position lists for each set to mask."""
    group = _groups(tokenizer, ids, places, mask_unit)
    special = tokenizer.is_special[ids]
    maskings: dict[tuple[int, ...], list[int]] = {}
    for place in places:
        masked = (group == group[place]) & ~special
        if left_to_right:
            masked[:place] = False
        maskings.setdefault(tuple(np.flatnonzero(masked).tolist()), []).append(place)
    return [(list(masked), scored) for masked, scored in maskings.items()]


def _groups(
    tokenizer: AnyTokenizer, ids: list[int], places: list[int], mask_unit: MaskUnit
) -> Int[np.ndarray, "seq"]:
    """A number for every token, the same for those that are masked together."""
    if mask_unit == "token":
        return np.arange(len(ids))
    if mask_unit == "word":
        return tokenizer.word_numbers(ids)
    if mask_unit == "positions":
        return np.isin(np.arange(len(ids)), places).astype(np.int64)
    raise InputError(f"mask_unit={mask_unit!r} is unknown; choose from token, word, positions.")


def _log_probabilities(
    fill_mask: FillMask,
    encoded: Sequence[list[int]],
    rows: Sequence[tuple[int, list[int], list[int]]],
) -> dict[tuple[int, int], float]:
    """The log-probability of the token at each (text, position), from all maskings."""
    found: dict[tuple[int, int], float] = {}
    fill_mask.expect_sequences(len(rows))
    for start in range(0, len(rows), MAX_SEQUENCES):
        some = rows[start : start + MAX_SEQUENCES]
        sequences = []
        for index, masked, _ in some:
            ids = torch.tensor(encoded[index])
            ids[masked] = fill_mask.tokenizer.mask_token_id
            sequences.append(ids)
        scored = [torch.tensor(places) for _, _, places in some]
        for row, logits in fill_mask.logits_at(sequences, scored):
            index, _, places = some[row]
            true_tokens = torch.tensor([encoded[index][place] for place in places])
            values = logits.log_softmax(dim=-1).gather(1, true_tokens[:, None]).squeeze(1)
            found.update(zip([(index, place) for place in places], values.tolist(), strict=True))
    return found
