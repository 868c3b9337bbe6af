"""The inputs of chapter 1: nobody can try all cuts, and no two cuts score the same."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np
import pytest

from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import Arguments, find_exercise

CUT, SUM, PADDED = find_exercise("1.2"), find_exercise("1.3"), find_exercise("1.5")


def inputs_of_cut(seed: int) -> list[Arguments]:
    rng = np.random.default_rng(seed)
    assert CUT.borders is not None
    return [*CUT.borders(rng), *(CUT.draw(rng) for _ in range(CUT.trials))]


def later_of_two(text: str, scores: Mapping[str, float]) -> list[str]:
    """Viterbi that keeps the later one of two ways with the same sum."""
    best = [0.0] + [-math.inf] * len(text)
    last = [""] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        for start in range(end):
            piece = text[start:end]
            if piece in scores and best[start] + scores[piece] >= best[end]:
                best[end], last[end] = best[start] + scores[piece], piece
    pieces: list[str] = []
    while len("".join(pieces)) < len(text):
        pieces.insert(0, last[len(text) - len("".join(pieces))])
    return pieces


def remembering(text: str, scores: Mapping[str, float]) -> list[str]:
    """From the end, with what was found before kept: as good as Viterbi."""

    @functools.cache
    def best(start: int) -> tuple[float, list[str]]:
        if start == len(text):
            return 0.0, []
        ways = []
        for end in range(start + 1, len(text) + 1):
            piece = text[start:end]
            if piece in scores:
                rest, pieces = best(end)
                ways.append((scores[piece] + rest, [piece, *pieces]))
        return max(ways)

    return best(0)[1]


@pytest.mark.parametrize("right", [later_of_two, remembering])
def test_other_right_ways_to_cut_pass(right: object) -> None:
    assert [examine(CUT, right).status for _ in range(5)] == 5 * ["right"]


def test_a_text_has_more_ways_than_anybody_can_try() -> None:
    ways = [number_of_ways(**arguments) for arguments in inputs_of_cut(seed=1)]
    assert max(ways) > 10**12


def number_of_ways(text: str, scores: Mapping[str, float]) -> int:
    ways = [1] + [0] * len(text)
    for end in range(1, len(text) + 1):
        ways[end] = sum(ways[start] for start in range(end) if text[start:end] in scores)
    return ways[-1]


def test_texts_are_empty_short_and_long() -> None:
    lengths = [len(arguments["text"]) for arguments in inputs_of_cut(seed=1)]
    assert min(lengths) == 0 and 1 in lengths and max(lengths) > 80
    assert all(set(each["text"]) <= set(each["scores"]) for each in inputs_of_cut(seed=1))


def test_a_probability_that_becomes_0_is_told_of_its_smallness() -> None:
    def multiplied(text: str, scores: Mapping[str, float]) -> float:
        ways = [1.0] + [0.0] * len(text)
        for end in range(1, len(text) + 1):
            for start in range(max(0, end - 5), end):
                ways[end] += ways[start] * math.exp(scores.get(text[start:end], -math.inf))
        return math.log(ways[-1]) if ways[-1] else -math.inf

    assert examine(SUM, multiplied).misconception == "too small for a float"


def test_a_text_can_hold_the_id_of_padding() -> None:
    rng = np.random.default_rng(0)
    drawn = [PADDED.draw(rng) for _ in range(50)]
    assert any(one["pad_id"] in ids for one in drawn for ids, _ in one["sequences"])
