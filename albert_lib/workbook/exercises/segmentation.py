"""Inputs of 1.1, 1.2 and 1.3, and mistakes of the first two: marked words, the best cut."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from albert_lib.text.unigram import mark_words
from albert_lib.workbook.exercise import Trial, apart

WORDS = ("the", "old", "baker", "walks", "to", "mill", "before", "dawn")
STORY = "the old baker walks to the mill before dawn and the miller fills two sacks with flour"
WHITE_SPACE = (" ", " ", "  ", "\t", "\n", " \n ")
MANY_LETTERS = 300  # each with a probability below 0.01: their product is no float


def draw_words(rng: np.random.Generator) -> dict[str, Any]:
    """Up to five words with white space of several kinds between and around them."""
    words = rng.choice(WORDS, size=rng.integers(1, 6))
    between = rng.choice(WHITE_SPACE, size=len(words) + 1)
    if rng.random() < 0.5:
        between[0] = ""
    if rng.random() < 0.5:
        between[-1] = ""
    pieces = [between[0], *(part for pair in zip(words, between[1:], strict=True) for part in pair)]
    return {"text": "".join(pieces)}


def plain_texts(rng: np.random.Generator) -> list[dict[str, Any]]:
    """No word at all, one word, and the toy sentence."""
    return [{"text": text} for text in ("", "  ", "mill", " ".join(WORDS))]


def marked(
    text: str,
    *,
    mark: str = "▁",
    first_bare: bool = False,
    each_space: bool = False,
    keep_space: bool = False,
    behind: bool = False,
    words_kept: bool = True,
) -> str:
    """`mark_words` with one part exchanged."""
    if not words_kept:
        return mark * len(text.split())
    words = text.replace("\t", " ").replace("\n", " ").split(" ") if each_space else text.split()
    between = " " if keep_space else ""
    if first_bare:
        return (between + mark).join(words)
    return between.join(word + mark if behind else mark + word for word in words)


def draw_vocabulary(text: str, rng: np.random.Generator, n_pieces: int) -> dict[str, float]:
    """Scores for every letter of a text and for pieces of two to five letters, in mixed order.

    With so many digits no two ways to cut a text score the same. Every other vocabulary has rare
    letters, as those of real text are.
    """
    pieces = set(text)  # every letter is a piece, so there is always a way through
    for _ in range(n_pieces if text else 0):
        start = int(rng.integers(len(text)))
        pieces.add(text[start : start + int(rng.integers(2, 6))])
    ordered = rng.permutation(sorted(pieces)).tolist()
    rarest = -16.0 if rng.random() < 0.5 else -9.0
    lowest = [rarest if len(piece) == 1 else -9.0 for piece in ordered]
    return dict(zip(ordered, rng.uniform(lowest, -2.0).tolist(), strict=True))


def draw_text(rng: np.random.Generator) -> dict[str, Any]:
    """One to four words of the toy sentence, and a vocabulary with many or few ways to cut them."""
    n_words = int(rng.choice([1, 1, 1, 2, 2, 4]))
    text = mark_words(" ".join(rng.choice(WORDS, size=n_words, replace=False)))
    if rng.random() < 0.1:
        text = text[: int(rng.integers(1, 4))]
    n_pieces = 2 if rng.random() < 0.2 else 2 * len(text)
    return {"text": text, "scores": draw_vocabulary(text, rng, n_pieces)}


def border_texts(rng: np.random.Generator) -> list[dict[str, Any]]:
    """An empty text, one letter, and a text with more ways to cut it than anybody can try."""
    story = mark_words(STORY)
    return [
        {"text": "", "scores": draw_vocabulary("▁mill", rng, 4)},
        {"text": "▁", "scores": draw_vocabulary("▁mill", rng, 4)},
        {"text": story, "scores": draw_vocabulary(story, rng, 3 * len(story))},
    ]


def border_texts_and_long(rng: np.random.Generator) -> list[dict[str, Any]]:
    """The same, and a text so long that its probability is smaller than any float."""
    letters = "".join(rng.choice(list("abcdefgh"), size=MANY_LETTERS))
    scores = {letter: float(rng.uniform(-9.0, -6.0)) for letter in "abcdefgh"}
    return [*border_texts(rng), {"text": letters, "scores": scores}]


def total(pieces: Sequence[str], scores: Mapping[str, float]) -> float:
    """The score of a way to cut: the sum over its pieces."""
    return sum(scores[piece] for piece in pieces)


def segment(
    text: str,
    scores: Mapping[str, float],
    *,
    rule: str = "highest sum",
    forgetful: bool = False,
    backwards: bool = False,
    overlap: int = 0,
    anything: bool = False,
) -> list[str]:
    """`best_segmentation` with one part exchanged."""
    if rule == "letters":
        pieces = list(text)
    elif rule in ("longest", "likeliest"):
        pieces = from_the_left(text, len if rule == "longest" else scores.__getitem__, scores)
    else:
        gain = {
            "highest sum": scores,
            "lowest sum": {piece: -score for piece, score in scores.items()},
            "no score": dict.fromkeys(scores, 0.0),
            "fewest": dict.fromkeys(scores, -1.0),
            "probabilities": {piece: math.exp(score) for piece, score in scores.items()},
        }[rule]
        if anything and text:
            rarest, slices = min(scores.values()), itertools.combinations(range(len(text) + 1), 2)
            gain = {text[a:b]: rarest for a, b in slices} | dict(gain)
        pieces = best_path(text, gain, forgetful)
    if overlap:
        starts = [0, *np.cumsum([len(piece) for piece in pieces]).tolist()]
        pieces = [text[a : b + overlap] for a, b in pairwise(starts)]
    return pieces[::-1] if backwards else pieces


def from_the_left(text: str, rank: Any, scores: Mapping[str, float]) -> list[str]:
    """Take the piece that ranks highest at the beginning, then go on behind it."""
    pieces = []
    while text:
        pieces.append(max((piece for piece in scores if text.startswith(piece)), key=rank))
        text = text[len(pieces[-1]) :]
    return pieces


def best_path(text: str, gain: Mapping[str, float], forgetful: bool = False) -> list[str]:
    """Viterbi with any gain a piece; a forgetful one leaves out what the way to it gained."""
    best = [0.0] + [-math.inf] * len(text)
    last = [""] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        for start in range(end):
            piece = text[start:end]
            if piece in gain:
                score = gain[piece] + (0.0 if forgetful else best[start])
                if score > best[end]:
                    best[end], last[end] = score, piece
    pieces: list[str] = []
    end = len(text)
    while end:
        pieces.insert(0, last[end])
        end -= len(last[end])
    return pieces


def always_fewest(trials: Sequence[Trial]) -> bool:
    """Whether every answer is a cut with the fewest pieces possible; which one, does not matter."""
    return all(
        "".join(trial.answer) == trial.arguments["text"]
        and len(trial.answer) == len(segment(**trial.arguments, rule="fewest"))
        for trial in trials
    )


def put_together(trial: Trial) -> str:
    """The pieces of an answer, one behind the other."""
    return "".join(map(str, trial.answer))


def not_the_text(trials: Sequence[Trial]) -> bool:
    """Whether the pieces of some answer, put together, are another text."""
    return any(put_together(trial) != trial.arguments["text"] for trial in trials)


def another_text(trials: Sequence[Trial]) -> str:
    """The simplest text beside what its pieces are when put together."""
    trial = next(each for each in trials if put_together(each) != each.arguments["text"])
    return f"your pieces of {trial.arguments['text']!r:.40} are {put_together(trial)!r:.40}"


def foreign(trials: Sequence[Trial]) -> bool:
    """Whether some piece of an answer is in no vocabulary."""
    return any(piece not in trial.arguments["scores"] for trial in trials for piece in trial.answer)


def foreign_piece(trials: Sequence[Trial]) -> str:
    """The first piece that is in no vocabulary, with its text."""
    text, piece = next(
        (trial.arguments["text"], piece)
        for trial in trials
        for piece in trial.answer
        if piece not in trial.arguments["scores"]
    )
    return f"{piece!r:.40}, of {text!r:.40},"


def sums(trials: Sequence[Trial]) -> str:
    """The simplest wrong cut beside the best one, with their scores."""
    trial = apart(trials)[0]
    text, scores = trial.arguments["text"], trial.arguments["scores"]
    if "".join(trial.answer) != text or not all(piece in scores for piece in trial.answer):
        return f"{text!r} is best cut as {' + '.join(trial.expected)}"
    return (
        f"{text!r} as {' + '.join(trial.answer)} scores {total(trial.answer, scores):.2f}, "
        f"as {' + '.join(trial.expected)} it scores {total(trial.expected, scores):.2f}"
    )
