"""The answer from beams, held against going through every candidate as the paper's code does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_lib import AlbertConfig, AlbertForConditionedSpans, AlbertTokenizer
from albert_lib.errors import InputError
from albert_lib.finetuning import (
    SpanBeams,
    SpanWindow,
    WindowSizes,
    beams_of_windows,
    collate,
    predict_from_beams,
    span_windows,
)
from albert_lib.finetuning.encoding import SpanRow
from albert_lib.text.aligned_tokens import align_tokens

TEXT = "By the old mill the sheep and the cattle graze, and the miller sleeps by the old stream."


def windows_of(
    tokenizer: AlbertTokenizer, text: str = TEXT, max_length: int = 16
) -> list[SpanWindow]:
    sizes = WindowSizes(max_length, advance=4, max_question=4)
    return span_windows(tokenizer, "Who?", align_tokens(tokenizer, text), sizes)


def drawn_beams(rng: np.random.Generator, n: int, width: int) -> SpanBeams:
    """Different starts, and different ends of each, from anywhere in an input of this width."""
    starts = rng.permutation(width)[:n]
    ends = np.stack([rng.permutation(width)[:n] for _ in range(n)])
    log_probs = [-rng.random(shape).astype(np.float32) * 9 for shape in ((n,), (n, n))]
    return SpanBeams(starts, log_probs[0], ends, log_probs[1], float(rng.normal()))


def as_the_papers_code(
    windows: list[SpanWindow], beams: list[SpanBeams], max_tokens: int
) -> list[tuple[float, str]]:
    """Score and text of every candidate that its filters leave, the best first, unless empty."""
    left = []
    for window, beam in zip(windows, beams, strict=True):
        offset = window.input_ids.index(3) + 1  # behind the first [SEP]
        length = len(window.input_ids) - offset - 1
        for i, start in enumerate(beam.starts.tolist()):
            for j, end in enumerate(beam.ends[i].tolist()):
                if not (0 <= start - offset < length and end - offset < length):
                    continue
                if not window.best_context[start - offset] or end < start:
                    continue
                if end - start + 1 > max_tokens:
                    continue
                first = window.first + start - offset
                text = window.passage.text_of(first, first + end - start)
                if not text:  # a lone space: the paper's code would answer ""
                    continue
                score = float(beam.start_log_probs[i]) + float(beam.end_log_probs[i, j])
                left.append((score, text))
    return sorted(left, key=lambda each: -each[0])


@settings(deadline=None)
@given(
    n=st.integers(1, 5),
    max_tokens=st.integers(1, 8),
    n_best=st.integers(1, 20),
    seed=st.integers(0, 999),
)
def test_answers_are_those_of_the_papers_filters(
    english_tokenizer: AlbertTokenizer, n: int, max_tokens: int, n_best: int, seed: int
) -> None:
    windows = windows_of(english_tokenizer)
    rng = np.random.default_rng(seed)
    beams = [drawn_beams(rng, n, width=18) for _ in windows]  # two places of padding
    predicted = predict_from_beams(windows, beams, max_tokens=max_tokens, n_best=n_best)
    expected: dict[str, float] = {}
    for score, text in as_the_papers_code(windows, beams, max_tokens)[:n_best]:
        expected.setdefault(text, score)
    assert [each.text for each in predicted.answers] == list(expected)
    assert [each.score for each in predicted.answers] == pytest.approx(list(expected.values()))
    weights = np.exp(list(expected.values()))
    assert [each.probability for each in predicted.answers] == pytest.approx(
        list(weights / weights.sum())
    )
    assert predicted.text() == next(iter(expected), "")
    for each in predicted.answers:
        assert each.text == TEXT[each.start : each.end] != ""
    assert predicted.null_score == min(beam.no_answer_logit for beam in beams)


def test_the_drawn_cases_leave_something_and_nothing(english_tokenizer: AlbertTokenizer) -> None:
    """So that the test above has looked at both."""
    windows = windows_of(english_tokenizer)
    assert len(windows) >= 3
    left = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        beams = [drawn_beams(rng, 2, width=18) for _ in windows]
        left.append(len(as_the_papers_code(windows, beams, 8)))
    assert min(left) == 0 and max(left) >= 3


def test_nothing_left_is_no_answer(english_tokenizer: AlbertTokenizer) -> None:
    """[CLS], the question, [SEP], padding, ends before starts: each likely, none possible."""
    window, *_ = windows_of(english_tokenizer)
    n = len(window.input_ids)
    starts = np.array([0, 1, window.offset + 3, n - 1, n])
    ends = np.array([[0, window.offset], [1, 2], [window.offset + 2, 0], [n - 1, n], [n, n + 1]])
    beams = SpanBeams(starts, np.zeros(5), ends, np.zeros((5, 2)), no_answer_logit=-7.0)
    predicted = predict_from_beams([window], [beams])
    assert predicted.answers == () and predicted.text() == predicted.text(threshold=9.0) == ""
    assert predicted.null_margin == -7.0  # finite, as the search for a threshold wants it


def test_no_answer_is_the_least_logit_and_not_compared_with_spans(
    english_tokenizer: AlbertTokenizer,
) -> None:
    windows = windows_of(english_tokenizer)[:2]
    place = np.array([windows[0].offset])
    beams = SpanBeams(place, np.array([-40.0]), place[None], np.array([[-40.0]]), 3.0)
    predicted = predict_from_beams(windows, [beams, replace(beams, no_answer_logit=1.5)])
    assert predicted.null_score == predicted.null_margin == 1.5
    assert predicted.null_probability == pytest.approx(1 / (1 + math.exp(-1.5)))
    assert predicted.text(threshold=1.5) == predicted.text() == "By"
    assert predicted.text(threshold=1.4) == ""


@torch.no_grad()
def test_from_a_model_to_an_answer(english_tokenizer: AlbertTokenizer) -> None:
    """The best answer's score is its log probability, read off the model's own scores."""
    torch.manual_seed(1)
    config = AlbertConfig(
        vocab_size=len(english_tokenizer), embedding_size=16, hidden_size=32, num_hidden_layers=1,
        num_attention_heads=4, intermediate_size=64, max_position_embeddings=64,
        initializer_range=0.3,
    )  # fmt: skip
    model = AlbertForConditionedSpans(config).eval()
    windows = windows_of(english_tokenizer, max_length=24)
    batch = collate([SpanRow(0, (each.sequence,), each) for each in windows])
    output = model(**batch.inputs)
    predicted = predict_from_beams(windows, beams_of_windows(output), max_tokens=12)
    assert predicted.null_score == pytest.approx(output.no_answer_logits.min().item())
    assert len(predicted.answers) >= 3
    best = predicted.answers[0]
    scores = []
    for row, window in enumerate(windows):
        tokens = window.passage.tokens_of(best.start, best.end)
        assert tokens is not None
        first, last = (token - window.first + window.offset for token in tokens)
        within = window.offset <= first and last < len(window.input_ids) - 1
        if not within or not window.best_context[first - window.offset]:
            continue
        labels = {
            "start_positions": torch.tensor([first] * len(windows)),
            "end_positions": torch.tensor([window.offset] * len(windows)),
            "is_impossible": torch.zeros(len(windows)),
        }
        given = model(**batch.inputs, **labels)
        start = given.start_logits[row].log_softmax(-1)[first]
        scores.append(float(start + given.end_logits[row].log_softmax(-1)[last]))
    assert best.score == pytest.approx(max(scores), abs=1e-5)
    with pytest.raises(InputError, match="call the model without labels"):
        beams_of_windows(given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"windows": []}, "exactly one question"),
        ({"beams": []}, "There are 1 windows, but beams of 0"),
        ({"beams": [{"no_answer_logit": math.nan}]}, "NaN or infinite"),
        ({"beams": [{"start_log_probs": np.array([-np.inf])}]}, "NaN or infinite"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    english_tokenizer: AlbertTokenizer, change: dict[str, Any], message: str
) -> None:
    (window, *_) = windows_of(english_tokenizer)
    place = np.array([window.offset])
    good = SpanBeams(place, np.array([-1.0]), place[None], np.array([[-1.0]]), 0.0)
    arguments = {"windows": [window], "beams": [good], **change}
    arguments["beams"] = [
        replace(good, **each) if isinstance(each, dict) else each for each in arguments["beams"]
    ]
    assert predict_from_beams([window], [good]).text() == "By"
    with pytest.raises(InputError, match=message):
        predict_from_beams(**arguments)
