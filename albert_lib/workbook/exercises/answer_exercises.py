"""Exercises 7.9 and 7.10: what is compared of an answer, and F1."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_lib.finetuning.squad_scoring import normalize_answer, word_f1
from albert_lib.workbook.exercise import Exercise, Misconception

# -- 7.9: what is compared

PARTS = (
    *("The", "theatre", "the-end", "A.D.", "an", "Anna", "“Levi’s”", "24–10", "a", "Denver"),
    *("Broncos,", "café", "U.S.", "(1912)", "THE", "don't", "analysis"),
)
ARTICLES = re.compile(r"\b(?:a|an|the)\b")
PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


def draw_answer(rng: np.random.Generator) -> dict[str, Any]:
    """A few words that are hard to normalise, with white space of several kinds between them."""
    words = rng.choice(PARTS, size=int(rng.integers(1, 5)))
    spaces = rng.choice(["", " ", "  ", "\t"], size=2, p=[0.7, 0.1, 0.1, 0.1])
    gap = rng.choice([" ", "  ", "\n"], p=[0.7, 0.2, 0.1])
    return {"text": f"{spaces[0]}{gap.join(words)}{spaces[1]}"}


def bare_answers(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Nothing, nothing that counts, and what is an answer already."""
    return [{"text": text} for text in ("", "  \t", "The", "a an the", "!?", "denver", "A-")]


def joined(text: str) -> str:
    """The words with one space between them."""
    return " ".join(text.split())


def articles_inside_words(text: str) -> str:
    """The letters of articles deleted wherever they stand."""
    return joined(re.sub(r"an|a|the", " ", PUNCTUATION.sub("", text.lower())))


def articles_kept(text: str) -> str:
    """Case, punctuation and white space alone."""
    return joined(PUNCTUATION.sub("", text.lower()))


def punctuation_becomes_space(text: str) -> str:
    """Marks part words."""
    return joined(ARTICLES.sub(" ", PUNCTUATION.sub(" ", text.lower())))


def articles_first(text: str) -> str:
    """Articles while marks still part words."""
    return joined(PUNCTUATION.sub("", ARTICLES.sub(" ", text.lower())))


def case_last(text: str) -> str:
    """Articles are looked for before there are only small letters."""
    return joined(ARTICLES.sub(" ", PUNCTUATION.sub("", text)).lower())


def every_mark(text: str) -> str:
    """Whatever is neither letter, digit nor white space."""
    return joined(ARTICLES.sub(" ", re.sub(r"[^\w\s]|_", "", text.lower())))


def spaces_left(text: str) -> str:
    """White space as it was."""
    return ARTICLES.sub(" ", PUNCTUATION.sub("", text.lower())).strip()


NORMALIZE = Exercise(
    id="7.9",
    title="What is compared",
    difficulty=1,
    minutes=10,
    points=2,
    solution=normalize_answer,
    draw=draw_answer,
    borders=bare_answers,
    misconceptions=(
        Misconception(
            "articles inside words",
            articles_inside_words,
            "You delete the letters of articles inside words too: a theatre becomes “tre”. An "
            "article is a whole word.",
        ),
        Misconception(
            "articles kept",
            articles_kept,
            "The articles are still there. “the Denver Broncos” and “Denver Broncos” are to be the "
            "same answer: a, an and the go, as whole words.",
        ),
        Misconception(
            "punctuation becomes space",
            punctuation_becomes_space,
            "You put a space where punctuation was, so A.D. becomes two words, of which the first "
            "is an article. Punctuation goes and leaves nothing: “ad”.",
        ),
        Misconception(
            "articles before punctuation",
            articles_first,
            "You look for articles while the punctuation still stands, so “the-end” loses its "
            "“the”. Punctuation first; then it is one word, “theend”.",
        ),
        Misconception(
            "case last",
            case_last,
            "You lower the case last, so “The” is not recognised as an article and stays. Lower "
            "first.",
        ),
        Misconception(
            "every mark of Unicode",
            every_mark,
            "You delete curly quotes and dashes too. The official script knows the 32 marks of "
            "string.punctuation and no others; with yours the scores would be better than "
            "anybody else's.",
        ),
        Misconception(
            "white space left",
            spaces_left,
            "Two spaces, tabs or line breaks are left between words, also where an article went. "
            "Join what split() gives with single spaces.",
        ),
    ),
    hints=(
        "A string comes back: small letters, words with one space between them.",
        "Four steps, and their order matters: lower case; delete ASCII punctuation, leaving "
        "nothing; delete the words a, an, the; join white space.",
        r"`re.sub(r'\b(a|an|the)\b', ' ', text)` finds whole words; "
        "`text.translate(str.maketrans('', '', string.punctuation))` deletes marks; "
        "`' '.join(text.split())` ends it.",
    ),
)


# -- 7.10: F1 of words

WORDS = ("denver", "broncos", "new", "york", "city")


def draw_two_answers(rng: np.random.Generator) -> dict[str, Any]:
    """Two lists of few words, so that some are shared and some come twice."""
    sizes = rng.integers(1, 6, size=2)
    predicted, gold = (rng.choice(WORDS, size=int(size)).tolist() for size in sizes)
    return {"predicted": predicted, "gold": gold}


def edges(rng: np.random.Generator) -> list[dict[str, Any]]:
    """No words on either side, the same words, and nothing in common."""
    one, other = ["denver", "broncos"], ["new", "york"]
    pairs: Sequence[tuple[list[str], list[str]]] = (
        ([], []),
        ([], one),
        (one, []),
        (one, one),
        (one, other),
        (one[:1], one),
    )
    return [{"predicted": predicted, "gold": gold} for predicted, gold in pairs]


def shared(predicted: Sequence[str], gold: Sequence[str]) -> int:
    """How many words two lists share, each as often as in both."""
    return (Counter(predicted) & Counter(gold)).total()


def of_sets(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Each word once, however often it comes."""
    return word_f1(sorted(set(predicted)), sorted(set(gold)))


def precision_alone(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The fraction of the prediction that is gold."""
    return shared(predicted, gold) / max(1, len(predicted))


def recall_alone(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The fraction of the gold answer that is predicted."""
    return shared(predicted, gold) / max(1, len(gold))


def plain_mean(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Precision and recall added and halved."""
    return (precision_alone(predicted, gold) + recall_alone(predicted, gold)) / 2


def each_occurrence(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Every predicted word that the gold answer has somewhere, however often."""
    found = sum(word in gold for word in predicted)
    if not found:
        return 0.0
    precision, recall = found / len(predicted), found / len(gold)
    return 2 * precision * recall / (precision + recall)


def of_the_union(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Shared words over all words of both."""
    n = shared(predicted, gold)
    return n / max(1, len(predicted) + len(gold) - n)


def in_place(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Words that stand at the same place."""
    n = sum(one == other for one, other in zip(predicted, gold, strict=False))
    return 2 * n / max(1, len(predicted) + len(gold))


F1 = Exercise(
    id="7.10",
    title="Half right",
    difficulty=1,
    minutes=10,
    points=2,
    solution=word_f1,
    draw=draw_two_answers,
    borders=edges,
    leaves_inputs=True,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "sets of words",
            of_sets,
            "You count each word once, however often it comes. “new new york” against “new york” "
            "shares two words of three: the second “new” has no partner, and costs.",
        ),
        Misconception(
            "precision alone",
            precision_alone,
            "That is precision: which part of the prediction is gold. A single right word would "
            "get everything.",
        ),
        Misconception(
            "recall alone",
            recall_alone,
            "That is recall: which part of the gold answer was predicted. The whole passage as an "
            "answer would get everything.",
        ),
        Misconception(
            "plain mean",
            plain_mean,
            "You average precision and recall. F1 is their harmonic mean, 2pr/(p + r): it stays "
            "near the lower of the two, so that neither can make up for the other.",
        ),
        Misconception(
            "partners used twice",
            each_occurrence,
            "You count every predicted word that the gold answer has somewhere, so one gold word "
            "serves several. Each word of either side has one partner at most.",
        ),
        Misconception(
            "of the union",
            of_the_union,
            "Shared words over all words of both is the Jaccard index; it is below F1 wherever F1 "
            "is neither 0 nor 1.",
        ),
        Misconception(
            "word by word",
            in_place,
            "You compare the words place by place, so one word too many in front costs "
            "everything. F1 does not look at their order.",
        ),
    ),
    hints=(
        "One number from 0 to 1 comes back. Both arguments are lists of words, normalised already.",
        "Count the shared words, each as often as it is in both. Precision divides by the length "
        "of the prediction, recall by that of the gold answer; nothing shared is 0.",
        "`(Counter(predicted) & Counter(gold)).total()` keeps the smaller of two counts; then "
        "`2 * precision * recall / (precision + recall)`.",
    ),
)
