"""Exercises of chapter 1: cutting text into pieces, and laying two texts into one sequence."""

from __future__ import annotations

from functools import partial

from albert_lib.text.unigram import best_segmentation, mark_words
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.pair_exercises import PADDED, SEQUENCE, TRUNCATED
from albert_lib.workbook.exercises.segmentation import (
    always_fewest,
    another_text,
    border_texts,
    draw_text,
    draw_words,
    foreign,
    foreign_piece,
    marked,
    not_the_text,
    plain_texts,
    segment,
    sums,
)
from albert_lib.workbook.exercises.segmentation_sums import SUM

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
        Misconception(
            "no mark",
            partial(marked, mark=""),
            "You join the words without a mark, so nobody can tell any more where one began. ▁ "
            "takes the place of the white space before each word.",
        ),
        Misconception(
            "marks alone",
            partial(marked, words_kept=False),
            "A mark comes back for every word, and the words are gone. The mark stands before its "
            "word; it does not replace it.",
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
        Misconception(
            "lowest sum",
            partial(segment, rule="lowest sum"),
            lambda trials: (
                "You find the cut with the lowest sum, as if scores were costs. A score is the "
                "logarithm of a probability: the higher the better, and -4 is higher than -9. "
                f"{sums(trials)}."
            ),
        ),
        Misconception(
            "letters alone",
            partial(segment, rule="letters"),
            lambda trials: (
                "You cut into single letters. Either the last way tried to a position replaces "
                "those before it, although they score higher, or you try no piece of more than "
                f"one letter. {sums(trials)}."
            ),
        ),
        Misconception(
            "piece without its score",
            partial(segment, rule="no score"),
            lambda trials: (
                "You compare what it took to reach each start, and the piece's own score is never "
                "added: every way has 0, and the first one stays. A way to `end` scores what the "
                f"way to `start` scored and its last piece. {sums(trials)}."
            ),
        ),
        Misconception(
            "letters lost or doubled",
            partial(segment, overlap=1),
            lambda trials: (
                f"Put together, {another_text(trials)}. A cut leaves every letter in its place, "
                "once: a piece begins where the one before it ended, the first at 0, the last ends "
                "at len(text). Mind that text[start:end] ends before `end`."
            ),
            symptom=not_the_text,
            broad=True,
        ),
        Misconception(
            "no piece of the vocabulary",
            partial(segment, anything=True),
            lambda trials: (
                f"{foreign_piece(trials)} is no piece of the vocabulary. Every letter is one, so "
                "a slice that is not in scores is passed over, whatever its place."
            ),
            symptom=foreign,
            broad=True,
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

EXERCISES = (MARKED, CUT, SUM, SEQUENCE, PADDED, TRUNCATED)
