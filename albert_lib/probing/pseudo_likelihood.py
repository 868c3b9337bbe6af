"""Pseudo-log-likelihood: how well a masked model guesses each piece of a text from the others.

A masked model gives no probability of a whole text. The usual stand-in masks one piece at a
time, all others visible, and adds up the log-probabilities (Salazar et al., 2020,
arXiv:1910.14659). The pieces of a long rare word then give each other away: after "hooli" comes
"gan". Masking also the rest of the word to the right of the scored piece mends that (Kauf and
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
from albert_lib.text import AlbertTokenizer
from albert_lib.text.unigram import WORD_START

# Which pieces hide together: each its own, those of one word, all that were chosen.
Together = Literal["piece", "word", "chosen"]
Text = str | Sequence[int]
ROWS = 8192  # readings made at a time, to bound the memory


@dataclass(frozen=True)
class TokenScores:
    """The log-probabilities of some pieces of one text, in nats."""

    input_ids: list[int]  # of the whole text, [CLS] and [SEP] included
    pieces: list[str]  # those that were scored
    positions: Int[np.ndarray, "scored"]  # of those in input_ids
    log_probabilities: Float[np.ndarray, "scored"]

    @property
    def total(self) -> float:
        """Their sum: the pseudo-log-likelihood; 0 where nothing was scored."""
        return float(self.log_probabilities.sum())

    @property
    def mean(self) -> float:
        """Their mean, for texts of different lengths; NaN where nothing was scored."""
        return self.total / len(self.pieces) if self.pieces else float("nan")


def pseudo_log_likelihood(
    fill_mask: FillMask,
    texts: Sequence[Text],
    positions: Sequence[Sequence[int] | None] | None = None,
    *,
    together: Together = "piece",
    left_to_right: bool = True,
) -> list[TokenScores]:
    """The log-probability of every piece of every text, or of those at `positions`.

    A text may also be given as ids, [CLS] and [SEP] included. `positions` holds, for each text,
    places in those ids (0 is [CLS]), or None for all; special pieces are never scored, and a
    [MASK] written into a text stays masked.

    `together` says what is masked besides the scored piece: nothing ("piece"); the pieces of
    its word ("word"), a word being what whole-word masking takes for one; all chosen pieces
    ("chosen"), as for a target of several words. With `left_to_right` only those to its right,
    so that the scores of a word or target add up to its log-probability read in that order;
    without it all of them, so that it is guessed from outside the word alone.

    Raises InputError for a text without pieces or longer than the model's positions, and for
    positions that are not there or hold a special piece.
    """
    encoded = [_encode(fill_mask, text) for text in texts]
    chosen = _chosen(fill_mask.tokenizer, texts, encoded, positions)
    rows = [
        (index, hidden, scored)
        for index, (ids, places) in enumerate(zip(encoded, chosen, strict=True))
        for hidden, scored in _readings(fill_mask.tokenizer, ids, places, together, left_to_right)
    ]
    found = _log_probabilities(fill_mask, encoded, rows)
    return [
        TokenScores(
            input_ids=ids,
            pieces=[fill_mask.tokenizer.id_to_piece(ids[place]) for place in places],
            positions=np.array(places, dtype=np.int64),
            log_probabilities=np.array([found[index, place] for place in places], dtype=float),
        )
        for index, (ids, places) in enumerate(zip(encoded, chosen, strict=True))
    ]


def shared_positions(
    tokenizer: AlbertTokenizer, first: Sequence[int], second: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Where two sequences of ids have the same pieces in the same order, as difflib aligns them.

    Two lists of positions, equally long, without those of special pieces: what CrowS-Pairs
    scores (`get_span` in nyu-mll/crows-pairs, metric.py).
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
    tokenizer: AlbertTokenizer, left: str, word: str, right: str
) -> tuple[list[int], list[int]]:
    """The ids of left + word + right between [CLS] and [SEP], and where the word's pieces are.

    `word` may be several words. A piece that reaches over its edge counts as its own, and so does
    a ▁ that stands alone before it, as part of ▁lawyer does before a word of one piece. Raises
    InputError where no piece is left of it.
    """
    text = left + word + right
    ids, offsets = tokenizer.encode_with_offsets(text)
    end = len(tokenizer.normalize(left + word))
    start = end - len(tokenizer.normalize(word))
    alone = [tokenizer.id_to_piece(piece) == WORD_START for piece in ids]
    places = [
        place + 1  # after [CLS]
        for place, (first, last) in enumerate(offsets)
        if start < end and first < end and last + alone[place] > start
    ]
    if not places:
        raise InputError(
            f"No piece of {quoted(text)} belongs to {word!r}; name a word that is in it."
        )
    return [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id], places


def _encode(fill_mask: FillMask, text: Text) -> list[int]:
    tokenizer = fill_mask.tokenizer
    longest = fill_mask.model.config.max_position_embeddings
    ids = tokenizer.encode(text) if isinstance(text, str) else [int(piece) for piece in text]
    outside = [piece for piece in ids if not 0 <= piece < tokenizer.vocab_size]
    if outside:
        raise InputError(
            f"Id {outside[0]} is not one of the {tokenizer.vocab_size} of this vocabulary; "
            f"encode the text with the model's own tokenizer."
        )
    if len(ids) > longest:
        raise InputError(
            f"{quoted(text)} has {len(ids)} pieces with [CLS] and [SEP], but the model knows "
            f"{longest} positions; shorten it."
        )
    if tokenizer.is_special[ids].all():
        raise InputError(f"{quoted(text)} has no piece to score; give a text of at least one word.")
    return ids


def _chosen(
    tokenizer: AlbertTokenizer,
    texts: Sequence[Text],
    encoded: Sequence[list[int]],
    positions: Sequence[Sequence[int] | None] | None,
) -> list[list[int]]:
    """The places to score in every text, checked."""
    asked = [None] * len(texts) if positions is None else list(positions)
    if len(asked) != len(texts):
        raise InputError(
            f"There are positions for {len(asked)} texts, but {len(texts)} texts; give each text "
            f"its own, or None for all of its pieces."
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
                    f"ordinary pieces among its {len(ids)}, [CLS] being 0."
                )
        chosen.append([int(place) for place in places])
    return chosen


def _readings(
    tokenizer: AlbertTokenizer,
    ids: list[int],
    places: list[int],
    together: Together,
    left_to_right: bool,
) -> list[tuple[list[int], list[int]]]:
    """What to mask, and what to score then: one reading of the text for each set to mask."""
    group = _groups(tokenizer, ids, places, together)
    special = tokenizer.is_special[ids]
    readings: dict[tuple[int, ...], list[int]] = {}
    for place in places:
        hidden = (group == group[place]) & ~special
        if left_to_right:
            hidden[:place] = False
        readings.setdefault(tuple(np.flatnonzero(hidden).tolist()), []).append(place)
    return [(list(hidden), scored) for hidden, scored in readings.items()]


def _groups(
    tokenizer: AlbertTokenizer, ids: list[int], places: list[int], together: Together
) -> Int[np.ndarray, "seq"]:
    """A number for every piece, the same for those that hide together."""
    if together == "piece":
        return np.arange(len(ids))
    if together == "word":
        return np.cumsum(tokenizer.is_word_start[ids] | tokenizer.is_special[ids])
    if together == "chosen":
        return np.isin(np.arange(len(ids)), places).astype(np.int64)
    raise InputError(f"together={together!r} is unknown; choose from piece, word, chosen.")


def _log_probabilities(
    fill_mask: FillMask,
    encoded: Sequence[list[int]],
    rows: Sequence[tuple[int, list[int], list[int]]],
) -> dict[tuple[int, int], float]:
    """The log-probability of the piece at each (text, place), from all readings together."""
    found: dict[tuple[int, int], float] = {}
    fill_mask.announce(len(rows))
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        sequences = []
        for index, hidden, _ in some:
            ids = torch.tensor(encoded[index])
            ids[hidden] = fill_mask.tokenizer.mask_token_id
            sequences.append(ids)
        scored = [torch.tensor(places) for _, _, places in some]
        for row, logits in fill_mask.logits_at(sequences, scored):
            index, _, places = some[row]
            true_pieces = torch.tensor([encoded[index][place] for place in places])
            values = logits.log_softmax(dim=-1).gather(1, true_pieces[:, None]).squeeze(1)
            found.update(zip([(index, place) for place in places], values.tolist(), strict=True))
    return found
