"""Calibration trials in a file: training dozens of models takes minutes, loading them none.

The file is JSON: the command that made it, and for every model what each probe measured in each
template. Everything else is computed from these, as from models that were just trained. The
file's keys "with_twins", "remarks" and "readings" are those of the first version's files; where
"family" is missing, it is ALBERT.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from albert_lib.errors import InputError
from albert_lib.experiments.family_models import FAMILY_STEPS, Family
from albert_lib.experiments.town_questions import PROBES, SENTENCE_PROBES, Rows
from albert_lib.experiments.town_trials import ProbedModel, TownTrial
from albert_lib.files import read_json, write_json
from albert_lib.probing.template_probe import ProbeRow

DECIMALS = 4  # of a nat: what is measured at bias 0 may be thousandths


def save_trials(path: str | os.PathLike[str], probed: Sequence[ProbedModel], command: str) -> None:
    """Write the results of `run_trials`, and the command that reproduces them."""
    write_json(path, {"command": command, "models": [_row(each) for each in probed]})


def load_trials(path: str | os.PathLike[str]) -> tuple[list[ProbedModel], str]:
    """Read what `save_trials` wrote: the models' results, and the command that made them.

    Raises InputError for a file that is missing or was written otherwise.

    Example:
        >>> from albert_lib.experiments.stored_trials import load_trials
        >>> from albert_lib.files import data_folder
        >>> models, command = load_trials(data_folder() / "town" / "calibration.json")
        >>> command.startswith("python -m benchmarks.town"), len(models) > 8
        (True, True)
    """
    content = read_json(path, InputError)
    try:
        return [_probed(row) for row in content["models"]], str(content["command"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{path} does not hold trials as `save_trials` writes them; restore it, or make it "
            f"again with `python -m benchmarks.town`."
        ) from None


def _row(probed: ProbedModel) -> dict[str, Any]:
    trial = probed.trial
    return {
        "bias": trial.bias,
        "seed": trial.seed,
        "steps": trial.steps,
        "with_twins": trial.with_counterfactuals,
        "remarks": trial.remark_probability,
        "family": trial.family,
        "mlm_loss": round(probed.mlm_loss, 4),
        # a line a title: a number a line would make thousands of lines of them
        "readings": {
            name: {row.label: " ".join(map(_short, row.values)) for row in rows}
            for name, rows in probed.results.items()
        },
    }


def _short(value: float) -> str:
    return f"{round(float(value), DECIMALS) + 0.0:g}"


def _probed(row: Mapping[str, Any]) -> ProbedModel:
    trial = TownTrial(
        float(row["bias"]),
        int(row["seed"]),
        int(row["steps"]),
        bool(row["with_twins"]),
        float(row["remarks"]),
        _family(row.get("family", "albert")),
    )
    probes = PROBES if trial.family == "albert" else tuple(SENTENCE_PROBES)
    results = {name: _rows(row["readings"][name]) for name in probes}
    return ProbedModel(trial, results, float(row["mlm_loss"]))


def _family(name: Any) -> Family:
    if name not in FAMILY_STEPS:
        raise ValueError
    found: Family = name
    return found


def _rows(by_title: Mapping[str, str]) -> Rows:
    values = {title: np.array(text.split(), dtype=np.float64) for title, text in by_title.items()}
    return [ProbeRow.of(title, each) for title, each in values.items()]
