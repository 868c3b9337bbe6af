"""Reading text files, packed or not, line by line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from pathlib import Path

import pytest

from albert_lib.corpus import packed, read_documents
from albert_lib.corpus.packed import text_lines
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
    message = rf"a\.txt\.xz is not UTF-8 \(byte {len(good) + 3} of the unpacked text"
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
    monkeypatch.setattr(packed, "LONGEST_LINE", 8)
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
