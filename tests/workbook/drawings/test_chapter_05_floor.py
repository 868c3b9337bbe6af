"""The figures of the floor show the numbers that they were given, and say them."""

from __future__ import annotations

import numpy as np

from albert_lib.workbook.drawings.chapter_05_floor import draw_answers


def test_answers_stand_beside_each_other_and_are_said() -> None:
    figure, told = draw_answers(
        ["flour", "bread"], np.array([0.75, 0.25]), np.array([0.5, 0.125]), "He buys (which?)."
    )
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25, 0.5, 0.125]
    assert axes.get_title(loc="left") == "He buys (which?)."
    assert told == (
        "He buys (which?). The ideal reader's probabilities and the model's: (here: "
        "flour 0.75 and 0.50, bread 0.25 and 0.12)."
    )
