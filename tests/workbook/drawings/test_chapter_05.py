"""What the figures of chapter 5 draw is what the runs wrote down; the recorded run is whole."""

from __future__ import annotations

import numpy as np
import pytest

from albert_lib.files import data_folder
from albert_lib.training import History
from albert_lib.workbook.drawings import chapter_05 as drawings

LOOKED_AT = {
    "held_out_mlm_loss": 5.0,
    "held_out_mlm_accuracy": 0.25,
    "held_out_sop_accuracy": 0.5,
    "hearing": 0.1,
    "shown_accuracy": 0.75,
    "known_text_loss": 5.5,
    "unigram_entropy": 6.25,
}


def a_run(steps: int, every: int) -> History:
    rows = [{"step": n, "mlm_loss": 9.0 - n / steps, "seconds": 0.5} for n in range(1, steps + 1)]
    for row in rows[every - 1 :: every]:
        row.update(LOOKED_AT)
    return History(rows)


def looks_of(history: History) -> History:
    return History([row for row in history.rows if "held_out_mlm_loss" in row])


def test_marks_reach_to_the_last_step_of_a_run_that_keeps_few_rows() -> None:
    runs = {"short": a_run(60, 20), "long": looks_of(a_run(400, 100))}
    loss, accuracy = drawings.draw_curves(runs, {"a mark": 6.0}).axes
    curves = [line.get_xdata().tolist() for line in loss.lines[:2]]
    assert curves == [[20, 40, 60], [100, 200, 300, 400]]
    assert loss.texts[0].xy == (400, 6.0)
    assert accuracy.lines[1].get_ydata().tolist() == [25, 25, 25]


def test_lookalikes_are_smoothed_training_losses() -> None:
    axes = drawings.draw_lookalikes({"A": a_run(60, 20), "B": a_run(50, 25)}, {"m": 6.0}).axes[0]
    assert axes.lines[0].get_xdata()[-1] == 60
    assert axes.lines[0].get_ydata()[0] == pytest.approx(9 - 13 / 60)  # the mean of steps 1 to 25
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["run A", "run B"]


def test_context_sensitivity_is_drawn_as_it_was_measured() -> None:
    axes = drawings.draw_context_sensitivity({"a run": a_run(60, 20)}).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [0.1, 0.1, 0.1]
    assert axes.get_yscale() == "log"
    assert axes.lines[1].get_ydata()[0] == drawings.NO_CONTEXT


def test_copying_and_reading_are_drawn_apart_with_the_runs_own_mark() -> None:
    shown, hidden = drawings.draw_copying_and_reading(a_run(60, 20)).axes
    assert shown.lines[0].get_ydata().tolist() == [75, 75, 75]
    assert hidden.lines[0].get_ydata().tolist() == [5.5, 5.5, 5.5]
    assert hidden.lines[1].get_ydata()[0] == 6.25


def test_the_recorded_run_has_what_the_notebook_draws() -> None:
    recorded = History.load(data_folder() / "histories" / "quick-five-minutes.json")
    for name in ("seconds", *LOOKED_AT):
        assert len(recorded.column(name)) == len(recorded) >= 10
    steps, loss = recorded.curve("held_out_mlm_loss")
    assert (np.diff(steps) > 0).all()
    assert loss[-1] < loss[0]


def test_runs_kept_whole_and_kept_as_means_are_drawn_alike() -> None:
    whole = a_run(100, 25)
    means = History(
        [{"step": n, "mlm_loss": whole.column("mlm_loss")[n - 25 : n].mean()}
         for n in (25, 50, 75, 100)]
    )  # fmt: skip
    axes = drawings.draw_depth_and_rate({"whole": whole, "means": means}, {"counting": 6.0}).axes[0]
    drawn, points = (dict(zip(*line.get_data(), strict=True)) for line in axes.lines[:2])
    assert list(points) == [25, 50, 75, 100]
    assert [drawn[step] for step in points] == pytest.approx(list(points.values()))
    assert axes.texts[0].xy == (100, 6.0)
