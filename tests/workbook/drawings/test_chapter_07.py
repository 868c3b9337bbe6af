"""The figures of chapter 7: bars and marks that are the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

from albert_lib.finetuning.null_threshold import best_threshold
from albert_lib.finetuning.recipes import finetuning_recipe
from albert_lib.finetuning.windows import example_windows
from albert_lib.paper import paper_table
from albert_lib.probing import proportion_interval
from albert_lib.workbook.drawings import chapter_07, chapter_07_spans


def test_a_bar_is_as_high_as_its_batch_is_padded() -> None:
    ways = {"one": np.array([[0, 1], [2, 3]]), "other": np.array([[0, 3], [1, 2]])}
    figure, alt = chapter_07.draw_padding([5, 10, 10, 4], ways)
    heights = [[bar.get_height() for bar in bars] for bars in figure.axes[0].containers]
    assert heights == [[15, 14], [5, 6]]
    assert "one 28 %" in alt and "other 3 %" in alt


def test_the_learning_rate_drops_where_warm_up_ends() -> None:
    figure, alt = chapter_07.draw_learning_rate(finetuning_recipe("mnli"))
    _, rising, falling, _ = figure.axes[0].lines
    assert rising.get_ydata()[-1] == pytest.approx(2.997e-5)
    assert falling.get_ydata()[0] == pytest.approx(2.7e-5) and falling.get_ydata()[-1] == 0
    assert "from 2.997e-05 to 2.7e-05" in alt


def test_curves_and_scores_are_percent_and_machine_numbers_are_marked() -> None:
    score = proportion_interval(84, 120)
    curves = {"read": {40: score, 120: score}, "new": {40: score, 120: score}}
    figure, alt = chapter_07.draw_learning_curves(curves, {"chance": 0.5, "bag": 0.68})
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx([70, 70])
    assert "(here: read 70 at 40, 70 at 120; new" in alt
    figure, alt = chapter_07.draw_scores({"bag": score})
    assert figure.axes[0].lines[0].get_xdata() == pytest.approx([70]) and "(here: bag 70)" in alt


def test_forgetting_is_the_rise_over_the_first() -> None:
    figure, alt = chapter_07.draw_forgetting([5.0, 5.5, 7.0])
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == pytest.approx([0, 0.5, 2]) and "all 2 applications" in alt


def test_results_are_the_card_s_and_one_s_own_stands_apart() -> None:
    own = proportion_interval(80, 120)
    figure, alt = chapter_07.draw_results(paper_table("card_results"), own, "mine")
    base = figure.axes[0].lines[0].get_ydata()
    assert base == pytest.approx([90.2, 82.1, 84.6, 92.9, 66.8])
    assert (
        "another test" in alt and "ANOTHER TEST" in figure.axes[0].get_xticklabels()[-1].get_text()
    )


def test_the_card_says_what_the_alternative_text_says() -> None:
    rows = [row for row in paper_table("card_results") if row.version == "v2"]
    gaps = {}
    for task in chapter_07.TASKS:
        values = [getattr(row, task) for row in rows]
        assert min(values) == values[0] and max(values) == values[-1]
        gaps[task] = max(values) - min(values)
    assert max(gaps, key=lambda task: gaps[task]) == "race"


def test_windows_are_dark_where_their_context_is_best() -> None:
    windows = example_windows()
    figure, alt = chapter_07_spans.draw_windows(windows, (5, 5))
    cells = sum(len(window.best_context) for window in windows)
    dark = [patch for patch in figure.axes[0].patches if patch.get_width() == 1][:cells]
    assert len(dark) == cells and "no answer here, answer whole" in alt


def test_probabilities_are_the_bars() -> None:
    starts, ends = np.array([0.25, 0.75]), np.array([0.1, 0.9])
    figure, alt = chapter_07_spans.draw_span_probabilities(["a", "b"], starts, ends, (1, 1))
    assert [bar.get_height() for bar in figure.axes[0].containers[0]] == [0.25, 0.75]
    assert "b 0.75, b 0.90" in alt


def test_the_drawn_scores_are_best_at_the_best_threshold() -> None:
    null_scores, answered = [-3.0, -1.0, 0.0, 2.0], [1.0, 0.5, 0.0, 0.0]
    impossible = [False, False, True, True]
    unanswered = [float(each) for each in impossible]
    value = best_threshold(null_scores, answered, unanswered)
    assert chapter_07_spans.threshold_scores(null_scores, answered, impossible, value) == (75, 100)
    figure, alt = chapter_07_spans.draw_threshold(null_scores, answered, impossible, value)
    assert "F1 88" in alt and "F1 88" in figure.axes[0].get_title()
