"""Dials in Python: their values, their words, and that their script and looks come along."""

from __future__ import annotations

from typing import Any

import pytest
import traitlets

from albert_lib.workbook.dials import AnswerButtons, Choice, FloatSlider, IntSlider, Steps
from albert_lib.workbook.widgets import choice, slider


def test_sliders_are_whole_where_their_numbers_are() -> None:
    words, share = slider("words", 3, 1, 5), slider("share", 0.15, 0.05, 0.5, 0.05)
    assert isinstance(words, IntSlider) and isinstance(share, FloatSlider)
    assert (words.value, words.min, words.max, words.step) == (3, 1, 5, 1)
    assert (share.value, share.min, share.max, share.step) == (0.15, 0.05, 0.5, 0.05)
    assert format(words.value, words.readout_format) == "3"
    assert format(share.value, share.readout_format) == "0.15"


def test_a_whole_number_out_of_the_browser_is_a_float_where_one_is_expected() -> None:
    share = slider("share", 0.5, 0, 1, 0.25)
    share.set_state({"value": 1})  # JavaScript writes 1.0 so
    assert type(share.value) is float


@pytest.mark.parametrize(("asked", "taken"), [(99, 5), (-1, 1), (2, 2)])
def test_a_slider_stays_within_its_bounds(asked: int, taken: int) -> None:
    assert slider("words", asked, 1, 5).value == taken
    words = slider("words", 3, 1, 5)
    words.value = asked
    assert words.value == taken


def test_a_choice_is_of_any_objects_and_starts_where_it_is_told() -> None:
    assert choice("number", range(1, 9)).value == 1
    assert choice("width", [768, 1024, 2048], 2048).index == 2
    none = choice("nothing", [None, "something"])
    assert (none.value, none.labels) == (None, ["None", "something"])


def test_a_choice_follows_the_browser_and_the_program() -> None:
    seen: list[Any] = []
    width = choice("width", [768, 1024, 2048])
    width.observe(lambda change: seen.append(change["new"]), names="value")
    width.set_state({"index": 2})  # what the browser sends
    width.value = 1024
    assert seen == [2048, 1024] and width.index == 1


def test_a_choice_refuses_what_it_does_not_offer() -> None:
    width = choice("width", [768, 1024])
    with pytest.raises(traitlets.TraitError, match="7 is not among the options of 'width': 768"):
        width.value = 7
    with pytest.raises(traitlets.TraitError, match="not among the options"):
        choice("width", [768, 1024], 7)


def test_the_script_and_the_looks_travel_with_the_widget() -> None:
    for dial in (slider("a", 1, 0, 2), choice("b", "xy"), AnswerButtons(labels=["c"]), Steps()):
        state = dial.get_state()
        assert "data-lm-suppress-shortcuts" in state["_esm"] and ":focus-visible" in state["_css"]
        assert "http" not in state["_esm"] + state["_css"], "nothing is fetched"


def test_the_browser_is_told_no_answer_before_a_button_is_pressed() -> None:
    state = AnswerButtons(description="How many?", labels=["366", "600"]).get_state()
    assert (state["pressed"], state["said"]) == (-1, "")
    assert isinstance(choice("kind", ["plain"]), Choice)
