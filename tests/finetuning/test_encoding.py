"""Rows of every task, against the steps of the paper's code written out plainly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.errors import InputError
from albert_lib.finetuning import (
    Answer,
    ChoiceQuestion,
    ClassRow,
    SpanRow,
    SquadQuestion,
    TextExample,
    WindowSizes,
    count_answers,
    encode_examples,
    read_race,
    read_squad,
    span_windows,
)
from albert_lib.finetuning.encoding import shorten_longer
from albert_lib.text.aligned_tokens import align_tokens

CLS, SEP = 2, 3
PASSAGE = "By the old mill the sheep graze, and the miller sleeps by the stream. " * 4
WHO = SquadQuestion("1", PASSAGE, "Who sleeps?", (Answer("the miller", 37),))


def one_at_a_time(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """As the paper's code says it: from the longer, on a tie from the second."""
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


@given(
    st.lists(st.integers(), max_size=12), st.lists(st.integers(), max_size=12), st.integers(0, 20)
)
def test_pairs_lose_one_token_at_a_time(first: list[int], second: list[int], room: int) -> None:
    assert shorten_longer(first, second, room) == one_at_a_time(first, second, room)


def ids_of(tokenizer: AlbertTokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)


def test_sentences(english_tokenizer: AlbertTokenizer) -> None:
    text = "the sheep graze by the old mill"
    ids = ids_of(english_tokenizer, text)
    assert len(ids) == 9
    examples = [TextExample("a", text, None, "1"), TextExample("b", "old", None, None)]
    for length, kept in ((512, 9), (11, 9), (10, 8), (5, 3)):
        long, short = encode_examples("sst2", examples, english_tokenizer, length)
        assert isinstance(long, ClassRow) and isinstance(short, ClassRow)
        assert long.sequences == (([CLS, *ids[:kept], SEP], kept + 2),)
        assert (long.label, long.n_tokens, long.example) == (1, kept + 2, 0)
        assert (short.label, short.n_tokens, short.example) == (None, 3, 1)


def test_pairs_and_the_order_of_their_labels(english_tokenizer: AlbertTokenizer) -> None:
    premise, hypothesis = "the sheep graze by the old mill", "the old mill sleeps"
    a, b = (ids_of(english_tokenizer, text) for text in (premise, hypothesis))
    assert len(a) > len(b)
    for length in (512, len(a) + len(b) + 3, 10, 9, 8, 5):
        (row,) = encode_examples(
            "mnli", [TextExample("a", premise, hypothesis, "neutral")], english_tokenizer, length
        )
        first, second = one_at_a_time(a, b, length - 3)
        assert row.sequences == (([CLS, *first, SEP, *second, SEP], len(first) + 2),)
        assert row.n_tokens == min(length, len(a) + len(b) + 3)

    def numbers(**change: Any) -> list[int | None]:
        examples = [
            TextExample(word, premise, hypothesis, word)
            for word in ("contradiction", "entailment", "neutral")
        ]
        rows = encode_examples("mnli", examples, english_tokenizer, 64, **change)
        return [row.label for row in rows if isinstance(row, ClassRow)]

    assert numbers() == [0, 1, 2]  # the paper's code
    assert numbers(labels=("entailment", "neutral", "contradiction")) == [2, 0, 1]  # the hub's
    with pytest.raises(InputError, match="'contradiction', and the model scores no, yes"):
        numbers(labels=("no", "yes"))


@pytest.mark.parametrize("max_length", [512, 200, 128, 40, 4])
def test_choices(english_tokenizer: AlbertTokenizer, max_length: int) -> None:
    """The statement keeps its last 128 tokens, and the passage its first that are left."""
    cow = "a cow " * 90
    assert len(ids_of(english_tokenizer, cow)) == 180
    options = ("a hen", cow, "an old cow", "the mill")
    questions = [
        ChoiceQuestion("1-0", PASSAGE * 8, "Who is _ ?", options, 3),
        ChoiceQuestion("1-1", PASSAGE * 8, "Who sleeps?", options, None),
        ChoiceQuestion("2-0", "A hen.", "Who sleeps?", options, 0),
    ]
    rows = encode_examples("race", questions, english_tokenizer, max_length)
    told = [row.label for row in rows if isinstance(row, ClassRow)]
    assert told == [3, None, 0] and [row.example for row in rows] == [0, 1, 2]
    for row, question in zip(rows, questions, strict=True):
        lengths = []
        for (ids, first_length), option in zip(row.sequences, options, strict=True):
            cloze = "_" in question.question
            text = f"Who is {option} ?" if cloze else f"Who sleeps? {option}"
            statement = ids_of(english_tokenizer, text)[-128:]
            if len(statement) > max_length - 3:
                statement = statement[-(max_length - 3) :]
            passage = ids_of(english_tokenizer, question.passage)
            passage = passage[: max_length - 3 - len(statement)]
            assert ids == [CLS, *passage, SEP, *statement, SEP]
            assert first_length == len(passage) + 2
            lengths.append(len(ids))
        assert row.n_tokens == max(lengths) <= max_length


def test_windows(english_tokenizer: AlbertTokenizer) -> None:
    assert PASSAGE[37:47] == "the miller"
    none = SquadQuestion("2", PASSAGE, "Who sings?", ())
    untold = SquadQuestion("3", PASSAGE, "Who sits?", None)
    rows = encode_examples("squad2", [WHO, none, untold], english_tokenizer, 32)
    aligned = align_tokens(english_tokenizer, PASSAGE)
    sizes = WindowSizes(32, advance=16, max_question=16)
    expected = [
        window
        for number, (question, answer) in enumerate(((WHO, (37, 47)), (none, None), (untold, None)))
        for window in span_windows(
            english_tokenizer, question.question, aligned, sizes, answer, number
        )
    ]
    assert len(rows) == len(expected) > 6
    for row, window in zip(rows, expected, strict=True):
        assert isinstance(row, SpanRow)
        assert row.sequences == (window.sequence,) and row.n_tokens == len(window.input_ids)
        assert row.example == row.window.question == window.question
        if window.question == 2:
            assert row.span is None
        else:
            assert row.span == (window.answer or (0, 0))
        if window.answer:
            assert row.window.passage.text_of(*row.window.to_passage(*window.answer)) == (
                "the miller"
            )
    assert any(window.answer for window in expected)
    # A passage is aligned once for all its questions.
    assert len({id(row.window.passage) for row in rows if isinstance(row, SpanRow)}) == 1


@pytest.mark.parametrize(
    ("max_length", "sizes"),
    [
        (512, WindowSizes(512, 128, 64)),
        (384, WindowSizes(384, 128, 64)),
        (128, WindowSizes(128, 64, 64)),
        (20, WindowSizes(20, 10, 10)),
    ],
)
def test_windows_advance_by_128_or_half(
    english_tokenizer: AlbertTokenizer, max_length: int, sizes: WindowSizes
) -> None:
    question = SquadQuestion("1", PASSAGE * 12, "Who of the old ones sleeps? " * 9, ())
    rows = encode_examples("squad1", [question], english_tokenizer, max_length)
    aligned = align_tokens(english_tokenizer, question.context)
    windows = span_windows(english_tokenizer, question.question, aligned, sizes)
    assert [row.sequences[0] for row in rows] == [window.sequence for window in windows]
    assert len(rows) > 1 and rows[0].n_tokens == max_length


def test_the_majoritys_answer_is_trained_on(english_tokenizer: AlbertTokenizer) -> None:
    answers = (Answer("the miller", 37), Answer("miller", 41), Answer("miller", 41))
    (row,) = encode_examples(
        "squad1", [SquadQuestion("1", PASSAGE, "Who?", answers)], english_tokenizer, 384
    )
    assert isinstance(row, SpanRow) and row.span is not None
    assert row.window.passage.text_of(*row.window.to_passage(*row.span)) == "miller"


def test_windows_without_the_answer_are_left_out_in_training(
    english_tokenizer: AlbertTokenizer,
) -> None:
    none = SquadQuestion("2", PASSAGE, "Who sings?", ())

    def counts(balance: np.random.Generator | None) -> dict[str, int]:
        rows = encode_examples("squad2", [WHO, none], english_tokenizer, 32, balance=balance)
        return dict(count_answers([row.window for row in rows if isinstance(row, SpanRow)]))

    everything, kept = counts(None), counts(np.random.default_rng(0))
    assert everything["elsewhere"] + everything["cut"] > everything["whole"] > 0
    assert kept["elsewhere"] + kept["cut"] == kept["whole"] == everything["whole"]
    assert kept["unanswerable"] == everything["unanswerable"]
    assert counts(np.random.default_rng(0)) == kept


@pytest.mark.usefixtures("without_shape_checks")
def test_what_does_not_fit_is_refused(english_tokenizer: AlbertTokenizer) -> None:
    text = TextExample("1", "old", None, "1")
    cases: list[tuple[Any, Any, int, str]] = [
        ("squad1", text, 384, r"Example 0 \(from 0\) is a TextExample, but 'squad1' has a Squad"),
        ("sst2", WHO, 384, "is a SquadQuestion, but 'sst2' has a TextExample"),
        ("race", text, 384, "'race' has a ChoiceQuestion"),
        ("cola", text, 384, "is no task"),
        ("sst2", text, 4, "max_length=4 leaves no room"),
        ("race", ChoiceQuestion("1", "a", "b", ("c", "d", "e", "f"), 0), 3, "leaves no room"),
    ]
    for task, example, length, message in cases:
        with pytest.raises(InputError, match=message):
            encode_examples(task, [example], english_tokenizer, length)


def test_published_files(english_tokenizer: AlbertTokenizer, tasks: Path) -> None:
    """Every answer of a published file comes back from its row."""
    data = read_squad(next((tasks / "squad").rglob("dev-v1.1.json")))
    questions = data.questions[:60]
    rows = encode_examples("squad1", questions, english_tokenizer, 384)
    assert {row.example for row in rows} == set(range(60))
    right = set()
    for row in rows:
        assert isinstance(row, SpanRow) and row.n_tokens <= 384 and row.span is not None
        answer = questions[row.example].training_answer
        assert answer is not None
        if row.window.answer is not None:
            text = row.window.passage.text_of(*row.window.to_passage(*row.span))
            assert answer.text in text
            right |= {row.example} if text == answer.text else set()
    assert len(right) >= 58  # an answer that ends within a token comes back longer
    choices = read_race(tasks / "mctest" / "dev")[:8]
    for row, question in zip(
        encode_examples("race", choices, english_tokenizer, 512), choices, strict=True
    ):
        assert isinstance(row, ClassRow) and row.label == question.answer
        assert len(row.sequences) == 4


def test_questions_and_advance_are_as_long_as_asked(english_tokenizer: AlbertTokenizer) -> None:
    options = ("the old mill by the river", "a man", "old", "by")
    question = ChoiceQuestion("1-0", "the old mill " * 20, "a house and a man _", options, 0)
    (row,) = encode_examples("race", [question], english_tokenizer, 40, question_length=3)
    statements = [len(ids) - first - 1 for ids, first in row.sequences]
    assert statements == [3, 3, 3, 3], "the last three tokens, [SEP] left out"
    asked = SquadQuestion("1", "the old mill " * 40, "the house by the river", None)
    rows = encode_examples("squad1", [asked], english_tokenizer, 64, question_length=2, advance=10)
    assert [row.sequences[0][1] for row in rows] == [4] * len(rows), "[CLS], two tokens, [SEP]"
    starts = [row.window.first for row in rows if isinstance(row, SpanRow)]
    assert starts[:3] == [0, 10, 20]
