"""What a model gives single pieces behind [MASK], for thousands of texts in little memory.

A row of logits over 30,000 pieces takes 120 kB, so a published set would fill a machine if its
rows were kept. Here a row lives for one batch and leaves one number behind.

[MASK] is put in place of ids, not written into text: behind "baker" a full stop is the piece ".",
which training saw, while "[MASK]." as text would be cut into [MASK], "▁" and ".".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float

from albert_lib.errors import InputError
from albert_lib.probing.fill_mask import FillMask

Item = TypeVar("Item")


@dataclass(frozen=True)
class Gap:
    """A question: how likely is this piece behind the first [MASK] of this text?"""

    ids: tuple[int, ...]  # of the whole text, [CLS] and [SEP] included
    piece: int


def gap_log_probabilities(fill_mask: FillMask, gaps: Sequence[Gap]) -> Float[np.ndarray, "gaps"]:
    """The log-probability of every gap's piece in its text, in nats.

    A text that is asked about several pieces goes through the model once. Every text must hold
    a [MASK] and fit into the model's positions (`fits`).
    """
    asked: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, gap in enumerate(gaps):
        asked[gap.ids].append(number)
    texts = [torch.tensor(ids) for ids in asked]
    mask = fill_mask.tokenizer.mask_token_id
    first = [(ids == mask).nonzero().squeeze(1)[:1] for ids in texts]
    questions = list(asked.values())
    answers = np.empty(len(gaps))
    for index, logits in fill_mask.logits_at(texts, first):
        log_probabilities = logits[0].double().log_softmax(dim=-1)
        for number in questions[index]:
            answers[number] = float(log_probabilities[gaps[number].piece])
    return answers


def ask_pairs(
    fill_mask: FillMask, items: Sequence[Item], gaps_of: Callable[[FillMask, Item], list[Gap]]
) -> tuple[list[Item], Float[np.ndarray, "kept 2 2"], dict[str, int]]:
    """Ask the four gaps of every item: those kept, their answers, and why others were dropped.

    `gaps_of` raises InputError, saying why, for an item that cannot be asked.
    """
    dropped: Counter[str] = Counter()
    kept: list[Item] = []
    gaps: list[Gap] = []
    for item in items:
        try:
            gaps += gaps_of(fill_mask, item)
            kept.append(item)
        except InputError as reason:
            dropped[str(reason)] += 1
    return kept, gap_log_probabilities(fill_mask, gaps).reshape(-1, 2, 2), dict(dropped)


def fits(fill_mask: FillMask, ids: Sequence[int]) -> bool:
    """Whether a text is no longer than the model has positions."""
    return len(ids) <= fill_mask.model.config.max_position_embeddings
