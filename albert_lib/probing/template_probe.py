"""Probing a model with templates: a value for every template, their mean, its interval.

The values are log-probability gaps as the fill-mask examples of the model card suggest them.
They are not corrected for how likely the person words themselves are.

Everything is in nats, from rows of logits over the vocabulary; a gap of 0.69 (ln 2) means
twice as likely. Leading axes, such as one row per template, are kept.
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
from albert_lib.probing.templates import MASK, PERSON, word_id, write_person


def log_probability_gap(
    logits_a: Float[Tensor, "*templates vocab"],
    logits_b: Float[Tensor, "*templates vocab"],
    token_id: int,
) -> Float[Tensor, "*templates"]:
    """How much likelier one token is in context A than in context B: log P(w|A) − log P(w|B).

    How frequent the token is cancels; what remains is what the contexts do to it.

    Example:
        >>> import torch
        >>> from albert_lib.probing import log_probability_gap
        >>> in_a, in_b = torch.tensor([0.5, 0.5]).log(), torch.tensor([0.25, 0.75]).log()
        >>> round(log_probability_gap(in_a, in_b, 0).item(), 2)  # ln 2
        0.69
    """
    log_probabilities_a = logits_a.log_softmax(dim=-1)  # each context has its own normaliser
    log_probabilities_b = logits_b.log_softmax(dim=-1)
    return log_probabilities_a[..., token_id] - log_probabilities_b[..., token_id]


def log_odds(
    logits: Float[Tensor, "*templates vocab"], token_a: int, token_b: int
) -> Float[Tensor, "*templates"]:
    """How much likelier token a is than token b in the same place: log P(a) − log P(b).

    Both share one normaliser, so logits are enough. How frequent the two words are in the
    language is still in it: a positive value alone says nothing about the context.

    Example:
        >>> import torch
        >>> from albert_lib.probing import log_odds
        >>> log_odds(torch.tensor([2.0, 0.5, -1.0]), 0, 1).item()
        1.5
    """
    return logits[..., token_a] - logits[..., token_b]


def log_odds_gap(
    logits_a: Float[Tensor, "*templates vocab"],
    logits_b: Float[Tensor, "*templates vocab"],
    token_a: int,
    token_b: int,
) -> Float[Tensor, "*templates"]:
    """The log-odds of two tokens in context A minus their log-odds in context B.

    Frequencies cancel, and so does whatever context A does to both tokens alike: only what
    distinguishes them is left.

    Example:
        >>> import torch
        >>> from albert_lib.probing import log_odds_gap
        >>> log_odds_gap(torch.tensor([2.0, 0.5]), torch.tensor([1.0, 0.0]), 0, 1).item()
        0.5
    """
    return log_odds(logits_a, token_a, token_b) - log_odds(logits_b, token_a, token_b)


@dataclass(frozen=True)
class ProbeRow:
    """One measured quantity: its value in every template (nats), and their mean's interval.

    Example:
        >>> from albert_lib.probing import ProbeRow
        >>> row = ProbeRow.of("nurse", [-0.5, -1.5, -1.0])
        >>> row.label, row.interval.mean, row.interval.excludes(0.0)
        ('nurse', -1.0, False)
    """

    label: str
    values: Float[np.ndarray, "templates"]
    interval: Interval

    @classmethod
    def of(
        cls,
        label: str,
        values: Sequence[float] | Float[np.ndarray, "templates"],
        confidence: float = 0.95,
    ) -> ProbeRow:
        """A row with Student's interval of its values' mean.

        Example:
            >>> from albert_lib.probing import ProbeRow
            >>> ProbeRow.of("nurse", [0.5, 1.5]).interval.mean
            1.0
        """
        array = np.asarray(values, dtype=np.float64)
        return cls(label, array, mean_interval(array, confidence))


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
    for a person or fill that is not one token, since its number of tokens would be measured too.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, probe
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> templates = ["The {person} is a [MASK].", "A {person} works as a [MASK]."]
        >>> rows = probe(model, templates, ["nurse", "doctor"], ("man", "woman"))
        >>> [row.label for row in rows], rows[0].values.shape
        (['nurse', 'doctor'], (2,))
    """
    tokens = [_token_ids(fill_mask, templates, fill) for fill in fills]
    first, second = (_person_logits(fill_mask, templates, person) for person in persons)
    rows = []
    for fill, of_template in zip(fills, tokens, strict=True):
        gaps = [
            log_probability_gap(first[place], second[place], token).item()
            for place, token in enumerate(of_template)
        ]
        rows.append(ProbeRow.of(fill, gaps, confidence))
    return rows


def probe_log_odds(
    fill_mask: FillMask, texts: Sequence[str], fills: tuple[str, str], confidence: float = 0.95
) -> ProbeRow:
    """How much likelier the first fill is than the second, text by text: log P(a) − log P(b).

    Each text holds one [MASK]. How frequent the two words are is part of the answer; compare
    with other contexts (`contrast`) before reading anything into it.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, probe_log_odds
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> row = probe_log_odds(model, ["He is a [MASK].", "She is a [MASK]."], ("man", "nurse"))
        >>> row.label, row.values.shape
        ('man : nurse', (2,))
    """
    tokens_a, tokens_b = (_token_ids(fill_mask, texts, fill) for fill in fills)
    logits = _logits(fill_mask, texts)
    values = [
        log_odds(row, token_a, token_b).item()
        for row, token_a, token_b in zip(logits, tokens_a, tokens_b, strict=True)
    ]
    return ProbeRow.of(f"{fills[0]} : {fills[1]}", values, confidence)


def contrast(row_a: ProbeRow, row_b: ProbeRow) -> ProbeRow:
    """One row minus another, template by template.

    Of two fills' rows from one `probe`, this is the gap of their log-odds between the persons:
    whatever a person does to all fills alike cancels. The differences are paired, so that what
    a template does to both rows cancels as well, and the interval is of the differences.
    Raises InputError for rows of different numbers of templates.

    Example:
        >>> from albert_lib.probing import ProbeRow, contrast
        >>> row = contrast(ProbeRow.of("lawyer", [2.0, 3.0]), ProbeRow.of("nurse", [0.5, 1.0]))
        >>> row.label, row.values.tolist()
        ('lawyer − nurse', [1.5, 2.0])
    """
    if row_a.values.shape != row_b.values.shape:
        raise InputError(
            f"{row_a.label!r} has {len(row_a.values)} templates and {row_b.label!r} "
            f"{len(row_b.values)}; contrast rows of the same templates."
        )
    label = f"{row_a.label} − {row_b.label}"
    return ProbeRow.of(label, row_a.values - row_b.values, row_a.interval.confidence)


def _person_logits(
    fill_mask: FillMask, templates: Sequence[str], person: str
) -> Float[Tensor, "templates vocab"]:
    for template in templates:
        word_id(fill_mask.tokenizer, person, before=template.partition(PERSON)[0])
    return _logits(fill_mask, write_person(templates, person))


def _token_ids(fill_mask: FillMask, texts: Sequence[str], fill: str) -> list[int]:
    """The fill's token in the place of every text's [MASK]."""
    return [word_id(fill_mask.tokenizer, fill, before=text.partition(MASK)[0]) for text in texts]


def _logits(fill_mask: FillMask, texts: Sequence[str]) -> Float[Tensor, "templates vocab"]:
    rows = fill_mask.masked_logits(texts)
    if not rows:
        raise InputError("There are no templates to probe with; give at least one.")
    for text, row in zip(texts, rows, strict=True):
        if len(row) != 1:
            raise InputError(f"{text!r} has {len(row)} [MASK]s; a probe needs exactly one.")
    return torch.cat(rows)
