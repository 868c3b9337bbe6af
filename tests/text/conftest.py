"""The references that the text tests compare with: transformers' tokenizer, and odd texts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.files import data_folder
from albert_lib.text import python_documentation

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
            _spm_precompiled_charsmap=precompiled_charsmap(tokenizer.model),
            model_max_length=512,
            model_input_names=["input_ids", "token_type_ids", "attention_mask"],
            **settings,
        )

    return build


def precompiled_charsmap(model: bytes) -> bytes:
    """SentencePiece's table of characters: field 3 (normaliser) of the model, field 2 within."""
    return protobuf_field(protobuf_field(model, 3), 2)


def protobuf_field(message: bytes, wanted: int) -> bytes:
    """The first length-delimited field of that number in a protobuf message."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        number, wire_type = divmod(varint(), 8)
        if wire_type == 2:
            length = varint()
            position += length
            if number == wanted:
                return message[position - length : position]
        elif wire_type == 0:
            varint()
        else:
            position += {1: 8, 5: 4}[wire_type]
    raise AssertionError(f"no field {wanted}")
