"""What is no text is called what it is, by whatever reads it, with a remedy that fits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_lib.corpus.readers import events_of_jsonl, text_lines
from albert_lib.errors import TextError
from albert_lib.files import read_json, read_text
from albert_lib.probing.sets.catalogue import SETS
from albert_lib.records import json_lines, json_objects

TEXT = b"The man is a baker.\nThe woman is a baker too.\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
READERS: dict[str, Callable[[Path], Any]] = {
    "text": read_text,
    "json": lambda file: read_json(file, TextError),
    "lines": lambda file: list(json_lines(file)),
    "objects": lambda file: list(json_objects(file)),
    "corpus": lambda file: list(text_lines(file)),
    "corpus of jsonl": lambda file: list(events_of_jsonl(file, "text")),
}
PUBLISHED = {
    **dict.fromkeys(("blimp", "blimp-supplement", "comps", "weat"), "a.jsonl"),
    **dict.fromkeys(("crows-pairs", "french-crows-pairs", "winoqueer", "ewok"), "a.csv"),
    "stereoset": "dev.json",
    "winobias": "pro_stereotyped_type1.txt.dev",
    "bec-pro": "BEC-Pro_EN.tsv",
}


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", TEXT)
    return archive.getvalue()


CASES = {
    "pointer": (POINTER, "is a Git LFS pointer, .*run `git lfs pull` in its folder"),
    "gzip": (gzip.compress(TEXT), "is compressed with gzip; unpack it, and give what is in it"),
    "bzip2": (bz2.compress(TEXT), "is compressed with bzip2; unpack it"),
    "xz": (lzma.compress(TEXT), "is compressed with xz; unpack it"),
    "zip": (zipped(), "is a ZIP archive, as .docx and .xlsx are; unpack it"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF; save it as plain text"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_no_text_is_called_what_it_is(tmp_path: Path, reader: str, case: str) -> None:
    file = tmp_path / "a.txt"
    content, sentence = CASES[case]
    file.write_bytes(content)
    with pytest.raises(TextError, match=rf"a\.txt(, line 1,?)? {sentence}"):
        READERS[reader](file)


def test_every_published_set_knows_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    assert set(PUBLISHED) == set(SETS)
    for name, file in PUBLISHED.items():
        (tmp_path / file).write_bytes(POINTER)
        with pytest.raises(TextError, match=rf"{file}(, line 1)? is a Git LFS pointer"):
            SETS[name].read(tmp_path / file)


@pytest.mark.parametrize("begin", ["BZh is a name.", "PK is one too.", "PAR1 is a gene.", "7z."])
def test_a_text_that_begins_like_one_is_read(tmp_path: Path, begin: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(begin)
    assert read_text(file) == begin
