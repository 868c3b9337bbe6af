"""Exercises of chapter 1: cutting text into pieces, and laying two texts into one sequence."""

from __future__ import annotations

from functools import partial

from albert_lib.text.unigram import best_segmentation, marginal_log_likelihood, mark_words
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.pair_exercises import PADDED, SEQUENCE, TRUNCATED
from albert_lib.workbook.exercises.segmentation import (
    all_together,
    always_fewest,
    border_texts,
    border_texts_and_long,
    draw_text,
    draw_words,
    marked,
    plain_texts,
    segment,
    sums,
)

MARKED = Exercise(
    id="1.1",
    title="Mark the words",
    difficulty=1,
    minutes=4,
    points=1,
    solution=mark_words,
    draw=draw_words,
    borders=plain_texts,
    misconceptions=(
        Misconception(
            "underscore",
            partial(marked, mark="_"),
            "You write the underscore of your keyboard, U+005F. SentencePiece's mark is ▁, U+2581: "
            'it looks alike and is another character. Copy it, or write "\\u2581".',
        ),
        Misconception(
            "first word bare",
            partial(marked, first_bare=True),
            "Your first word has no mark. ▁ stands before every word, the first one included: else "
            "mill at the beginning of a text would be another piece than mill after a space.",
        ),
        Misconception(
            "every space marked",
            partial(marked, each_space=True),
            "Two spaces in a row become two marks in your text. White space of any length parts "
            "two words, and none at all is left at the ends: text.split(), without an argument, "
            "does both.",
        ),
        Misconception(
            "space kept",
            partial(marked, keep_space=True),
            "Your text still has its spaces. The mark stands in their place, so that the text can "
            "be put together again from its pieces and nothing else.",
        ),
        Misconception(
            "mark behind",
            partial(marked, behind=True),
            "Your mark stands behind each word. SentencePiece writes it in front: a piece that "
            "begins with ▁ begins a word.",
        ),
    ),
    hints=(
        "A text comes in and a text goes out. Between them there is a list: the words.",
        "`text.split()` without an argument parts a text at white space of any kind and length, "
        "and gives no empty words. Put the mark in front of each word, then join them.",
        '`return "".join("▁" + word for word in text.split())`',
    ),
)

CUT = Exercise(
    id="1.2",
    title="Cut a word",
    difficulty=2,
    minutes=15,
    points=3,
    solution=best_segmentation,
    draw=draw_text,
    borders=border_texts,
    misconceptions=(
        Misconception(
            "longest piece first",
            partial(segment, rule="longest"),
            lambda trials: (
                "You take the longest piece that fits and never look back (that is WordPiece's "
                f"rule, BERT's). {sums(trials)}. A long piece can leave an expensive rest."
            ),
        ),
        Misconception(
            "likeliest piece first",
            partial(segment, rule="likeliest"),
            lambda trials: (
                "You take the best piece at each step, but the best beginning need not belong "
                f"to the best whole. {sums(trials)}. Keep the best way to every position."
            ),
        ),
        Misconception(
            "fewest pieces",
            partial(segment, rule="fewest"),
            lambda trials: (
                f"You count pieces instead of adding scores. {sums(trials)}. "
                "Two likely pieces can beat one rare one."
            ),
            symptom=always_fewest,
        ),
        Misconception(
            "from the end",
            partial(segment, backwards=True),
            "Your pieces stand in the wrong order: you walk back from the end of the text, so the "
            "last piece comes first. Reverse the list.",
        ),
        Misconception(
            "probabilities added",
            partial(segment, rule="probabilities"),
            lambda trials: (
                "You add probabilities. The probability of a cut is the product over its "
                "pieces, so it is their logarithms, the scores as they stand, that add up. "
                f"{sums(trials)}."
            ),
        ),
        Misconception(
            "way forgotten",
            partial(segment, forgetful=True),
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
)

SUM = Exercise(
    id="1.4",
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
            partial(all_together, best_only=True),
            "Your number is the score of the best way alone, Viterbi's. The text can come about in "
            "every one of its ways, so their probabilities add up: where Viterbi keeps the higher "
            "of two numbers, add the two.",
        ),
        Misconception(
            "logarithms added",
            partial(all_together, logarithms=True),
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

EXERCISES = (MARKED, CUT, SUM, SEQUENCE, PADDED, TRUNCATED)
