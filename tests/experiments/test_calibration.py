"""Calibration: the questions, the truth, and what is made of readings with a known slope."""

from __future__ import annotations

import numpy as np
import pytest

from albert_lib.experiments.calibration import calibrate, calibration_slope, true_gaps
from albert_lib.experiments.town_questions import PROBES, name_pairs, title_templates
from albert_lib.experiments.town_trials import ProbedModel, TownTrial, run_trial
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.template_probe import ProbeRow
from albert_lib.probing.templates import MASK, PERSON
from albert_lib.town import Town, load_world
from albert_lib.town.hamlet import load_hamlet

TITLES = load_hamlet().attributes["occupation"].words["title"]


def test_templates_are_sentences_of_the_town_that_name_nothing_but_the_title():
    world = load_hamlet()
    templates = title_templates(world)
    assert len(templates) >= 8
    others = {
        word
        for attribute in world.attributes.values()
        for words in attribute.words.values()
        for word in words
    }
    for template in templates:
        assert template.count(PERSON) == template.count(MASK) == 1
        assert not others & set(template.replace(".", " ").replace(",", " ").split())
        assert not {"he", "she", "his", "her", "him"} & set(template.split())


def test_pairs_are_a_man_and_a_woman():
    world = load_world()
    for man, woman in name_pairs(world):
        assert man in world.names[1]
        assert woman in world.names[0]


def test_the_truth_is_the_dials_and_counterfactuals_take_it_away():
    np.testing.assert_allclose(true_gaps(TownTrial(0.5, 0, 1)), Town(0.5).gaps())
    assert np.abs(true_gaps(TownTrial(1.0, 0, 1))).max() > 1
    assert (true_gaps(TownTrial(1.0, 0, 1, with_counterfactuals=True)) == 0).all()


def made_up(slope: float, noise: float, bias: float, seed: int) -> ProbedModel:
    rng = np.random.default_rng((seed, int(100 * bias)))
    trial = TownTrial(bias, seed, 1)
    values = slope * true_gaps(trial)[:, None] + noise * rng.normal(size=(len(TITLES), 8))
    rows = [ProbeRow(t, v, mean_interval(v)) for t, v in zip(TITLES, values, strict=True)]
    return ProbedModel(trial, {"made up": rows}, 1.0)


@pytest.mark.parametrize("slope", [1.0, 0.4, 0.0])
def test_a_known_slope_is_found(slope):
    probed = [made_up(slope, 0.3, bias, seed) for bias in (0.0, 0.5, 1.0) for seed in range(6)]
    found = calibrate(probed, "made up")
    assert found.slope.mean == pytest.approx(slope, abs=0.05)
    assert found.slope.low - 0.03 < slope < found.slope.high + 0.03
    assert (found.correlation > 0.9) == (slope > 0)
    # 95 % intervals around readings of nothing: one in twenty leaves out 0
    assert found.false_positive_rate < 0.2


def test_a_model_is_trained_and_asked_in_every_way():
    probed = run_trial(TownTrial(1.0, 0, 3))
    assert tuple(probed.results) == PROBES
    for rows in probed.results.values():
        assert tuple(row.label for row in rows) == TITLES
        assert np.isfinite([row.interval.mean for row in rows]).all()
    assert 0 < probed.mlm_loss < 10


def test_slope_is_that_of_all_points_and_blind_to_a_shift():
    rng = np.random.default_rng(2)
    truth, noise = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    measured = 0.4 * truth + noise + 7.0
    assert calibration_slope(truth, measured) == pytest.approx(
        np.polyfit(truth.ravel(), measured.ravel(), 1)[0]
    )
