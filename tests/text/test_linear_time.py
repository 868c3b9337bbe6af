"""Text functions take time in proportion to the text, however odd it is."""

from __future__ import annotations

import contextlib
import importlib
import json
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.corpus import documentation, read_jsonl, read_text_file, readers
from albert_lib.errors import TextError
from albert_lib.text import best_segmentation, mark_words, normalize, split_sentences

# the function, not the module of that name
normalization = importlib.import_module("albert_lib.text.normalize")

N = 4000  # characters of the shorter text
UNITS = [
    *("p. 12 ", ".", "... ", ".'", ". (", "'", '"', "(", "[", " ", "\n", "\n ", "\t", "\r", "\x0b"),
    *("`", "``", "` ", "`a <", ":a", ":", "::", "*", "**a", "* ", "[1]_ ", "-", "---\n", "a-b'"),
    *("\u0301\u0323", "é", "日", "日 ", "[MASK]", "[MASK", "<pad", "a", "A.", "a.b. ", "▁", "1,"),
    *("\ud83d", '"""', "'''\n", '"""a\n', "Args:\n", "a\n=\n", "12. ", "|", "@a ", "{", "\\"),
]
TEMPLATES = [("", unit, "") for unit in UNITS] + [
    ("a", "-b", "-é"),  # a word of many parts that ends badly
    ("`a", " ", "x"),  # a title without its target
    ("Mr", " ", ". A"),
    ("a", ".", "b"),
    ("[1", " ", "]_"),
]
SCORES = {"▁": -3.0, "a": -2.0, "ab": -4.0, ".": -2.5, "▁a": -3.5}


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[str], Any]]:
    tokenizer = AlbertTokenizer.from_pretrained("english-8k")
    file = tmp_path_factory.mktemp("texts") / "a.txt"

    def read_file(text: str) -> None:
        file.write_bytes(text.encode("utf-8", "replace"))
        list(read_text_file(file))

    def read_lines(text: str) -> None:
        file.write_text(json.dumps({"text": text}))
        with contextlib.suppress(TextError):  # blank lines are no text
            list(read_jsonl(file))

    def read_source(text: str) -> None:
        file.write_bytes(text.encode("utf-8", "replace"))
        documentation.docstrings_of(file)

    return {
        "split_sentences": split_sentences,
        "normalize": normalize,
        "remove_accents": normalization.remove_accents,
        "best_segmentation": lambda text: best_segmentation(mark_words(text), SCORES),
        "encode": tokenizer.encode,
        "encode_with_offsets": tokenizer.encode_with_offsets,
        "encode_sentences": lambda text: tokenizer.encode_sentences([text]),
        "decode": lambda text: tokenizer.decode(tokenizer.encode(text)),
        "prose_sentences": documentation.prose_sentences,
        "plain_text": documentation.plain_text,
        "reads_like_english": lambda text: documentation.reads_like_english(f"A {text}."),
        "gather": lambda text: list(readers.gather(readers.events_of(text))),
        "read_text_file": read_file,
        "read_jsonl": read_lines,
        "docstrings_of": read_source,
    }


def seconds(function: Callable[[str], Any], text: str) -> float:
    """Processor time, the less of two: other programs do not count."""
    found = []
    for _ in range(2):
        start = time.process_time()
        function(text)
        found.append(time.process_time() - start)
    return min(found)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: ascii("…".join(template)))
def test_four_times_the_text_takes_about_four_times_as_long(
    functions: dict[str, Callable[[str], Any]], template: tuple[str, str, str]
) -> None:
    prefix, unit, suffix = template
    short, long = (prefix + unit * (n // len(unit)) + suffix for n in (N, 4 * N))
    for name, function in functions.items():
        limit = 8 * seconds(function, short) + 0.05
        assert seconds(function, long) < limit, name


def test_half_a_million_characters_of_page_numbers() -> None:
    """Every "p." is no end of a sentence; all before it was copied to find that out."""
    text = "p. 12 " * 83_334
    start = time.process_time()
    assert split_sentences(text) == [text.strip()]
    assert time.process_time() - start < 30 * seconds(split_sentences, text[: len(text) // 10])


def test_a_word_of_many_parts_is_judged_at_once() -> None:
    """The number of ways to try it once doubled with every part."""
    assert documentation.PLAIN_WORD.fullmatch("a" + "-b" * 60 + "-é") is None
    assert documentation.PLAIN_WORD.fullmatch("a" + "-b" * 60) is not None


def test_marks_are_dropped_alike_wherever_a_slice_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\u0323\u0301 Ǻ\u0344 가각 \u1100\u1161\u11a8 ﬁ ½ \u0f73 e\u0301"
    whole = normalization.remove_accents(text)
    for size in (1, 2, 3, 5):
        monkeypatch.setattr(normalization, "SLICE", size)
        assert normalization.remove_accents(text) == whole


def test_lines_are_read_once(tmp_path: Path) -> None:
    """A line longer than what is read at once comes in parts, each character in one of them."""
    file = tmp_path / "a.txt"
    for content in ("ab " * 20_000, "日" * 20_000, "a" * 50_000):
        file.write_text(content)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(readers, "LONGEST_LINE", 1000)
            parts = [line.text for line in readers.text_lines(file)]
        assert "".join(parts) == content
        assert max(map(len, chain(parts, [""]))) <= 2000
