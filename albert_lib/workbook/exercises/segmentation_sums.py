"""Exercise 1.3: the sum over all ways to cut a text, and how people get it wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from albert_lib.text.unigram import marginal_log_likelihood
from albert_lib.workbook.exercise import Exercise, Misconception, Trial, apart
from albert_lib.workbook.exercises.segmentation import (
    best_path,
    border_texts_and_long,
    draw_text,
    total,
)

NEAR = 1e-9


def all_together(
    text: str,
    scores: Mapping[str, float],
    *,
    rule: str = "all ways",
    begin: float = 0.0,
    sign: float = 1.0,
    shortest: int = 1,
    longest: int = 0,
    last_start: int = 1,
    anything: bool = False,
    by_hand: bool = False,
    per_way: bool = False,
    plain: bool = False,
    probability: bool = False,
) -> float:
    """`marginal_log_likelihood` with one part exchanged."""
    ways = np.array([begin] + [-np.inf] * len(text))  # log of what has come so far
    number = np.array([1.0] + [0.0] * len(text))  # of ways to each position
    rarest = min(scores.values())
    for start, end in _places(len(text), shortest, longest or max(map(len, scores)), last_start):
        piece = text[start:end]
        if piece not in scores and not anything:
            continue
        own = sign * scores.get(piece, rarest)
        way = {"forgetful": own, "ways counted": ways[start]}.get(rule, ways[start] + own)
        if rule == "logarithms":  # every way's score, added up
            before = 0.0 if number[end] == 0 else ways[end]
            ways[end] = before + ways[start] + number[start] * own
        elif rule == "best only":
            ways[end] = max(ways[end], way)
        else:
            ways[end] = (_added_by_hand if by_hand else np.logaddexp)(ways[end], way)
        number[end] += number[start]
    if plain and ways[-1] < math.log(np.finfo(float).smallest_subnormal):
        return -math.inf
    result = float(ways[-1]) - (math.log(number[-1]) if per_way else 0.0)
    return math.exp(result) if probability else result


def _added_by_hand(one: float, other: float) -> float:
    """`np.logaddexp`, but nan for two that are -inf."""
    higher, lower = max(one, other), min(one, other)
    with np.errstate(invalid="ignore"):
        return float(higher + np.log1p(np.exp(lower - higher)))


def _places(n: int, shortest: int, longest: int, last_start: int) -> list[tuple[int, int]]:
    """Where a piece can start and end, so that all that ends at a place is before what starts."""
    starts = range(n + 1 - last_start)
    return [
        (start, end)
        for start in starts
        for end in range(start + shortest, min(start + longest, n) + 1)
    ]


def no_way_arrives(trials: Sequence[Trial]) -> bool:
    """Whether every text with a letter has the answer -inf, or nan."""
    return not any(trial.answer > -math.inf for trial in trials if trial.arguments["text"])


def too_little(trials: Sequence[Trial]) -> bool:
    """Whether every wrong answer is smaller than the right one."""
    return all(trial.answer < trial.expected for trial in apart(trials, NEAR))


def too_much(trials: Sequence[Trial]) -> bool:
    """Whether every wrong answer is a number larger than the right one."""
    return all(trial.expected < trial.answer < math.inf for trial in apart(trials, NEAR))


def below_the_best(trials: Sequence[Trial]) -> str:
    """A text whose best way alone has more than the answer, as a sentence, if there is one."""
    for trial in apart(trials, NEAR):
        text, scores = trial.arguments["text"], trial.arguments["scores"]
        best = total(best_path(text, scores), scores)
        if trial.answer < best - NEAR:
            return (
                f" Of {text!r:.40} the best way alone has {best:.2f}, you have "
                f"{trial.answer:.2f} for all together: no sum is below one of its terms."
            )
    return ""


SUM = Exercise(
    id="1.3",
    title="Add up all ways",
    difficulty=2,
    minutes=10,
    points=2,
    solution=marginal_log_likelihood,
    draw=draw_text,
    borders=border_texts_and_long,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "best way only",
            partial(all_together, rule="best only"),
            "Your number is the score of the best way alone, Viterbi's. The text can come about in "
            "every one of its ways, so their probabilities add up: where Viterbi keeps the higher "
            "of two numbers, add the two.",
        ),
        Misconception(
            "logarithms added",
            partial(all_together, rule="logarithms"),
            "You add the scores of all ways. A sum of logarithms is the logarithm of a product, "
            "and here probabilities are to be added: np.logaddexp(a, b) is log(exp(a) + exp(b)).",
        ),
        Misconception(
            "average of the ways",
            partial(all_together, per_way=True),
            "You divide by the number of ways. No way is drawn evenly from the others here: each "
            "has a probability of its own, and the text's is their sum.",
        ),
        Misconception(
            "too small for a float",
            partial(all_together, plain=True),
            "Right on short texts, but on a long one your answer is -inf: a product of hundreds "
            "of probabilities is smaller than any float and becomes 0. Keep logarithms all the "
            "way and add with np.logaddexp.",
        ),
        Misconception(
            "probability, not its logarithm",
            partial(all_together, probability=True),
            "You return the probability. Its logarithm is asked for: the probability of a page of "
            "text is too small for a float.",
        ),
        Misconception(
            "begins with 1",
            partial(all_together, begin=1.0),
            "Your answer is too large by 1: you put 1 at position 0. The probability of having "
            "nothing yet is 1, but logarithms are kept, and the logarithm of 1 is 0.",
        ),
        Misconception(
            "ways counted",
            partial(all_together, rule="ways counted"),
            "You count the ways: your number is the logarithm of how many there are. Every piece "
            "on a way brings its score: add scores[piece] to what its start has.",
        ),
        Misconception(
            "way forgotten",
            partial(all_together, rule="forgetful"),
            "You add up the last pieces alone, without what came before them. A piece brings all "
            "ways to its start on to its end: its score is added to ways[start].",
        ),
        Misconception(
            "one way only",
            partial(all_together, longest=1),
            "One way is left at the end, that of single letters: either the last piece to end at a "
            "position replaces what others brought there, or no piece is longer than a letter. "
            "What a piece brings comes beside what has arrived already: add the two.",
        ),
        Misconception(
            "scores subtracted",
            partial(all_together, sign=-1.0),
            "You subtract the scores, so that a rare piece makes a text likelier. Scores are "
            "logarithms of probabilities and negative already: add them as they stand.",
        ),
        Misconception(
            "no single letters",
            partial(all_together, shortest=2),
            "Your pieces have two letters at least. A single letter is a piece too: from `start` "
            "the nearest end is start + 1.",
        ),
        Misconception(
            "no way arrives",
            partial(all_together, begin=-math.inf),
            "Your answer is -inf, or nan, for every text: no way arrives at its end. Position 0 "
            "begins with the logarithm of 1, which is 0; there are len(text) + 1 positions, so the "
            "last piece ends at len(text); and what a piece brings has to be kept.",
            symptom=no_way_arrives,
        ),
        Misconception(
            "nan where nothing arrived",
            partial(all_together, by_hand=True, shortest=2),
            lambda trials: (
                f"On {sum(math.isnan(trial.answer) for trial in trials)} of {len(trials)} texts "
                "your answer is nan: that is what -inf less -inf gives, where no way has arrived "
                "yet. Single letters arrive everywhere, so a way is left out, too; and "
                "np.logaddexp(a, b) minds the infinite by itself."
            ),
            symptom=lambda trials: any(math.isnan(trial.answer) for trial in trials),
            broad=True,
        ),
        Misconception(
            "ways left out",
            partial(all_together, last_start=2),
            lambda trials: (
                "Wherever you differ, your sum is too small: some ways are left out, or arrive "
                f"smaller than they are. Do your loops reach the first and the last letter?"
                f"{below_the_best(trials)}"
            ),
            symptom=too_little,
            broad=True,
        ),
        Misconception(
            "counted too often",
            partial(all_together, anything=True),
            "Wherever you differ, your sum is too large: a way is counted twice, or something "
            "counts that is no piece of the vocabulary, or is given too high a score.",
            symptom=too_much,
            broad=True,
        ),
    ),
    hints=(
        "Keep one list of `n + 1` numbers, for the positions 0 to `n`: the logarithm of the "
        "probability of everything to the left of a position. It is 0 at position 0, and "
        "`-inf` where no way has arrived yet.",
        "It is Viterbi with one word changed. A piece from `start` to `end` brings all ways to "
        "`start` on to `end`. Where Viterbi keeps the maximum, add what comes to what is there. "
        "There is nothing to walk back.",
        "Inside the two loops: `ways[end] = np.logaddexp(ways[end], ways[start] + "
        "scores[piece])`; after them, `return float(ways[-1])`.",
    ),
)
