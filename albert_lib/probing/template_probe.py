"""Probing a model with templates: a value for every template, their mean, its interval.

The values are log-probability gaps as the fill-mask examples of the model card suggest them.
They are not corrected for how likely the person words themselves are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from albert_lib.errors import InputError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import Interval, mean_interval
from albert_lib.probing.log_odds import log_odds, log_probability_gap
from albert_lib.probing.templates import write_person
from albert_lib.probing.words import word_id


@dataclass(frozen=True)
class ProbeRow:
    """One measured quantity: its value in every template (nats), and their mean's interval."""

    label: str
    values: Float[np.ndarray, "templates"]
    interval: Interval


def probe(
    fill_mask: FillMask,
    templates: Sequence[str],
    fills: Sequence[str],
    persons: tuple[str, str] = ("man", "woman"),
    confidence: float = 0.95,
) -> list[ProbeRow]:
    """How much likelier each fill is beside the first person than beside the second.

    Each template holds {person} and one [MASK]. A value is log P(fill | first person) −
    log P(fill | second person); a row's label is its fill. The intervals are each on their
    own: of 20 rows in which nothing is going on, one will exclude 0 at 95 %. Raises InputError
    for a person or fill that is not one piece, since its number of pieces would be measured too.
    """
    tokens = [word_id(fill_mask.tokenizer, fill) for fill in fills]
    first, second = (_person_logits(fill_mask, templates, person) for person in persons)
    return [
        _row(fill, log_probability_gap(first, second, token), confidence)
        for fill, token in zip(fills, tokens, strict=True)
    ]


def probe_log_odds(
    fill_mask: FillMask, texts: Sequence[str], fills: tuple[str, str], confidence: float = 0.95
) -> ProbeRow:
    """How much likelier the first fill is than the second, text by text: log P(a) − log P(b).

    Each text holds one [MASK]. How frequent the two words are is part of the answer; compare
    with other contexts (`contrast`) before reading anything into it.
    """
    token_a, token_b = (word_id(fill_mask.tokenizer, fill) for fill in fills)
    values = log_odds(_logits(fill_mask, texts), token_a, token_b)
    return _row(f"{fills[0]} : {fills[1]}", values, confidence)


def contrast(row_a: ProbeRow, row_b: ProbeRow) -> ProbeRow:
    """One row less another, template by template.

    Of two fills' rows from one `probe`, this is the gap of their log-odds between the persons:
    whatever a person does to all fills alike cancels. The differences are paired, so that what
    a template does to both rows cancels as well, and the interval is of the differences.
    """
    if row_a.values.shape != row_b.values.shape:
        raise InputError(
            f"{row_a.label!r} has {len(row_a.values)} templates and {row_b.label!r} "
            f"{len(row_b.values)}; contrast rows of the same templates."
        )
    values = row_a.values - row_b.values
    interval = mean_interval(values, row_a.interval.confidence)
    return ProbeRow(f"{row_a.label} − {row_b.label}", values, interval)


def _person_logits(
    fill_mask: FillMask, templates: Sequence[str], person: str
) -> Float[Tensor, "templates vocab"]:
    word_id(fill_mask.tokenizer, person)
    return _logits(fill_mask, write_person(templates, person))


def _logits(fill_mask: FillMask, texts: Sequence[str]) -> Float[Tensor, "templates vocab"]:
    rows = fill_mask.masked_logits(texts)
    if not rows:
        raise InputError("There are no templates to probe with; give at least one.")
    for text, row in zip(texts, rows, strict=True):
        if len(row) != 1:
            raise InputError(f"{text!r} has {len(row)} [MASK]s; a probe needs exactly one.")
    return torch.cat(rows)


def _row(label: str, values: Float[Tensor, "templates"], confidence: float) -> ProbeRow:
    array = values.double().numpy()
    return ProbeRow(label, array, mean_interval(array, confidence))
