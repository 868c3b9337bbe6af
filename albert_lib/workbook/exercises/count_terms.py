"""Of which terms a wrong number of parameters has too many or too few, measured on many models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.workbook.exercise import Symptom, Trial

WHOLE = 1e-4  # how near to a whole or half number a coefficient has to come

Term = Callable[[AlbertConfig], float]
AROUND: dict[str, Term] = {
    "V·E": lambda c: c.vocab_size * c.embedding_size,
    "P·E": lambda c: c.max_position_embeddings * c.embedding_size,
    "T·E": lambda c: c.type_vocab_size * c.embedding_size,
    "V·H": lambda c: c.vocab_size * c.hidden_size,
    "P·H": lambda c: c.max_position_embeddings * c.hidden_size,
    "T·H": lambda c: c.type_vocab_size * c.hidden_size,
    "V": lambda c: c.vocab_size,
    "P": lambda c: c.max_position_embeddings,
    "T": lambda c: c.type_vocab_size,
    "E·H": lambda c: c.embedding_size * c.hidden_size,
    "H·H": lambda c: c.hidden_size**2,
    "E·E": lambda c: c.embedding_size**2,
    "E": lambda c: c.embedding_size,
    "H": lambda c: c.hidden_size,
    "1": lambda c: 1,
}
INSIDE: dict[str, Term] = {
    "H·H": lambda c: c.hidden_size**2,
    "H·I": lambda c: c.hidden_size * c.intermediate_size,
    "I": lambda c: c.intermediate_size,
    "H": lambda c: c.hidden_size,
}
LAYERS: dict[str, Term] = {
    f"{name} for every {kind} layer": lambda c, term=term, number=number: number(c) * term(c)  # type: ignore[misc]
    for kind, number in (
        ("stored", lambda c: c.num_hidden_groups * c.inner_group_num),
        ("applied", lambda c: c.num_hidden_layers),
    )
    for name, term in INSIDE.items()
}


def surplus(trials: Sequence[Trial], terms: Mapping[str, Term]) -> dict[str, float]:
    """How often each term is counted too much, or too little; empty where these do not explain it.

    Halves and whole numbers alone: a sum of these terms, the same for every model.
    """
    off = np.array([float(each.answer - each.expected) for each in trials])
    table = np.array([[term(each.arguments["self"]) for term in terms.values()] for each in trials])
    scale = table.max(axis=0)
    times = np.linalg.lstsq(table / scale, off, rcond=None)[0] / scale
    rounded = np.round(2 * times) / 2
    if not np.allclose(times, rounded, atol=WHOLE) or not np.allclose(table @ rounded, off):
        return {}
    return {name: float(each) for name, each in zip(terms, rounded, strict=True) if each}


def place(trials: Sequence[Trial]) -> str:
    """The part of the model in which the count is off, by its terms; "" where it isn't plain."""
    found = surplus(trials, AROUND)
    if not found:
        return "layers" if surplus(trials, LAYERS) else ""
    squares = [name for name in ("E·H", "H·H") if name in found]
    if squares:
        return {"E·H": "projection", "H·H": "pooler"}[squares[0]] if len(squares) == 1 else ""
    return "widths" if found.keys() <= {"E", "H", "1"} else "tables"


def lies_in(part: str) -> Symptom:
    """The symptom of a count that is off in this part and right in all others."""
    return lambda trials: place(trials) == part


def with_surplus(sentence: str) -> Callable[[Sequence[Trial]], str]:
    """A message that says first by which terms the count is off."""

    def message(trials: Sequence[Trial]) -> str:
        found = surplus(trials, AROUND) or surplus(trials, LAYERS)
        terms = [
            f"{'plus' if each > 0 else 'less'} {written(abs(each))}{name}"
            for name, each in found.items()
        ]
        return f"For every model your count is the right one {' and '.join(terms)}. {sentence}"

    return message


def written(times: float) -> str:
    """A coefficient as a person writes it."""
    return "" if times == 1 else f"{times:g} · "
