"""Reading documents from folders, text files and JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from albert_lib.corpus import (
    read_documents,
    read_jsonl,
    read_text_file,
    read_text_folder,
    split_documents,
)
from albert_lib.errors import TextError
from albert_lib.text import Document

TWO = [["The mill is old.", "It stands."], ["Dawn came.", "She slept.", "He did not."]]
ONE = [[sentence for document in TWO for sentence in document]]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("The mill is old.\nIt stands.\n\nDawn came.\nShe slept.\nHe did not.\n", TWO),
        ("The mill is old. It stands.\n\n\n \nDawn came. She slept.\nHe did not.", TWO),
        ("The mill is old. It stands.\nDawn came. She slept. He did not.\n", ONE),
        ("The mill is old. It stands.\n\nDawn came. She slept.\n\nHe did not.\n", ONE),
        ("The mill is\nold. It stands.\n\nDawn\ncame. She slept. He\ndid not.\n", ONE),
        ("\ufeffThe mill is old. It stands.\r\n\r\nDawn came. She slept.\r\nHe did not.", TWO),
    ],
    ids=["sentences", "paragraphs", "no blank line", "paragraphs apart", "wrapped", "windows"],
)
def test_layouts_of_a_file(tmp_path: Path, layout: str, expected: list[Document]) -> None:
    file = tmp_path / "mill.txt"
    file.write_bytes(layout.encode())
    assert list(read_text_file(file)) == expected
    assert list(read_documents(file)) == expected


def test_folder_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.txt", "a.txt", "b/1.txt", "z.txt", "notes.md"):
        (tmp_path / name).write_text(f"This is {name}.\nIt is short." if name != "z.txt" else "\n")
    expected = [[f"This is {name}.", "It is short."] for name in ("a.txt", "b/1.txt", "b/2.txt")]
    assert list(read_text_folder(tmp_path)) == expected
    assert list(read_documents(str(tmp_path))) == expected


def test_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "mill.jsonl"
    records = [{"body": "One. Two.\nThree", "id": 1}, {"body": " "}, {"body": "Zoë \ud800."}]
    file.write_text("\n\n".join(map(json.dumps, records)))
    expected = [["One.", "Two.", "Three"], ["Zoë ?."]]
    assert list(read_jsonl(file, "body")) == expected
    assert list(read_documents(file, field="body")) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "a.txt holds no text"),
        ("a.txt", b"caf\xe9", r"a.txt is not UTF-8 \(byte 3"),
        ("a.jsonl", b"", "a.jsonl holds no text"),
        ("a.jsonl", b'{"text": "Fine."}\n\n{"text": "', "a.jsonl, line 3, is not valid JSON"),
        ("a.jsonl", b'{"text": "Fine."}\n{"text": "\xe9"}', "a.jsonl, line 2, is not UTF-8"),
        (
            "a.txt",
            "Two lines.\nFine.\n".encode("utf-16-le"),
            r"a.txt is no text .* \(byte 1 is NUL",
        ),
        ("a.txt", b"Torn." + bytes(9), r"a.txt is no text .* \(byte 5 is NUL"),
        ("a.jsonl", '{"text": "Fine."}'.encode("utf-16-le"), r"line 1, is no text .* \(byte 1 is"),
        ("a.jsonl", b'{"text": ' + b"[" * 100_000, "line 1, is not valid JSON .too many brackets"),
        ("a.jsonl", b'{"text": ' + b"9" * 6000 + b"}", "line 1, is not valid JSON .a number too"),
        ("a.jsonl", b'{"title": "Fine."}', 'line 1, has no text under "text"; name the right'),
        ("a.jsonl", b'{"text": 5}', 'line 1, has no text under "text"'),
        ("a.jsonl", b'["text"]', 'line 1, has no text under "text"'),
        ("a.pdf", b"%PDF", "a.pdf is neither .txt nor .jsonl"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TextError, match=message):
        list(read_documents(tmp_path / name))


def test_only_what_is_a_line_end_everywhere_ends_a_line(tmp_path: Path) -> None:
    """U+0085 is an ellipsis that lost its encoding; a new page begins a new paragraph."""
    text = "He waited\x85 and\u2028 slept\x1c\vOn a hill\fin the sun\u2029at noon"
    expected = [["He waited\x85 and\u2028 slept", "On a hill", "in the sun", "at noon"]]
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a.jsonl").write_text("\ufeff" + json.dumps({"text": text}), encoding="utf-8")
    assert list(read_documents(tmp_path)) == expected * 2


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="nowhere does not exist"):
        read_documents(tmp_path / "nowhere")
    with pytest.raises(TextError, match=r"nowhere\.jsonl does not exist"):
        read_jsonl(tmp_path / "nowhere.jsonl")
    with pytest.raises(TextError, match=r"holds no \.txt or \.jsonl file"):
        read_documents(tmp_path)
    (tmp_path / "good.txt").write_text("Good.")
    (tmp_path / "worse.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(TextError, match=r"worse\.txt is not UTF-8"):
        list(read_documents(tmp_path))


def test_held_out_documents() -> None:
    documents = [[str(number)] for number in range(7)]
    assert split_documents(iter(documents), 3) == (
        [["0"], ["1"], ["3"], ["4"], ["6"]],
        [["2"], ["5"]],
    )
    assert split_documents(documents) == (documents[:6], documents[6:])
    for too_few in (documents[:1], []):
        with pytest.raises(TextError, match=f"needs at least 2 documents, got {len(too_few)};"):
            split_documents(too_few)
    with pytest.raises(TextError, match="held_out_every is 1; make it a whole number"):
        split_documents(documents, 1)
