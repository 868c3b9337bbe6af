"""Exercise 7.4: what is compared of an answer."""

from __future__ import annotations

import re
import string
from typing import Any

import numpy as np

from albert_lib.finetuning.squad_scoring import normalize_answer
from albert_lib.workbook.exercise import Exercise, Misconception

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


def case_kept(text: str) -> str:
    """Capitals stay, so that a capital article stays too."""
    return joined(ARTICLES.sub(" ", PUNCTUATION.sub("", text)))


def punctuation_kept(text: str) -> str:
    """Case, articles and white space alone."""
    return joined(ARTICLES.sub(" ", text.lower()))


def first_article_alone(text: str) -> str:
    """One article goes, and any further one stays."""
    return joined(ARTICLES.sub(" ", PUNCTUATION.sub("", text.lower()), count=1))


def nothing_left(text: str) -> str:
    """The pattern is looked for in the replacement."""
    return joined(ARTICLES.sub(text, " "))


def spaces_left(text: str) -> str:
    """White space as it was."""
    return ARTICLES.sub(" ", PUNCTUATION.sub("", text.lower())).strip()


NORMALIZE = Exercise(
    id="7.4",
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
            "case kept",
            case_kept,
            "Your capitals are still there. “Denver” and “denver” are to be the same answer, and "
            "“The” is an article too: lower everything first.",
        ),
        Misconception(
            "punctuation kept",
            punctuation_kept,
            "The punctuation is still there. “Broncos,” and “Broncos” are to be the same answer: "
            "every mark of string.punctuation goes.",
        ),
        Misconception(
            "first article alone",
            first_article_alone,
            "You delete one article and leave any that follow. All of them go.",
        ),
        Misconception(
            "text and replacement exchanged",
            nothing_left,
            "Nothing is left of any text: you look for articles in a space and would put the text "
            "in their place. Of sub, the replacement comes first, then the text.",
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
