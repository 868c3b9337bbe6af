"""Windows over a passage: layout, advance, best context, where the answer is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.errors import InputError
from albert_lib.finetuning.windows import (
    WindowSizes,
    balance_windows,
    best_windows,
    count_answers,
    passage_windows,
    span_windows,
)
from albert_lib.text.aligned_tokens import align_tokens
from albert_lib.text.batch import as_batch

PASSAGE = (
    "By the old mill, where sheep and cattle graze, a man of  Café Zürich has built ½ a house."
)
NUMBERS = st.integers(0, 80), st.integers(1, 30), st.integers(1, 40)


def google_windows(n_tokens: int, room: int, doc_stride: int) -> list[tuple[int, int]]:
    """The loop of convert_examples_to_features in google-research/albert (squad_utils.py)."""
    found = []
    start_offset = 0
    while start_offset < n_tokens:
        length = min(n_tokens - start_offset, room)
        found.append((start_offset, length))
        if start_offset + length == n_tokens:
            break
        start_offset += min(length, doc_stride)
    return found


def google_best(windows: list[tuple[int, int]], position: int) -> int | None:
    """Its _check_is_max_context, turned round: which window has it."""
    best_score = best_index = None
    for index, (start, length) in enumerate(windows):
        end = start + length - 1
        if position < start or position > end:
            continue
        score = min(position - start, end - position) + 0.01 * length
        if best_score is None or score > best_score:
            best_score, best_index = score, index
    return best_index


@settings(deadline=None)
@given(*NUMBERS)
def test_windows_are_googles(n_tokens: int, room: int, advance: int) -> None:
    windows = passage_windows(n_tokens, room, advance)
    assert windows == (google_windows(n_tokens, room, advance) or [(0, 0)])
    expected = [google_best(windows, place) for place in range(n_tokens)]
    assert best_windows(windows).tolist() == expected


@settings(deadline=None)
@given(
    max_length=st.integers(6, 40),
    advance=st.integers(1, 40),
    data=st.data(),
)
def test_every_answer_and_every_start(
    english_tokenizer: AlbertTokenizer, max_length: int, advance: int, data: st.DataObject
) -> None:
    """Each token may start a span in one window; an answer's positions lead back to its text."""
    passage = align_tokens(english_tokenizer, PASSAGE)
    start = data.draw(st.integers(0, len(PASSAGE) - 1))
    end = data.draw(st.integers(start + 1, len(PASSAGE)))
    sizes = WindowSizes(max_length, advance, max_question=2)
    windows = span_windows(english_tokenizer, "Who is it?", passage, sizes, (start, end), number=7)
    span = passage.tokens_of(start, end)
    starts = []
    for window in windows:
        ids, length = window.input_ids, len(window.best_context)
        shown = passage.ids[window.first : window.first + length]
        assert ids == [2, *window.question_ids, 3, *shown, 3]
        assert len(ids) <= max_length and window.question == 7
        starts += [window.first + int(place) for place in np.flatnonzero(window.best_context)]
        assert (window.answer is not None) == (window.answer_place == "whole")
        if window.answer is not None:
            assert window.to_passage(*window.answer) == span
            first, last = window.answer
            assert ids[first : last + 1] == passage.ids[span[0] : span[1] + 1]
    assert sorted(starts) == list(range(len(passage.ids)))
    places = [window.answer_place for window in windows]
    assert ("unanswerable" in places) == (span is None)
    if span is not None and span[0] == span[1]:
        assert "whole" in places and "cut" not in places


def test_sizes_are_clamped() -> None:
    assert WindowSizes().clamp(512) == WindowSizes(384, 128, 64)
    assert WindowSizes(512).clamp(384) == WindowSizes(384, 128, 64)
    assert WindowSizes().clamp(128) == WindowSizes(128, 64, 64)
    assert WindowSizes().clamp(64) == WindowSizes(64, 32, 32)
    assert WindowSizes(100, 10, 20).clamp(128) == WindowSizes(100, 10, 20)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"max_length": 67}, "max_length 67 has no room for a passage beside a question of 64"),
        ({"advance": 0}, "advance is 0"),
        ({"max_question": 0}, "max_question 0"),
    ],
)
def test_sizes_without_a_window_are_refused(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        WindowSizes(**sizes)
    with pytest.raises(InputError, match="no room"):
        WindowSizes().clamp(4)


def test_smallest_sizes(english_tokenizer: AlbertTokenizer) -> None:
    passage = align_tokens(english_tokenizer, "the old mill")
    windows = span_windows(english_tokenizer, "who is it?", passage, WindowSizes(5, 9, 1))
    assert [window.input_ids[3] for window in windows] == passage.ids
    assert all(window.best_context.tolist() == [True] for window in windows)


def test_edges(english_tokenizer: AlbertTokenizer) -> None:
    """No passage, no question; white space around a question is none of it."""
    empty = align_tokens(english_tokenizer, " ")
    (window,) = span_windows(english_tokenizer, " Who ", empty, WindowSizes())
    assert window.input_ids == [2, *english_tokenizer.encode("who")[1:-1], 3, 3]
    assert window.answer is None and len(window.best_context) == 0
    passage = align_tokens(english_tokenizer, "the old mill")
    (window,) = span_windows(english_tokenizer, "", passage, WindowSizes(), answer=(8, 12))
    assert window.input_ids == [2, 3, *passage.ids, 3] and window.answer == (4, 4)
    with pytest.raises(InputError, match="Characters 8 to 13 are no slice of a text of 12"):
        span_windows(english_tokenizer, "", passage, WindowSizes(), answer=(8, 13))


def test_a_batch_of_windows(english_tokenizer: AlbertTokenizer) -> None:
    passage = align_tokens(english_tokenizer, PASSAGE)
    windows = span_windows(english_tokenizer, "Who?", passage, WindowSizes(16, 8, 4))
    names = ["input_ids", "token_type_ids"]
    batch = as_batch([window.sequence for window in windows], 0, 16, "pt", names)
    for row, window in zip(batch.token_type_ids, windows, strict=True):
        assert row.tolist().index(1) == window.offset
        assert row.sum() == len(window.best_context) + 1


def test_windows_without_the_answer_are_counted_and_balanced(
    english_tokenizer: AlbertTokenizer,
) -> None:
    passage = align_tokens(english_tokenizer, PASSAGE)
    start = PASSAGE.index("cattle graze")
    sizes = WindowSizes(12, 4, 4)
    answered = span_windows(english_tokenizer, "Who?", passage, sizes, (start, start + 12))
    impossible = span_windows(english_tokenizer, "Who?", passage, sizes)
    counts = count_answers([*answered, *impossible])
    assert counts["unanswerable"] == len(impossible)
    assert counts["whole"] >= 1 and counts["cut"] >= 1 and counts["elsewhere"] >= 1
    assert sum(counts.values()) == len(answered) + len(impossible)
    for per_answer in (0.0, 1.0, 99.0):
        rng = np.random.default_rng(0)
        kept = balance_windows([*answered, *impossible], rng, per_answer)
        after = count_answers(kept)
        lacking = counts["cut"] + counts["elsewhere"]
        assert after["cut"] + after["elsewhere"] == min(lacking, per_answer * counts["whole"])
        assert (after["whole"], after["unanswerable"]) == (counts["whole"], len(impossible))
        order = [[*answered, *impossible].index(window) for window in kept]
        assert order == sorted(order)
