"""The report: a page, its numbers and a figure that say the same, whole or not at all."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from albert_lib.errors import InputError, WriteError
from albert_lib.files import read_json
from albert_lib.probing.sets.base import Measure
from albert_lib.probing.sets.report import (
    CAUTION,
    Report,
    alternative_text,
    draw,
    measures_table,
    page,
    write_report,
)

MEASURES = (
    Measure("accuracy, a|b", 62.55, 55.0, 70.0, 90, 50.0, "%"),
    Measure("gap", -0.1234, -0.3, 0.1, 90, 0.0, "nats"),
    Measure("of one target", 40.0, -math.inf, math.inf, 1, 50.0, "%"),
    Measure("size", 12.0, 10.0, 14.0, 90, None, "points"),
)


def report(**changes: Any) -> Report:
    fields: dict[str, Any] = {
        "set_name": "winobias",
        "paper": "Zhao et al., 2018",
        "model": "models/mine",
        "data": "here",
        "n_read": 100,
        "n_asked": 100,
        "seed": 3,
        "measures": MEASURES,
        "dropped": {"pair with several pronouns": 10},
        "notes": ("A note.",),
        "about": "How it is done.",
    }
    return Report(**{**fields, **changes})


def test_numbers_are_shown_as_their_unit_deserves() -> None:
    assert measures_table(MEASURES)[1:] == [
        ("accuracy, a|b", "62.5", "55.0 to 70.0", "50.0", "90", "%"),
        ("gap", "-0.123", "-0.300 to 0.100", "0.000", "90", "nats"),
        ("of one target", "40.0", "unknown", "50.0", "1", "%"),
        ("size", "12.0", "10.0 to 14.0", "", "90", "points"),
    ]


def test_the_page_says_what_was_asked_left_out_and_how(tmp_path: Path) -> None:
    text = page(report())
    assert text.startswith("# winobias on models/mine\n\nZhao et al., 2018; 100 items of here.")
    assert "| accuracy, a\\|b | 62.5 | 55.0 to 70.0 | 50.0 | 90 | % |" in text
    assert "\n- 10 × pair with several pronouns.\n" in text
    assert "\n- A note.\n" in text
    assert text.endswith(f"How it is done.\n\n{CAUTION}\n")
    columns = [line.count("|") - line.count("\\|") for line in text.split("\n") if "|" in line[:1]]
    assert set(columns) == {7}, "every row of the table has six cells"


def test_a_draw_is_told_with_its_seed_and_nothing_left_out_too() -> None:
    assert "- 80 of 100 items: 20 were drawn at random, with seed 3." not in page(report())
    drawn = page(report(n_asked=20))
    assert "- 80 of 100 items: 20 were drawn at random, with seed 3." in drawn
    assert "Nothing: every item is scored." in page(report(dropped={}))
    assert "## Notes" not in page(report(notes=()))


def test_the_alternative_text_says_what_the_figure_shows() -> None:
    text = alternative_text(MEASURES)
    assert "4 measures" in text and "(%, nats, points)" in text
    assert "Of 3 with a neutral value" in text
    assert text.endswith("1 have an interval that leaves it out: accuracy, a|b.")
    assert f"![{text}](measures.png)" in page(report())


def test_the_figure_has_a_panel_a_unit_and_a_row_a_measure() -> None:
    figure = draw(report())
    panels = figure.axes
    assert [axes.get_xlabel() for axes in panels] == ["%", "nats", "points"]
    labels = [[label.get_text() for label in axes.get_yticklabels()] for axes in panels]
    assert labels == [["accuracy, a|b", "of one target"], ["gap"], ["size"]]
    points = [line for line in panels[0].lines if line.get_marker() == "o"]
    assert [point.get_xdata()[0] for point in points] == [62.55, 40.0]
    assert points[0].get_markerfacecolor() != "white", "filled: 50 is left out"
    assert points[1].get_markerfacecolor() == "white"
    assert [point.get_ydata()[0] for point in points] == [0, 1]
    lines = [(*line.get_xdata(), *line.get_ydata()) for line in panels[0].lines]
    drawn = [line for line in lines if len(line) == 4]
    interval, neutral = (55.0, 70.0, 0, 0), [(50.0, 50.0, row - 0.4, row + 0.4) for row in (0, 1)]
    assert drawn == [interval, *neutral], "an interval without ends is not drawn"
    assert panels[0].get_ylim() == (1.7, -0.7), "the first row on top"


def test_rows_are_as_high_in_every_panel() -> None:
    """A panel's share of the figure goes with its rows, its own title's place included."""
    figure = draw(report(measures=MEASURES[:1] * 40 + MEASURES[1:2]))
    ratios = figure.axes[0].get_gridspec().get_height_ratios()
    assert ratios == [41.5, 2.5]
    assert figure.get_size_inches().tolist() == pytest.approx([8.0, 0.24 * 44 + 0.8])


def test_square_brackets_would_end_an_alternative_text() -> None:
    odd = Measure("pairs [a, b] (all)", 62.5, 55.0, 70.0, 90, 50.0, "%")
    assert alternative_text([odd]).endswith("leaves it out: pairs (a, b) (all).")


def test_the_folder_holds_the_same_numbers_three_times(tmp_path: Path) -> None:
    write_report(tmp_path / "out", report())
    files = sorted(item.name for item in (tmp_path / "out").iterdir())
    assert files == ["measures.png", "report.json", "report.md"]
    stored = read_json(tmp_path / "out" / "report.json")
    assert stored["measures"][1] == {
        "label": "gap", "value": -0.1234, "low": -0.3, "high": 0.1, "n": 90, "neutral": 0.0,
        "unit": "nats",
    }  # fmt: skip
    assert (stored["measures"][2]["low"], stored["measures"][2]["high"]) == (None, None)
    assert stored["dropped"] == {"pair with several pronouns": 10}
    assert (stored["items"], stored["items_asked"], stored["confidence"]) == (100, 100, 0.95)
    assert matplotlib.image.imread(tmp_path / "out" / "measures.png").std() > 0.01
    write_report(tmp_path / "out", report(model="other"))
    assert "winobias on other" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


def test_names_out_of_others_files_are_shown_whatever_is_in_them(tmp_path: Path) -> None:
    odd = ("$x_{$ \\frac", "two\nlines", "half a pair \ud83d", "a|b")
    measures = [Measure(label, 50.0, 40.0, 60.0, 9, 50.0, "%") for label in odd]
    strange = report(measures=measures, model="m/a$b_{$", data=os.fsdecode(b"caf\xe9.jsonl"))
    write_report(tmp_path / "out", strange)
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    for shown in ("| $x_{$ \\frac |", "| two lines |", "| half a pair \\ud83d |", "| a\\|b |"):
        assert shown in text
    assert "items of caf\\udce9.jsonl" in text
    labels = [tick.get_text() for tick in draw(strange).axes[0].get_yticklabels()]
    assert labels == [row[0] for row in measures_table(measures)[1:]]
    assert read_json(tmp_path / "out" / "report.json")["measures"][2]["label"] == odd[2]


def test_a_report_takes_no_other_folders_place(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds thesis\.txt, which a report would replace"):
        write_report(tmp_path, report())
    with pytest.raises(InputError, match=r"thesis\.txt is a file; name a folder"):
        write_report(tmp_path / "thesis.txt", report())
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_report_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(tmp_path / "out", report())
    before = (tmp_path / "out" / "report.md").read_bytes()

    def killed(_: Report) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("albert_lib.probing.sets.report.page", killed)
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path / "out", report(model="other"))
    assert [item.name for item in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "report.md").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"out cannot be written \(.*\); make room there, or name"):
        write_report(tmp_path / "file" / "out", report())
