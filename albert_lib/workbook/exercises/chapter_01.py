"""Exercises of chapter 1: cutting text into pieces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from albert_lib.text.unigram import best_segmentation, mark_words
from albert_lib.workbook.exercise import Exercise, Misconception, Trial, apart

WORDS = ("the", "old", "baker", "walks", "to", "mill", "before", "dawn")


def draw_text(rng: np.random.Generator) -> dict[str, Any]:
    """One or two words of the course's sentence, and a vocabulary with several ways to cut them."""
    text = mark_words(" ".join(rng.choice(WORDS, size=rng.integers(1, 3), replace=False)))
    pieces = set(text)  # every letter is a piece, so there is always a way through
    for _ in range(2 * len(text)):
        start = int(rng.integers(len(text)))
        pieces.add(text[start : start + int(rng.integers(2, 6))])
    drawn = rng.uniform(-9.0, -2.0, size=len(pieces))
    return {
        "text": text,
        "scores": {
            piece: round(float(score), 2)
            for piece, score in zip(sorted(pieces), drawn, strict=True)
        },
    }


def total(pieces: Sequence[str], scores: Mapping[str, float]) -> float:
    """The score of a way to cut: the sum over its pieces."""
    return sum(scores[piece] for piece in pieces)


def longest_piece_first(text: str, scores: Mapping[str, float]) -> list[str]:
    """From the left, always the longest piece that fits."""
    return from_the_left(text, scores, rank=lambda piece: len(piece))


def likeliest_piece_first(text: str, scores: Mapping[str, float]) -> list[str]:
    """From the left, always the piece with the highest score."""
    return from_the_left(text, scores, rank=lambda piece: scores[piece])


def from_the_left(text: str, scores: Mapping[str, float], rank: Any) -> list[str]:
    """Take the piece that ranks highest at the beginning, then go on behind it."""
    pieces = []
    while text:
        pieces.append(max((piece for piece in scores if text.startswith(piece)), key=rank))
        text = text[len(pieces[-1]) :]
    return pieces


def best_path(text: str, gain: Mapping[str, float], accumulate: bool = True) -> list[str]:
    """Viterbi with any gain a piece; without `accumulate` it forgets the way to the piece."""
    best = [0.0] + [-math.inf] * len(text)
    last = [""] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        for start in range(end):
            piece = text[start:end]
            if piece in gain:
                score = gain[piece] + (best[start] if accumulate else 0.0)
                if score > best[end]:
                    best[end], last[end] = score, piece
    pieces: list[str] = []
    end = len(text)
    while end:
        pieces.insert(0, last[end])
        end -= len(last[end])
    return pieces


def fewest_pieces(text: str, scores: Mapping[str, float]) -> list[str]:
    """The cut with the fewest pieces, whatever their scores."""
    return best_path(text, dict.fromkeys(scores, -1.0))


def probabilities_added(text: str, scores: Mapping[str, float]) -> list[str]:
    """The cut with the largest sum of probabilities."""
    return best_path(text, {piece: math.exp(score) for piece, score in scores.items()})


def way_forgotten(text: str, scores: Mapping[str, float]) -> list[str]:
    """At each position the best last piece, without what it cost to get to its start."""
    return best_path(text, scores, accumulate=False)


def from_the_end(text: str, scores: Mapping[str, float]) -> list[str]:
    """The right pieces, in the order in which they are walked back."""
    return best_segmentation(text, scores)[::-1]


def always_fewest(trials: Sequence[Trial]) -> bool:
    """Whether every answer is a cut with the fewest pieces possible; which one, does not matter."""
    return all(
        "".join(trial.answer) == trial.arguments["text"]
        and len(trial.answer) == len(fewest_pieces(**trial.arguments))
        for trial in trials
    )


def sums(trials: Sequence[Trial]) -> str:
    """The simplest wrong cut beside the best one, with their scores."""
    trial = apart(trials)[0]
    text, scores = trial.arguments["text"], trial.arguments["scores"]
    return (
        f"{text!r} as {' + '.join(trial.answer)} scores {total(trial.answer, scores):.2f}, "
        f"as {' + '.join(trial.expected)} it scores {total(trial.expected, scores):.2f}"
    )


EXERCISES = (
    Exercise(
        id="1.2",
        title="Cut a word",
        difficulty=2,
        minutes=15,
        points=3,
        solution=best_segmentation,
        draw=draw_text,
        misconceptions=(
            Misconception(
                "longest piece first",
                longest_piece_first,
                lambda trials: (
                    "You take the longest piece that fits and never look back (that is WordPiece's "
                    f"rule, BERT's). {sums(trials)}. A long piece can leave an expensive rest."
                ),
            ),
            Misconception(
                "likeliest piece first",
                likeliest_piece_first,
                lambda trials: (
                    "You take the best piece at each step, but the best beginning need not belong "
                    f"to the best whole. {sums(trials)}. Keep the best way to every position."
                ),
            ),
            Misconception(
                "fewest pieces",
                fewest_pieces,
                lambda trials: (
                    f"You count pieces instead of adding scores. {sums(trials)}. "
                    "Two likely pieces can beat one rare one."
                ),
                symptom=always_fewest,
            ),
            Misconception(
                "from the end",
                from_the_end,
                "The pieces are right and stand in the wrong order: you walk back from the end "
                "of the text, so the last piece comes first. Reverse the list.",
            ),
            Misconception(
                "probabilities added",
                probabilities_added,
                lambda trials: (
                    "You add probabilities. The probability of a cut is the product over its "
                    "pieces, so it is their logarithms, the scores as they stand, that add up. "
                    f"{sums(trials)}."
                ),
            ),
            Misconception(
                "way forgotten",
                way_forgotten,
                lambda trials: (
                    "At each position you keep the best last piece, without what it took to reach "
                    f"that piece's start: add best[start]. {sums(trials)}."
                ),
            ),
        ),
        hints=(
            "Between the letters of a text of `n` letters there are `n + 1` positions, 0 to `n`. "
            "Keep two lists of that length: the best score of any way to a position, and the last "
            "piece of that way. What is the best score at position 0?",
            "The best way to `end` is the best way to some earlier `start`, then the piece "
            "`text[start:end]`. Try every `start` whose piece is in the vocabulary and keep the "
            "highest sum. At the end, walk back from position `n`, piece by piece.",
            "Inside the two loops: `score = best[start] + scores[piece]`, and "
            "`if score > best[end]: best[end], last[end] = score, piece`. Walking back, step by "
            "`end -= len(last[end])`, then reverse.",
        ),
    ),
)
