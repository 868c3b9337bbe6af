"""Trained variations in a file, beside the Bayes-optimal scores that they are compared with.

The file is JSON: the command that made it, the ideal reader's scores, and a row a model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from albert_lib.errors import InputError
from albert_lib.experiments.variations import Outcome, Variation
from albert_lib.files import read_json, write_json
from albert_lib.town import Estimate, Floor
from albert_lib.training.evaluation import Evaluation
from albert_lib.training.history import History, Row

DECIMALS = 4  # of losses and accuracies
SCORES = ("mlm_loss", "mlm_accuracy", "sop_loss", "sop_accuracy")


@dataclass(frozen=True, eq=False)
class StoredVariations:
    """What a file of variations holds."""

    outcomes: list[Outcome]
    floor: Floor  # of the held-out SOP pairs
    command: str  # that made them

    def of(self, sharing: str, pair_objective: str) -> list[Outcome]:
        """Return the models of one kind, from every seed."""
        kind = (sharing, pair_objective)
        return [
            each
            for each in self.outcomes
            if (each.variation.sharing, each.variation.pair_objective) == kind
        ]


def save_variations(
    path: str | os.PathLike[str], outcomes: Sequence[Outcome], floor: Floor, command: str
) -> None:
    """Write what `compare` returned, with the floor and the command that makes it again."""
    models = [
        {
            **asdict(each.variation),
            "sop": _rounded(asdict(each.sop)),
            "nsp": _rounded(asdict(each.nsp)),
            "curve": {
                # a line a column, because a line a number would be a thousand lines
                name: " ".join(f"{round(float(v), DECIMALS):g}" for v in each.curve.column(name))
                for name in each.curve.columns()
            },
        }
        for each in outcomes
    ]
    scores = {name: _rounded(value) for name, value in asdict(floor).items()}
    write_json(path, {"command": command, "floor": scores, "models": models})


def load_variations(path: str | os.PathLike[str]) -> StoredVariations:
    """Read what `save_variations` wrote.

    Raises InputError for a file that is missing or holds something else.
    """
    content = read_json(path, InputError)
    try:
        floor = content["floor"]
        scores = {name: Estimate(**floor[name]) for name in SCORES}
        return StoredVariations(
            [_outcome(row) for row in content["models"]],
            Floor(**scores, predictions=int(floor["predictions"]), pairs=int(floor["pairs"])),
            str(content["command"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{path} does not hold variations as `save_variations` writes them; restore it, or "
            f"make it again with `python -m benchmarks.town`."
        ) from None


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, DECIMALS) if isinstance(value, float) else value


def _outcome(row: Mapping[str, Any]) -> Outcome:
    columns = {name: list(map(float, text.split())) for name, text in row["curve"].items()}
    rows: list[Row] = [
        {"step": int(step), **dict(zip(columns, values, strict=True))}
        for step, *values in zip(columns.pop("step"), *columns.values(), strict=True)
    ]
    return Outcome(
        Variation(row["sharing"], row["pair_objective"], int(row["seed"]), int(row["steps"])),
        Evaluation(**row["sop"]),
        Evaluation(**row["nsp"]),
        History(rows),
    )
