"""Reading that names what is wrong, and writing that a kill cannot tear."""

from __future__ import annotations

import pytest

from albert_lib import files
from albert_lib.errors import TextError


def test_a_new_folder_appears_only_when_complete(tmp_path) -> None:
    target = tmp_path / "model"
    with files.new_folder(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"


def test_an_exception_leaves_the_old_folder_and_no_litter(tmp_path) -> None:
    target = tmp_path / "model"
    with files.new_folder(target) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), files.new_folder(target) as folder:
        (folder / "a").write_text("new")
        raise KeyboardInterrupt
    assert (target / "a").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


def test_replacing_a_folder_removes_what_was_in_it(tmp_path) -> None:
    target = tmp_path / "model"
    for name in ("a", "b"):
        with files.new_folder(target) as folder:
            (folder / name).write_text(name)
    assert [item.name for item in target.iterdir()] == ["b"]
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


def test_text_that_is_not_utf8_is_named_with_its_byte(tmp_path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(TextError, match=r"latin\.txt is not UTF-8 \(byte 3"):
        files.read_text(file)
    with pytest.raises(TextError, match="does not exist"):
        files.read_text(tmp_path / "gone.txt")
    with pytest.raises(TextError, match="cannot be read"):
        files.read_text(tmp_path)


def test_a_byte_order_mark_is_not_text(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfword")
    assert files.read_text(tmp_path / "a.txt") == "word"
