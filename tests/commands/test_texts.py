"""Texts from the command line, a file or a pipe; columns that line up; pipes that close early."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from albert_lib.commands.texts import add_text_arguments, columns, texts_from
from albert_lib.errors import TextError
from albert_lib.files import project_folder
from albert_lib.text.width import display_width


def texts(*words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    add_text_arguments(parser, "a text")
    return texts_from(parser.parse_args(words))


def test_texts_are_words_of_the_command_then_lines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes("\ufeffthird\r\n\r\n  \nfourth é\x85 and\u2028 more".encode())
    fourth = "fourth é\x85 and\u2028 more"
    assert texts("first", "second") == ["first", "second"]
    assert texts("--file", str(file), "first", "second") == ["first", "second", "third", fourth]
    assert texts("first", "--file", str(file)) == ["first", "third", fourth]


def test_a_dash_is_standard_input(typed: Callable[[bytes], None]) -> None:
    typed("one\ntwo é".encode())
    assert texts("--file", "-") == ["one", "two é"]
    typed(b"caf\xe9")
    with pytest.raises(TextError, match=r"Standard input is not UTF-8 \(byte 3"):
        texts("--file", "-")


def test_no_text_at_all_is_said(typed: Callable[[bytes], None], tmp_path: Path) -> None:
    typed(b"\n \n")
    for words in ((), ("--file", "-")):
        with pytest.raises(TextError, match="There is no text; give one"):
            texts(*words)
    with pytest.raises(TextError, match=r"gone\.txt does not exist"):
        texts("--file", str(tmp_path / "gone.txt"))


@pytest.mark.parametrize(
    ("text", "places"), [("abc", 3), ("▁a", 2), ("日本", 4), ("é", 1), ("e\u0301", 1), ("Ａ", 2)]
)
def test_wide_characters_take_two_places_and_accents_none(text: str, places: int) -> None:
    assert display_width(text) == places


def test_columns_stand_under_one_another() -> None:
    rows = [("日本", "1", "x"), ("e\u0301", "10", "y"), ("word", "100", "")]
    assert columns(rows, right=(False, True, False)) == [
        "日本    1  x",
        "e\u0301      10  y",
        "word  100",
    ]


def test_a_pipe_that_closes_early_ends_the_command_without_a_word(model: Path) -> None:
    command = [sys.executable, "-m", "albert_lib", "features", "--model", str(model)]
    long = "the man " * 20
    with subprocess.Popen(
        [*command, *[long] * 100],  # more lines than a pipe's buffer takes
        cwd=project_folder(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_terminal_without_the_characters_shows_their_escapes(model: Path) -> None:
    command = [sys.executable, "-X", "utf8=0", "-m", "albert_lib", "features", "--model"]
    shown = subprocess.run(
        [*command, str(model), "bread"],
        cwd=project_folder(),
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert b"\\u2581bread" in shown.stdout
