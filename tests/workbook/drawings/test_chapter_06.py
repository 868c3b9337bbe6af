"""What the figures of chapter 6 draw is what was read, and what is true."""

from __future__ import annotations

import numpy as np
import pytest

from albert_lib.experiments.calibration import Calibration
from albert_lib.experiments.town_questions import PROBES
from albert_lib.experiments.town_trials import ProbedModel, TownTrial
from albert_lib.probing import ProbeRow, mean_interval
from albert_lib.probing.intervals import Interval
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet
from albert_lib.workbook.drawings import chapter_06, chapter_06_calibration

HAMLET = load_hamlet()
TITLES = HAMLET.attributes["occupation"].words["title"]
SPREAD = np.array([-0.1, 0.0, 0.1])


def a_model(bias: float) -> ProbedModel:
    gaps = Town(bias, world=HAMLET).gaps()
    rows = [
        ProbeRow(title, gap + SPREAD, mean_interval(gap + SPREAD))
        for title, gap in zip(TITLES, gaps, strict=True)
    ]
    return ProbedModel(TownTrial(bias, 0, 700), dict.fromkeys(PROBES, rows), 0.3)


def test_the_dial_shows_both_genders_and_the_gap_between_them() -> None:
    town = Town(1.0, world=HAMLET)
    left, right = chapter_06_calibration.dial_figure(town).axes
    women, men = ([bar.get_width() for bar in bars] for bars in left.containers)
    assert np.log(np.array(men) / women) == pytest.approx(town.gaps())
    assert right.lines[-1].get_xdata() == pytest.approx(town.gaps())
    assert "librarian +3.00" in chapter_06_calibration.dial_in_words(town)
    assert "-0.00" not in chapter_06_calibration.dial_in_words(Town(0.0, world=HAMLET))


def test_points_stand_at_their_truth_and_are_filled_where_their_interval_leaves_out_zero() -> None:
    figure = chapter_06_calibration.calibration_figure([a_model(0.0), a_model(1.0)])
    panels = figure.axes[: len(PROBES)]
    assert [panel.get_title() for panel in panels] == list(PROBES)
    marks = [line for line in panels[0].lines if line.get_marker() in "o^"]
    assert len(marks) == 2 * len(TITLES)
    for mark in marks:
        place, read = mark.get_xdata()[0], mark.get_ydata()[0]
        assert abs(place - read) < 0.7  # those of one truth stand side by side
        assert (mark.get_markerfacecolor() == "white") == (abs(read) < 0.1)


def test_a_slope_is_drawn_where_it_has_a_unit() -> None:
    found = [Calibration(name, Interval(0.8, 0.7, 0.9, 0.95, 3), 0.9, 0.1) for name in PROBES]
    slopes, correlations, positives = chapter_06_calibration.slopes_figure(found).axes
    drawn = [line.get_xdata()[0] for line in slopes.lines if line.get_marker() == "D"]
    assert drawn == [0.8, 0.8, 0.8]
    assert [text.get_text() for text in slopes.texts] == ["not in nats"] * 2
    assert correlations.lines[0].get_xdata().tolist() == [0.9] * 5
    assert [bar.get_width() for bar in positives.patches] == pytest.approx([10.0] * 5)


def test_counterfactuals_are_drawn_beside_the_truth_in_its_order() -> None:
    truth = np.array([2.0, -1.0])
    figure = chapter_06_calibration.counterfactuals_figure(
        ["a", "b"], truth, np.array([[1.9, -0.9]]), np.array([[0.1, 0.2]])
    )
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert [line.get_xdata().tolist() for line in axes.lines[1:4]] == [
        [-1.0, 2.0], [-0.9, 1.9], [0.2, 0.1],
    ]  # fmt: skip


def test_agreement_is_written_out() -> None:
    matrix = np.full((5, 5), 0.5)
    matrix[3] = np.nan
    axes = chapter_06_calibration.agreement_figure({"a model": matrix}).axes[0]
    written = [text.get_text() for text in axes.texts]
    assert written.count("+0.50") == 20 and written.count("none") == 5


def test_a_known_truth_is_marked_in_a_forest_and_in_a_row_of_seeds() -> None:
    row = a_model(1.0).results[PROBES[0]][0]
    for figure in (
        chapter_06.forest_figure(row, ["a", "b", "c"], truth=2.5),
        chapter_06.seeds_figure([row], row.interval, "title", below="both", truth=2.5),
    ):
        axes = figure.axes[0]
        assert any(line.get_xdata()[0] == 2.5 for line in axes.lines)
        assert "truth" in [text.get_text() for text in axes.texts]
