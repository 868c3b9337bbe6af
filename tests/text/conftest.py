"""What the text tests compare with, Google and transformers, and on what: odd texts, corpora."""

from __future__ import annotations

import lzma
import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from google_procedure import GoogleTokenizer

from albert_lib import AlbertTokenizer
from albert_lib.corpus import python_documentation
from albert_lib.files import data_folder
from albert_lib.text.hf_export import character_table

ODD_TEXTS = [
    "the old baker walks to the mill before dawn",
    "The quick brown fox jumps over the lazy dog.",
    "It wasn't her fault, he said; but nobody believed him.",
    "A well-known (and much-loved) author: J. R. R. Tolkien, 1892-1973!",
    "  Tabs\tand\nnew lines,   and spaces  ",
    "naïve café, Ærøskøbing, Ǻngström, ﬁne ﬂour, ½ cup, x² … ™",
    "“Curly” ‘quotes’, ``grave'' ones and plain \"ones\" – or dashes — of all kinds",
    "In 1999 he paid £3.50, then €4,000,000; 25% off in the 1990s, about 3,14 or 2,5",
    "日本語 and Ελληνικά and русский and 한국어 🙂🙂 together",
    "supercalifragilisticexpialidocious antidisestablishmentarianism zzzzzzzz",
    "e-mail me@example.org or see https://example.org/a_b?c=d&e=f#g",
    "...wait... what?!  (no) [yes] {maybe} <never> a/b\\c ^ ~ | ` @ # $ % & * + =",
    "",
    "   ",
    "a",
    ".",
    "ПРИВЕТ MIR",
]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Odd texts, then two hundred sentences of English from Python's own documentation."""
    english = chain.from_iterable(python_documentation(packages=()))
    return [*ODD_TEXTS, *islice(english, 200)]


@pytest.fixture(scope="session", params=["english-8k", "published"])
def any_tokenizer(request: pytest.FixtureRequest) -> AlbertTokenizer:
    """First the project's own vocabulary, then the published one where there is a copy."""
    if request.param == "english-8k":
        return AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
    return request.getfixturevalue("published")


@pytest.fixture(scope="session")
def published(shared_data: Path) -> AlbertTokenizer:
    """The tokenizer of the published ALBERT."""
    if not (shared_data / "albert" / "spiece.model").is_file():
        pytest.skip(f"no published spiece.model under {shared_data}")
    return AlbertTokenizer.from_pretrained(shared_data / "albert")


@pytest.fixture(scope="session")
def hugging_face() -> Callable[..., Any]:
    """Builds transformers' AlbertTokenizer over the same pieces; it has no digit-comma rule."""
    from transformers import AlbertTokenizer as Reference

    def build(tokenizer: AlbertTokenizer, **settings: Any) -> Any:
        return Reference(
            vocab=list(zip(tokenizer.pieces, map(float, tokenizer.scores), strict=True)),
            _spm_precompiled_charsmap=character_table(tokenizer.model),
            model_max_length=512,
            model_input_names=["input_ids", "token_type_ids", "attention_mask"],
            **settings,
        )

    return build


@pytest.fixture(scope="session")
def google() -> Callable[[AlbertTokenizer], GoogleTokenizer]:
    """Builds Google's procedure over the same pieces."""
    return lambda tokenizer: GoogleTokenizer(tokenizer.model)


@pytest.fixture(scope="session")
def corpus_lines(shared_data: Path) -> list[str]:
    """3,000 paragraphs from each file of encyclopedia, books and textbooks, about 24,000."""
    files = sorted((shared_data / "corpus").glob("*.txt.xz"))
    return [line for file in files for line in islice(paragraphs(file), 3000)]


@pytest.fixture(scope="session")
def number_lines(shared_data: Path) -> list[str]:
    """5,000 paragraphs of an encyclopedia in which digits stand before commas."""
    lines = paragraphs(shared_data / "corpus" / "wikipedia-04.txt.xz")
    return list(islice((line for line in lines if len(re.findall(r"\d,", line)) > 1), 5000))


def paragraphs(file: Path) -> Iterator[str]:
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        yield from (line.strip() for line in lines if not line.isspace())
