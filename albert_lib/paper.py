"""The published figures as typed rows, to set our own beside.

Every number is as printed in Lan et al. (arXiv 1909.11942v6) or on the albert-xlarge-v1 model
card; `paper_source` says which. Scores and accuracies are in percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, overload

from albert_lib.config import Sharing
from albert_lib.errors import InputError
from albert_lib.files import data_folder, read_json


@dataclass(frozen=True)
class ConfigurationRow:
    """One model of Table 1; parameters in millions."""

    model: str
    parameters_millions: int
    num_hidden_layers: int
    hidden_size: int
    embedding_size: int
    shared: bool


@dataclass(frozen=True)
class DownstreamRow:
    """One fine-tuned model: its five tasks, their average, and training speed where printed.

    The average counts each SQuAD once, as the mean of F1 and exact match. `version` is v1 or v2
    on the card, None in the paper; `speed` is relative to BERT-large (Table 2).
    """

    model: str
    version: str | None
    squad1_f1: float
    squad1_em: float
    squad2_f1: float
    squad2_em: float
    mnli: float
    sst2: float
    race: float
    average: float
    speed: float | None


@dataclass(frozen=True)
class SharingRow:
    """One base-size model of Table 3 or 4: what layers share, E, parameters in millions."""

    sharing: Sharing
    embedding_size: int
    parameters_millions: int
    average: float


@dataclass(frozen=True)
class SentenceLossRow:
    """One pretraining loss on sentence pairs (Table 5), tested on all three tasks."""

    sentence_loss: Literal["none", "nsp", "sop"]
    mlm_accuracy: float
    nsp_accuracy: float
    sop_accuracy: float
    average: float


@dataclass(frozen=True)
class TrainingTimeRow:
    """One model trained for a day and a half (Table 6)."""

    model: str
    steps: int
    hours: int
    average: float


@dataclass(frozen=True)
class DepthRow:
    """One depth at H = 1024 (Table 11)."""

    num_hidden_layers: int
    average: float


@dataclass(frozen=True)
class WidthRow:
    """One width at 3 layers (Table 12)."""

    hidden_size: int
    average: float


@dataclass(frozen=True)
class CardFillRow:
    """One fill that the model card shows: its piece, the piece's id, its probability."""

    prompt: str
    piece: str
    token: int
    score: float


_ROW_TYPES: dict[str, type[Any]] = {
    "table_1": ConfigurationRow,
    "table_2": DownstreamRow,
    "table_3": SharingRow,
    "table_4": SharingRow,
    "table_5": SentenceLossRow,
    "table_6": TrainingTimeRow,
    "table_11": DepthRow,
    "table_12": WidthRow,
    "card_results": DownstreamRow,
    "card_fills": CardFillRow,
}


@overload
def paper_table(name: Literal["table_1"]) -> Sequence[ConfigurationRow]: ...
@overload
def paper_table(name: Literal["table_2", "card_results"]) -> Sequence[DownstreamRow]: ...
@overload
def paper_table(name: Literal["table_3", "table_4"]) -> Sequence[SharingRow]: ...
@overload
def paper_table(name: Literal["table_5"]) -> Sequence[SentenceLossRow]: ...
@overload
def paper_table(name: Literal["table_6"]) -> Sequence[TrainingTimeRow]: ...
@overload
def paper_table(name: Literal["table_11"]) -> Sequence[DepthRow]: ...
@overload
def paper_table(name: Literal["table_12"]) -> Sequence[WidthRow]: ...
@overload
def paper_table(name: Literal["card_fills"]) -> Sequence[CardFillRow]: ...
def paper_table(name: str) -> Sequence[Any]:
    """The rows of a published table, such as "table_2", in the order printed.

    Raises InputError for a table that is not stored.

    Example:
        >>> from albert_lib.paper import paper_table
        >>> [(row.model, row.parameters_millions) for row in paper_table("table_1")][3]
        ('albert-large', 18)
    """
    table = _table(name)
    return [
        _ROW_TYPES[name](**dict(zip(table["columns"], row, strict=True))) for row in table["rows"]
    ]


def paper_source(name: str) -> str:
    """Where a table's numbers come from, for a caption.

    Example:
        >>> from albert_lib.paper import paper_source
        >>> "1909.11942" in paper_source("table_1")
        True
    """
    return str(_table(name)["source"])


def _table(name: str) -> dict[str, Any]:
    if name not in _ROW_TYPES:
        raise InputError(f"{name!r} is not a stored table; choose from {', '.join(_ROW_TYPES)}.")
    table: dict[str, Any] = _tables()[name]
    return table


@cache
def _tables() -> Any:
    return read_json(data_folder() / "paper" / "tables.json", InputError)
