"""Calibration from readings made by hand, and the file that trials are stored in."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from albert_lib.errors import InputError
from albert_lib.experiments.calibration import (
    Calibration,
    agreement,
    calibrate,
    points,
    true_gaps,
)
from albert_lib.experiments.stored_trials import load_trials, save_trials
from albert_lib.experiments.town_questions import ASSOCIATION, PROBES
from albert_lib.experiments.town_trials import FEW_REMARKS, ProbedModel, TownTrial
from albert_lib.files import data_folder, read_json, write_json
from albert_lib.probing import Interval, ProbeRow, mean_interval
from albert_lib.town.hamlet import load_hamlet

TITLES = load_hamlet().attributes["occupation"].words["title"]


def a_model(bias: float, seed: int, slope: float, wobble: float = 0.1) -> ProbedModel:
    """A model whose probes read `slope` times the truth, in four templates that differ."""
    trial = TownTrial(bias, seed, steps=700)
    read = slope * true_gaps(trial)
    spread = np.array([-1.0, 0.0, 0.5, 0.5]) * wobble
    rows = [
        ProbeRow(title, gap + spread, mean_interval(gap + spread))
        for title, gap in zip(TITLES, read, strict=True)
    ]
    return ProbedModel(trial, dict.fromkeys(PROBES, rows), mlm_loss=0.3 + 0.01 * seed)


def test_a_slope_is_what_is_read_of_a_true_nat() -> None:
    models = [a_model(bias, seed, 0.5) for bias in (0.0, 1.0) for seed in range(3)]
    found = calibrate(models, PROBES[0])
    assert found.slope.mean == pytest.approx(0.5)
    assert (found.slope.low, found.slope.high) == pytest.approx((0.5, 0.5))
    assert found.correlation == pytest.approx(1.0)
    assert found.false_positive_rate == 0.0


def test_a_slopes_interval_is_about_seeds() -> None:
    models = [a_model(1.0, seed, slope) for seed, slope in enumerate((0.4, 0.6, 0.8))]
    found = calibrate(models, PROBES[0])
    assert found.slope.mean == pytest.approx(0.6)
    expected = mean_interval([0.4, 0.6, 0.8])
    assert (found.slope.low, found.slope.high) == pytest.approx((expected.low, expected.high))
    assert math.isnan(found.false_positive_rate)  # nothing was asked where there is nothing to find
    alone = calibrate(models[:1], PROBES[0])
    assert math.isinf(alone.slope.high)


@pytest.mark.parametrize(
    ("low", "high", "alarms", "verdict"),
    [
        (0.8, 1.1, 0.05, "reads true"),
        (0.85, 0.95, 0.05, "reads true"),
        (0.7, 1.1, 0.05, "may read true: too few seeds to tell"),
        (0.9, 1.3, 0.05, "may read true: too few seeds to tell"),
        (0.3, 0.9, 0.0, "under-reads"),
        (1.1, 1.3, 0.0, "over-reads"),
        (0.3, 0.9, 0.4, "under-reads, too many false positives"),
        (-math.inf, math.inf, 0.0, "one seed gives no verdict"),
        (0.9, 1.1, math.nan, "reads true, false positives not measured"),
    ],
)
def test_a_verdict_follows_from_slope_and_alarms(
    low: float, high: float, alarms: float, verdict: str
) -> None:
    slope = Interval((low + high) / 2, low, high, 0.95, 3)
    assert Calibration(PROBES[0], slope, 0.9, alarms).verdict == verdict
    assert Calibration(ASSOCIATION, slope, 0.9, 0.0).verdict == "not in nats"


def test_with_counterfactuals_the_truth_is_zero() -> None:
    assert np.allclose(true_gaps(TownTrial(1.0, 0, 700, with_counterfactuals=True)), 0.0)
    assert true_gaps(TownTrial(1.0, 0, 700)).max() == pytest.approx(3.0)


def test_probes_that_say_one_thing_agree_and_a_silent_one_with_none() -> None:
    model = a_model(1.0, 0, 1.0)
    silent = [ProbeRow(t, np.zeros(4), mean_interval(np.zeros(4))) for t in TITLES]
    opposite = [
        ProbeRow(row.label, -row.values, mean_interval(-row.values))
        for row in model.results[PROBES[0]]
    ]
    matrix = agreement(model.results | {"lists of five": silent, ASSOCIATION: opposite})
    assert matrix[0, 1] == pytest.approx(1.0)
    assert matrix[0, 4] == pytest.approx(-1.0)
    assert np.isnan(matrix[3]).all() and np.isnan(matrix[:, 3]).all()


def test_trials_come_back_as_they_were_stored(tmp_path: Path) -> None:
    models = [a_model(bias, seed, 0.9) for bias in (0.0, 1.0) for seed in range(2)]
    redundant = replace(models[0].trial, remark_probability=FEW_REMARKS, with_counterfactuals=True)
    models.append(replace(models[0], trial=redundant))
    save_trials(tmp_path / "trials.json", models, "python -m benchmarks.town")
    back, command = load_trials(tmp_path / "trials.json")
    assert command == "python -m benchmarks.town"
    assert [each.trial for each in back] == [each.trial for each in models]
    assert [each.mlm_loss for each in back] == [each.mlm_loss for each in models]
    for name in PROBES:
        before, after = points(models, name), points(back, name)
        assert np.allclose(before.measured, after.measured, atol=1e-4)
        assert (before.excludes_zero == after.excludes_zero).all()


@pytest.mark.parametrize("spoilt", ["command", "models", "readings", "lists of five"])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "trials.json"
    save_trials(path, [a_model(1.0, 0, 1.0)], "a command")
    content = read_json(path)
    row = content["models"][0]
    for part in (content, row, row["readings"]):
        part.pop(spoilt, None)
    write_json(path, content)
    with pytest.raises(InputError, match=r"trials\.json does not hold trials"):
        load_trials(path)


def test_the_trials_that_come_with_the_workbook_are_whole() -> None:
    models, command = load_trials(data_folder() / "town" / "calibration.json")
    biases = {each.trial.bias for each in models if not each.trial.with_counterfactuals}
    assert command and {0.0, 1.0} <= biases
    assert any(each.trial.with_counterfactuals for each in models)
    assert any(each.trial.remark_probability == FEW_REMARKS for each in models)
    for each in models:
        for rows in each.results.values():
            assert [row.label for row in rows] == list(TITLES)
