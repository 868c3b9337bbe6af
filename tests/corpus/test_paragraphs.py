"""Documents as streams of parts: big files by their beginning, endless documents in pieces."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from albert_lib.corpus import packed, paragraphs, read_text_file
from albert_lib.corpus.paragraphs import Part, gather, parts_of_text

SENTENCES = [f"The {number} mills are old." for number in range(300)]
LAYOUTS = {
    "documents": "".join(
        sentence + ("\n\n" if number % 7 == 6 else "\n")
        for number, sentence in enumerate(SENTENCES)
    ),
    "paragraphs apart": "\n\n".join(SENTENCES),
    "no blank line": "\n".join(SENTENCES),
    "wrapped": "\n\n".join(sentence.replace(" old", "\nold") for sentence in SENTENCES),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_read_by_its_beginning_gives_what_it_gives_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    file = tmp_path / "a.txt"
    file.write_text(LAYOUTS[layout])
    whole = list(read_text_file(file))
    assert [sentence for document in whole for sentence in document] == SENTENCES
    assert len(whole) == (43 if layout == "documents" else 1)
    monkeypatch.setattr(paragraphs, "LAYOUT_CHARACTERS", 500)
    monkeypatch.setattr(paragraphs, "PART_CHARACTERS", 100)
    assert list(read_text_file(file)) == whole
    assert max(len("".join(part.paragraphs)) for part in parts_of_text(file)) < 200


def test_a_document_in_parts_ends_once_even_where_a_part_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paragraphs, "PART_CHARACTERS", 4)
    events = [("abcd", 1), (None, 2), (" ", 3), (None, 4), ("e\x0cf", 5), (None, 6), ("g", 7)]
    assert list(gather(events)) == [
        Part(["abcd"], False, 1),
        Part([], True, 2),
        Part(["e", "f"], True, 6),
        Part(["g"], True, 7),
    ]


@pytest.mark.parametrize("line", ["The mill is old.\n", "The mill is\n", "The mill is old. "])
def test_one_endless_document_needs_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(paragraphs, "LAYOUT_CHARACTERS", 1 << 16)
    monkeypatch.setattr(paragraphs, "PART_CHARACTERS", 1 << 14)
    monkeypatch.setattr(packed, "LONGEST_LINE", 1 << 14)

    def peak(n_characters: int) -> int:
        (tmp_path / "a.txt").write_text(line * (n_characters // len(line)))
        tracemalloc.start()
        for _ in parts_of_text(tmp_path / "a.txt"):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(1 << 17)
    assert peak(1 << 20) < 1.2 * peak(1 << 17)
