"""Trials of calibration in a file: training a score of models takes minutes, reading them none.

The file is JSON: the command that made it, and a row a model with what every probe read in every
template. Everything else is worked out from these, as from models that were trained just now.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from albert_lib.errors import InputError
from albert_lib.experiments.town_questions import PROBES, Rows
from albert_lib.experiments.town_trials import Probed, Trial
from albert_lib.files import read_json, write_json
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.template_probe import ProbeRow

DECIMALS = 4  # of a nat: what is read at dial 0 may be thousandths


def keep_trials(path: str | os.PathLike[str], probed: Sequence[Probed], command: str) -> None:
    """Write what `run_trials` gave, and the command that somebody may run to get it again."""
    write_json(path, {"command": command, "models": [_row(each) for each in probed]})


def kept_trials(path: str | os.PathLike[str]) -> tuple[list[Probed], str]:
    """Read what `keep_trials` wrote: the models' readings, and the command that made them.

    Raises InputError for a file that is missing or was written otherwise.
    """
    content = read_json(path, InputError)
    try:
        return [_probed(row) for row in content["models"]], str(content["command"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{path} does not hold trials as `keep_trials` writes them; restore it, or make it "
            f"again with `python -m benchmarks.town`."
        ) from None


def _row(probed: Probed) -> dict[str, Any]:
    trial = probed.trial
    return {
        "bias": trial.bias,
        "seed": trial.seed,
        "steps": trial.steps,
        "with_twins": trial.with_twins,
        "remarks": trial.remarks,
        "mlm_loss": round(probed.mlm_loss, 4),
        # a line a title: a number a line would make thousands of lines of them
        "readings": {
            name: {row.label: " ".join(map(_short, row.values)) for row in rows}
            for name, rows in probed.readings.items()
        },
    }


def _short(value: float) -> str:
    return f"{round(float(value), DECIMALS) + 0.0:g}"


def _probed(row: Mapping[str, Any]) -> Probed:
    trial = Trial(
        float(row["bias"]),
        int(row["seed"]),
        int(row["steps"]),
        bool(row["with_twins"]),
        float(row["remarks"]),
    )
    readings = {name: _rows(row["readings"][name]) for name in PROBES}
    return Probed(trial, readings, float(row["mlm_loss"]))


def _rows(by_title: Mapping[str, str]) -> Rows:
    values = {title: np.array(text.split(), dtype=np.float64) for title, text in by_title.items()}
    return [ProbeRow(title, each, mean_interval(each)) for title, each in values.items()]
