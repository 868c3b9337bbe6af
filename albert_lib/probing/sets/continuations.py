"""How likely a masked model finds a text after another: the log-probability of what follows.

The sets that ask this were made for models that read from left to right. A masked model reads both
at once; each token of what follows is masked alone, everything else stays visible, and their
log-probabilities are added up. So does minicons' `conditional_score`, by which COMPS' authors
score masked models, and the BabyLM challenge for EWoK.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from albert_lib.errors import InputError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.pseudo_likelihood import MaskUnit, pseudo_log_likelihood, word_positions
from albert_lib.probing.sets.base import why_not

Item = TypeVar("Item")
TOKENLESS = "whose continuation has no token"
Continuation = tuple[str, str]  # what is given, and what follows after a space


def score_continuations(
    fill_mask: FillMask,
    items: Sequence[Item],
    continuations: Callable[[Item], Sequence[Continuation]],
    mask_unit: MaskUnit = "token",
) -> tuple[list[tuple[Item, list[float]]], dict[str, int]]:
    """Items with the score of each of their continuations, in nats, and the others, by reason.

    Raises InputError where none can be scored.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> scored, dropped = score_continuations(
        ...     model, ["one"], lambda item: [("A bird", "can fly."), ("A stone", "can fly.")])
        >>> scored[0][0], len(scored[0][1]), max(scored[0][1]) < 0, dropped
        ('one', 2, True, {})
    """
    dropped: Counter[str] = Counter()
    fitting, texts, places = [], [], []
    for item in items:
        encoded = _encoded(fill_mask, continuations(item))
        if isinstance(encoded, str):
            dropped[f"item {encoded}"] += 1
            continue
        fitting.append((item, len(encoded)))
        texts += [ids for ids, _ in encoded]
        places += [positions for _, positions in encoded]
    if not fitting:
        raise InputError(
            f"None of {len(items)} items can be scored: they are too long for the model, or its "
            f"vocabulary cannot write them; give items, or a model that reads them."
        )
    totals = iter(pseudo_log_likelihood(fill_mask, texts, places, mask_unit=mask_unit))
    scored = [(item, [next(totals).total for _ in range(n)]) for item, n in fitting]
    return scored, dict(dropped)


def _encoded(
    fill_mask: FillMask, continuations: Sequence[Continuation]
) -> list[tuple[list[int], list[int]]] | str:
    """The ids of each text and where what follows stands in them; or why one has no score."""
    try:
        encoded = [
            word_positions(fill_mask.tokenizer, f"{given} ", following, "")
            for given, following in continuations
        ]
    except InputError:
        return TOKENLESS
    reasons = (why_not(fill_mask, ids) for ids, _ in encoded)
    return next(filter(None, reasons), None) or encoded
