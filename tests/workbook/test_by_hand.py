"""The lattice that a learner walks piece by piece: its buttons, its sums and its verdict."""

from __future__ import annotations

from itertools import product

import matplotlib.pyplot as plt
import pytest

from albert_lib.text.unigram import best_segmentation
from albert_lib.workbook.by_hand import BACK, WayByHand
from albert_lib.workbook.dials import Steps

SCORES = {"▁": -3.0, "▁m": -5.0, "▁mi": -9.5, "m": -6.0, "i": -4.0, "l": -4.5, "il": -7.0}


def walked(word: str, *places: int) -> WayByHand:
    way = WayByHand(word, SCORES)
    for place in places:
        way.take(place)
    return way


def test_every_way_can_be_walked_and_none_is_better_than_viterbis() -> None:
    found: set[tuple[str, ...]] = set()
    unfinished: list[tuple[int, ...]] = [()]
    while unfinished:
        places = unfinished.pop()
        way = walked("mil", *places)
        if way.done:
            found.add(tuple(edge.piece for edge in way.taken))
            best = sum(SCORES[piece] for piece in best_segmentation("▁mil", SCORES))
            is_best = sum(edge.score for edge in way.taken) == best
            assert ("No way has a higher sum" in way.told()) == is_best
        else:
            unfinished += [(*places, place) for place in range(len(way.next_edges()))]
    cuts = product([True, False], repeat=3)  # cut or not between each two letters of ▁mil
    words = {tuple("".join("|" * cut + c for cut, c in zip((False, *each), "▁mil", strict=True))
             .split("|")) for each in cuts}  # fmt: skip
    assert found == {cut for cut in words if all(piece in SCORES for piece in cut)}


@pytest.mark.parametrize(("places", "told"), [
    ((), "Choose the piece that comes next, from position 0 on."),
    ((2,), "So far ▁mi: −9.50. Choose the piece that comes next, from position 3 on."),
    ((1, 1), "Yours, ▁m + il: −12.00. No way has a higher sum."),
    ((2, 0), "Yours, ▁mi + l: −14.00. The best way, ▁m + il, has −12.00: 2.00 more. Go back and "
             "try it."),
    ((2, 0, 0), "So far ▁mi: −9.50. Choose the piece that comes next, from position 3 on."),
])  # fmt: skip
def test_what_is_told(places: tuple[int, ...], told: str) -> None:
    assert walked("mil", *places).told() == told


def test_the_best_sums_are_hidden_until_the_word_is_through() -> None:
    for places, shown in (((1,), False), ((1, 1), True)):
        figure, alt = walked("mil", *places).picture()
        assert any("best" in text.get_text() for text in figure.axes[0].texts) == shown
        assert ("best way" in alt) == shown and "▁m" in alt
        plt.close(figure)


def test_there_is_no_way_back_from_the_beginning_and_none_forward_from_the_end() -> None:
    assert BACK not in walked("mil").labels()
    assert walked("mil", 1, 1).labels() == [BACK]


def test_a_button_can_be_pressed_twice() -> None:
    pressed: list[int] = []
    steps = Steps(description="next piece", labels=["▁", "▁m"])
    steps.on_press(pressed.append)
    for _ in range(2):
        steps.set_state({"pressed": 0})  # what the browser sends
    assert pressed == [0, 0] and steps.get_state()["pressed"] == -1
