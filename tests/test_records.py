"""Records of data files: where lines and JSON values begin and end, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import TextError
from albert_lib.records import field, json_lines, json_objects, numbered_lines, text_field


def written(folder: Path, content: bytes) -> Path:
    file = folder / "file"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lf_and_crlf_end_a_line_with_or_without_a_mark_of_byte_order(
    tmp_path: Path, mark: str, end: str, last: str
) -> None:
    content = mark + "a" + end + end + "b\tc" + (last and end)
    lines = list(numbered_lines(written(tmp_path, content.encode())))
    assert lines == [(1, "a"), (2, ""), (3, "b\tc")]


@pytest.mark.parametrize("inside", "\r\x0b\x0c\x1c\x85\u2028\u2029\ufeff")
def test_nothing_else_ends_a_line(tmp_path: Path, inside: str) -> None:
    file = written(tmp_path, f"a{inside}b\nc".encode())
    assert list(numbered_lines(file)) == [(1, f"a{inside}b"), (2, "c")]


@pytest.mark.parametrize("inside", "\x85\u2028\u2029")
def test_a_json_line_may_hold_what_elsewhere_ends_lines(tmp_path: Path, inside: str) -> None:
    file = written(tmp_path, f'{{"text": "a{inside}b"}}\n'.encode())
    assert list(json_lines(file)) == [(1, {"text": f"a{inside}b"})]


@pytest.mark.parametrize("between", ["\n", "\r\n", "", "\n\n", " \t\n"])
def test_values_may_follow_each_other_in_any_way(tmp_path: Path, between: str) -> None:
    values = ['{"id": "a"}', '{\n  "id":\n  "b"\n}', "[]"]
    file = written(tmp_path, ("\ufeff" + between.join(values) + between).encode())
    found = list(json_objects(file))
    assert [value for _, value in found] == [{"id": "a"}, {"id": "b"}, []]
    text = file.read_text(encoding="utf-8")
    begins = [text[: text.index(value)].count("\n") + 1 for value in values]
    assert [line for line, _ in found] == begins


BAD_JSON = {
    "cut short": ('{"a": 1}\n{"a": ', "line 2 is not JSON"),
    "not JSON": ('{"a": 1}\na,b\n', "line 2 is not JSON"),
    "too deep": ("[" * 100_000, "line 1 is not JSON (too many brackets inside each other)"),
    "too long a number": ("1" * 10_000, "line 1 is not JSON (a number too long)"),
}


@pytest.mark.parametrize("read", [json_lines, json_objects])
@pytest.mark.parametrize(("content", "message"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_what_is_not_json_is_named_by_file_and_line(
    tmp_path: Path, read: Any, content: str, message: str
) -> None:
    file = written(tmp_path, content.encode())
    with pytest.raises(TextError) as refused:
        list(read(file))
    assert str(file) in str(refused.value) and message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("read", [json_lines, json_objects, numbered_lines])
def test_files_that_cannot_be_read(tmp_path: Path, read: Any) -> None:
    with pytest.raises(TextError, match="nowhere does not exist"):
        list(read(tmp_path / "nowhere"))
    with pytest.raises(TextError, match="cannot be read"):
        list(read(tmp_path))
    with pytest.raises(TextError, match="is not UTF-8"):
        list(read(written(tmp_path, b'["a"]\n["\xe9"]\n')))


@pytest.mark.parametrize(
    ("record", "kind", "message"),
    [
        ([], str, "example 3 has no 'a'"),
        ({}, str, "example 3 has no 'a'"),
        ({"a": None}, str, "'a' of example 3 is NoneType, not str"),
        ({"a": True}, int, "'a' of example 3 is bool, not int"),
        ({"a": 1}, bool, "'a' of example 3 is int, not bool"),
    ],
)
def test_a_field_is_there_and_of_its_type(record: Any, kind: type, message: str) -> None:
    with pytest.raises(TextError, match=rf"dev\.json: {message}"):
        field(Path("dev.json"), "example 3", record, "a", kind)


def test_half_a_pair_of_surrogates_moves_no_other_character() -> None:
    record = {"a": "x\ud83d y\udc00z 😀"}
    assert text_field(Path("dev.json"), "it", record, "a") == "x? y?z 😀"
