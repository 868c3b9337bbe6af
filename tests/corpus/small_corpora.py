"""Texts to build small corpora from, and what tests of building have in common."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from albert_lib.corpus import writing

WORDS = "baker miller sailor bread water before sings walks the and old mill".split()


def write_texts(folder: Path, n_files: int = 5, n_documents: int = 12) -> Path:
    """Write documents of one to six short paragraphs, by files."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for number in range(n_files):
        documents = [
            "\n".join(
                " ".join(rng.choice(WORDS, 9)).capitalize() + ". It was so."
                for _ in range(rng.integers(1, 7))
            )
            for _ in range(n_documents)
        ]
        (folder / f"{number}.txt").write_text("\n\n".join(documents), encoding="utf-8")
    return folder


def content(folder: Path) -> dict[str, str]:
    """A digest of every file of both stores, and of the list of sources."""
    files = [*folder.glob("*/*"), folder / "sources.json"]
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def fail_after(monkeypatch: pytest.MonkeyPatch, n_calls: int, problem: BaseException) -> None:
    """Let writing to a store's file fail at a certain call."""
    calls = iter(range(n_calls))
    append = writing.GrowingFile.append

    def limited(self: writing.GrowingFile, numbers: object) -> None:
        if next(calls, None) is None:
            raise problem
        append(self, numbers)

    monkeypatch.setattr(writing.GrowingFile, "append", limited)
