"""Text files as streams: line by line, packed or not; endless documents in parts."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from pathlib import Path

import pytest

from albert_lib.corpus import read_documents, read_text_file, readers
from albert_lib.corpus.readers import DocumentPart, gather, parts_of_text, text_lines
from albert_lib.errors import TextError

TEXT = "\ufeffThe mill is old.\r\n\r\nZoë came.\rShe slept.\nHe did not."
LINES = ["The mill is old.", "", "Zoë came.", "She slept.", "He did not."]
PACKERS = {
    "a.txt": bytes,
    "a.txt.gz": gzip.compress,
    "a.txt.bz2": bz2.compress,
    "a.txt.xz": lzma.compress,
    "a.txt.lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
}


def texts(path: Path) -> list[str]:
    return [line.text for line in text_lines(path)]


@pytest.mark.parametrize("name", PACKERS)
def test_lines_are_the_same_however_they_are_packed(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(PACKERS[name](TEXT.encode()))
    lines = list(text_lines(file))
    assert [line.text for line in lines] == LINES
    assert lines[-1].position == file.stat().st_size


def test_packed_files_unpack_to_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(b"One is here.\nTwo.\n\nThree."))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"text": "Four."}\n'))
    (tmp_path / "c.jsonl").write_text('{"text": "Five."}')
    (tmp_path / ".hidden.txt").write_bytes(b"\xff\xfe")
    expected = [["One is here.", "Two."], ["Three."], ["Four."], ["Five."]]
    assert list(read_documents(tmp_path)) == expected


@pytest.mark.parametrize("name", [name for name in PACKERS if name != "a.txt"])
@pytest.mark.parametrize("damage", ["cut short", "overwritten"])
def test_a_damaged_packing_is_one_sentence(tmp_path: Path, name: str, damage: str) -> None:
    content = bytearray(PACKERS[name](("The mill is old. " * 9 + "\n").encode() * 5000))
    if damage == "cut short":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TextError, match=rf"{name} is damaged or cut short \(.+\); copy or") as info:
        texts(tmp_path / name)
    assert str(info.value).count("\n") == 0


def test_bad_utf8_deep_inside_a_packed_file_is_located(tmp_path: Path) -> None:
    good = b"The mill is old.\n" * 100_000
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(good + b"caf\xe9\n" + good, preset=0))
    message = rf"a\.txt\.xz is not UTF-8 \(byte {len(good) + 3} of the decompressed text"
    with pytest.raises(TextError, match=message):
        texts(tmp_path / "a.txt.xz")


def test_a_folder_named_like_a_file_and_a_missing_file_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(TextError, match=r"a\.txt cannot be read"):
        texts(tmp_path / "a.txt")
    with pytest.raises(TextError, match=r"b\.txt does not exist"):
        texts(tmp_path / "b.txt")


@pytest.mark.parametrize(
    "text", ["ab cd ef gh ij", "abcdefghij", "éèêëüöä€ß字字字", "a" * 7 + "字"]
)
def test_an_overlong_line_comes_in_parts_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(readers, "LONGEST_LINE", 8)
    (tmp_path / "a.txt").write_text(text + "\n\nnext", encoding="utf-8", newline="")
    parts = texts(tmp_path / "a.txt")
    assert "".join(parts) == text + "next"
    assert parts[-1] == "next"
    assert len(parts) > 3
    if " " in text:
        assert all(part.endswith(" ") for part in parts[: parts.index("") - 1])


def test_a_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    text = b"The mill is old.\n" * 100_000
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(text, 1))
    tracemalloc.start()
    n_lines = sum(1 for _ in text_lines(tmp_path / "a.txt.gz"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_lines == 100_000
    assert peak < len(text) / 8


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
    monkeypatch.setattr(readers, "LAYOUT_CHARACTERS", 500)
    monkeypatch.setattr(readers, "PART_CHARACTERS", 100)
    assert list(read_text_file(file)) == whole
    assert max(len("".join(part.paragraphs)) for part in parts_of_text(file)) < 200


def test_a_document_in_parts_ends_once_even_where_a_part_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readers, "PART_CHARACTERS", 4)
    events = [("abcd", 1), (None, 2), (" ", 3), (None, 4), ("e\x0cf", 5), (None, 6), ("g", 7)]
    assert list(gather(events)) == [
        DocumentPart(["abcd"], False, 1),
        DocumentPart([], True, 2),
        DocumentPart(["e", "f"], True, 6),
        DocumentPart(["g"], True, 7),
    ]


@pytest.mark.parametrize("line", ["The mill is old.\n", "The mill is\n", "The mill is old. "])
def test_one_endless_document_needs_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(readers, "LAYOUT_CHARACTERS", 1 << 16)
    monkeypatch.setattr(readers, "PART_CHARACTERS", 1 << 14)
    monkeypatch.setattr(readers, "LONGEST_LINE", 1 << 14)

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
