"""Exercise 7.3: the best span."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from albert_lib.finetuning.passage_spans import best_span
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.span_answers import (
    another_is_better,
    backwards,
    each_by_itself,
    end_first,
    ends_before_it_starts,
    first_token,
    reaches_outside,
    span_like,
    start_first,
    too_long,
    which_is_better,
    whole_input,
    whole_passage,
)


def draw_two_scores(rng: np.random.Generator) -> dict[str, Any]:
    """Scores of starts and ends, no two alike, and a passage between two other parts."""
    n = int(rng.integers(7, 13))
    first, last = int(rng.integers(2, 4)), n - 2
    allowed = np.zeros(n, dtype=bool)
    allowed[first : last + 1] = True
    starts, ends = rng.normal(scale=3.0, size=(2, n)).round(2)
    return {
        "start_scores": starts,
        "end_scores": ends,
        "allowed": allowed,
        "max_tokens": int(rng.integers(1, 5)),
    }


def edge_passages(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One position; a passage from end to end; spans of one token; of more than there are."""
    starts, ends = rng.normal(scale=3.0, size=(2, 6))
    last = np.arange(6) == 5
    return [
        {"start_scores": starts[:n], "end_scores": ends[:n], "allowed": allowed, "max_tokens": most}
        for n, allowed, most in (
            (1, ~last[:1], 1),
            (6, last, 4),
            (6, ~last | last, 1),
            (6, ~last | last, 30),
        )
    ]


SPAN = Exercise(
    id="7.3",
    title="The best span",
    difficulty=2,
    minutes=15,
    points=3,
    solution=best_span,
    draw=draw_two_scores,
    borders=edge_passages,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "each by itself",
            each_by_itself,
            "You take the best start and the best end, each by itself. They need not fit: an end "
            "before its start, or half a passage between them. Look for the best pair.",
        ),
        Misconception(
            "start first",
            start_first,
            "You fix the best start and then look for an end. Sometimes its best end is poor, and "
            "the second best start has a far better one: only the sum decides.",
        ),
        Misconception(
            "end first",
            end_first,
            "You fix the best end and then look for a start. Another end with a far better start "
            "may come to more: only the sum decides.",
        ),
        Misconception(
            "one token too long",
            partial(span_like, longer=1),
            "Your spans may be one token longer than max_tokens. Both ends belong to the span, so "
            "from first to last are last - first + 1 tokens.",
        ),
        Misconception(
            "one token too short",
            partial(span_like, longer=-1),
            "Your spans stop one token short of max_tokens. A span of max_tokens is still allowed: "
            "last - first may be max_tokens - 1.",
        ),
        Misconception(
            "of any length",
            partial(span_like, longer=1000),
            "You do not use max_tokens: a start at one end of the passage and an end at the other "
            "make an answer that nobody gave.",
        ),
        Misconception(
            "counted from position 0",
            partial(span_like, counted_from=0),
            "You hold the last position itself against max_tokens, as if the span began at 0. Its "
            "length is counted from its own first token.",
        ),
        Misconception(
            "no single tokens",
            partial(span_like, shortest=2),
            "You never answer with a single token. Its first is also its last: first == last is "
            "allowed.",
        ),
        Misconception(
            "outside the passage",
            partial(span_like, outside=("its own", "its own")),
            "Your spans reach into the question or the special tokens. Only positions with "
            "allowed may start or end an answer.",
        ),
        Misconception(
            "0 outside the passage",
            partial(span_like, outside=(0.0, 0.0)),
            "You give positions outside the passage a score of 0. That is no small score: where "
            "those inside are below 0 it wins. Outside, the score is −∞.",
        ),
        Misconception(
            "starts outside",
            partial(span_like, outside=("its own", -np.inf)),
            "Your ends lie in the passage, and your starts need not. Both have to be allowed.",
        ),
        Misconception(
            "ends outside",
            partial(span_like, outside=(-np.inf, "its own")),
            "Your starts lie in the passage, and your ends need not. Both have to be allowed.",
        ),
        Misconception(
            "impossible spans at 0",
            partial(span_like, impossible=0.0),
            "You give spans that are too long, or end before they start, a sum of 0. Where all "
            "others are below 0 that wins. What is impossible gets −∞.",
        ),
        Misconception(
            "end scores alone",
            partial(span_like, weights=(0, 1)),
            "The starts' scores are not in your answer: any start is as good as another, so the "
            "first that fits is taken. Add the score of the start to that of the end.",
        ),
        Misconception(
            "start scores alone",
            partial(span_like, weights=(1, 0)),
            "The ends' scores are not in your answer, so you take the best start by itself. Add "
            "the score of the end to that of the start.",
        ),
        Misconception(
            "end score taken off",
            partial(span_like, weights=(1, -1)),
            "You take the end's score off the start's, so the poorest end wins. Both scores say "
            "how good a position is: add them.",
        ),
        Misconception(
            "end scores twice",
            partial(span_like, ends_alone=True),
            "You score the starts with the ends' scores too. A start has a score of its own.",
        ),
        Misconception(
            "the lowest",
            partial(span_like, best="lowest"),
            "You take the lowest sum of all, and that is an impossible span at −∞. Take the "
            "highest.",
        ),
        Misconception(
            "the lowest possible",
            partial(span_like, best="lowest possible"),
            "You keep the poorest span of all that may be given. Keep the one with the highest "
            "sum.",
        ),
        Misconception(
            "start returned twice",
            partial(span_like, returned=(0, 0)),
            "Both of your numbers are the start. The second is the span's last token.",
        ),
        Misconception(
            "end returned twice",
            partial(span_like, returned=(1, 1)),
            "Both of your numbers are the end. The first is the span's first token.",
        ),
        Misconception(
            "start and end exchanged",
            partial(span_like, returned=(1, 0)),
            "Your two numbers stand in each other's place: the first token comes first.",
        ),
        Misconception(
            "end exclusive",
            partial(span_like, behind=1),
            "Your second number is the position behind the span, as in a slice. Here it is the "
            "last token of the answer itself, as the model's end score means it.",
        ),
        Misconception(
            "reaches outside",
            whole_input,
            "Some of your spans begin or end where it is not allowed. Both ends have to lie in the "
            "passage.",
            reaches_outside,
            broad=True,
        ),
        Misconception(
            "end before start",
            backwards,
            "Some of your spans end before they start. A pair counts only where first <= last.",
            ends_before_it_starts,
            broad=True,
        ),
        Misconception(
            "too long",
            whole_passage,
            "Some of your spans hold more than max_tokens. From first to last are last - first + 1 "
            "tokens, since both ends belong to them.",
            too_long,
            broad=True,
        ),
        Misconception(
            "another is better",
            first_token,
            which_is_better,
            another_is_better,
            broad=True,
        ),
    ),
    hints=(
        "Two whole numbers come back, (first, last), both positions of the input, both part of the "
        "answer. A single token has first == last.",
        "Every pair with first <= last <= first + max_tokens - 1 is a candidate if both are "
        "allowed; its score is a start score plus an end score. Keep the highest.",
        "Two loops do: `for first in np.flatnonzero(allowed)`, and inside "
        "`for last in range(first, min(first + max_tokens, len(allowed)))`, if `allowed[last]`.",
    ),
)
