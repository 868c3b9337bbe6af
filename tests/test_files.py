"""Reading that names what is wrong, and writing that a kill cannot tear."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from albert_lib import AlbertConfig, AlbertModel, AlbertTokenizer, TokenStore, files
from albert_lib.errors import AlbertLibError, TextError, WriteError

SMALL = AlbertConfig(vocab_size=9, embedding_size=4, hidden_size=12, num_attention_heads=1)


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


STEPS = ("mkdir", "rename", "replace", "chmod", "rmtree", "fsync")


def fail_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Let the call with this number, among all that change the disk, fail; list the calls made."""
    calls: list[str] = []

    def guard(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def step(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) == number:
                raise OSError(5, "Input/output error")
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, step)

    for name in STEPS:
        owner = files.shutil if name == "rmtree" else files.os if name == "fsync" else Path
        guard(owner, name)
    return calls


@pytest.mark.parametrize("number", range(1, 16))
def test_whichever_step_fails_the_old_folder_is_in_its_place_or_the_whole_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The second rename once left nothing where the folder had been."""
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")
    with monkeypatch.context() as patch:
        calls = fail_at(patch, number)
        with contextlib.suppress(OSError), files.new_folder(target) as folder:
            (folder / "a").write_text("new")
            (folder / "b").write_text("new")
    found = {file.name: file.read_text() for file in target.iterdir()}
    assert found in ({"a": "old"}, {"a": "new", "b": "new"})
    failed = calls[:number]
    if len(failed) == number and failed[-1] == "rename" and failed.count("rename") == 2:
        assert found == {"a": "old"}, "the second rename failed"
    litter = [item for item in tmp_path.iterdir() if item != target]
    assert not litter or failed[-1] == "rmtree"


def test_a_folder_that_cannot_even_be_put_back_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")
    moves: list[Path] = []
    rename = Path.rename

    def only_once(self: Path, to: Path) -> Path:
        moves.append(to)
        if len(moves) > 1:
            raise OSError(5, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", only_once)
    with pytest.raises(OSError), files.new_folder(target) as folder:
        (folder / "a").write_text("new")
    assert [file.read_text() for file in tmp_path.rglob("a")] == ["old"]


@pytest.mark.parametrize("number", range(1, 4))
def test_whichever_step_fails_a_file_is_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    files.write_json(tmp_path / "a.json", "old")
    with monkeypatch.context() as patch:
        fail_at(patch, number)
        with contextlib.suppress(OSError):
            files.write_json(tmp_path / "a.json", "new")
    assert files.read_json(tmp_path / "a.json") in ("old", "new")
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]


def test_text_that_is_not_utf8_is_named_with_its_byte(tmp_path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(TextError, match=r"latin\.txt is not UTF-8 \(byte 3"):
        files.read_text(file)
    with pytest.raises(TextError, match="does not exist"):
        files.read_text(tmp_path / "gone.txt")
    with pytest.raises(TextError, match="cannot be read"):
        files.read_text(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_text_that_passes_for_utf8_is_refused_for_its_nuls(tmp_path, encoding: str) -> None:
    file = tmp_path / "wide.txt"
    file.write_bytes("word\r\n".encode(encoding))
    with pytest.raises(TextError, match=r"wide\.txt is no text in UTF-8 .*NUL.*iconv -f UTF-16"):
        files.read_text(file)


def test_a_byte_order_mark_is_not_text(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b'\xef\xbb\xbf["word"]\r\n')
    assert files.read_text(tmp_path / "a.txt") == '["word"]\n'
    assert files.read_json(tmp_path / "a.txt") == ["word"]
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1")
    assert files.read_toml(tmp_path / "a.toml", TextError) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "too many brackets inside each other"),
        (b"9" * 6000, "not valid JSON .Exceeds the limit"),
        (b"[1,", "not valid JSON .Expecting value"),
        (b"\xff", "not valid JSON"),
    ],
)
def test_json_that_cannot_be_read_is_one_sentence(tmp_path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(TextError, match=rf"a\.json .*{message}") as refused:
        files.read_json(tmp_path / "a.json", TextError)
    assert "\n" not in str(refused.value)


def make_nothing(folder: Path) -> None:
    with files.new_folder(folder):
        pass


WRITERS = {
    "a file": lambda folder: files.write_json(folder / "a.json", {}),
    "a folder": lambda folder: make_nothing(folder / "new"),
    "a tokenizer": lambda folder: AlbertTokenizer.from_pretrained("english-8k").save_pretrained(
        folder
    ),
    "a model": lambda folder: AlbertModel(SMALL).save_pretrained(folder),
    "a configuration": lambda folder: SMALL.to_json(folder / "config.json"),
    "a store": lambda folder: TokenStore.build(
        folder / "store", [["One."]], AlbertTokenizer.from_pretrained("english-8k")
    ),
}


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.parametrize("obstacle", ["a file in the way", "a full disk"])
def test_what_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, obstacle: str
) -> None:
    folder = tmp_path / "there"
    reason = "Not a directory|File exists"
    if obstacle == "a full disk":
        folder.mkdir()
        reason = "No space left on device"
        problem = OSError(errno.ENOSPC, reason, str(folder))
        monkeypatch.setattr(files, "flush_to_disk", lambda path: raise_(problem))
    else:
        folder.write_text("")
    with pytest.raises(AlbertLibError, match=rf"there.*({reason}).*; ") as refused:
        WRITERS[what](folder)
    assert "\n" not in str(refused.value)
    assert folder.is_file() or not list(folder.glob(".*")), "nothing half-written stays"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such thing here to be in the way")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_no_file_and_no_folder_is_not_replaced(tmp_path: Path, what: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    write = files.new_file if what == "file" else files.new_folder
    with pytest.raises(WriteError, match="pipe cannot be written"), write(pipe):
        pytest.fail("nothing is to be written")
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "real").mkdir()
    for name, write in (("file", files.new_file), ("folder", files.new_folder)):
        place, link = tmp_path / "real" / name, tmp_path / name
        if is_there:
            place.mkdir() if name == "folder" else place.write_text("old")
        link.symlink_to(place)
        with write(link) as unfinished:
            (unfinished / "a" if name == "folder" else unfinished).write_text("new")
        assert link.is_symlink()
        assert (place / "a" if name == "folder" else place).read_text() == "new"
    assert sorted(os.listdir(tmp_path / "real")) == ["file", "folder"]


def raise_(problem: Exception) -> None:
    raise problem


def test_a_checkout_that_may_not_be_written_builds_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(files.HOME_VARIABLE, raising=False)
    assert files.build_folder() == files.project_folder() / "build"
    with monkeypatch.context() as read_only:
        read_only.setattr("os.access", lambda path, mode: False)
        assert files.project_folder() not in files.build_folder().parents
    if hasattr(os, "getuid"):  # in somebody else's two people could meet, though both may write
        monkeypatch.setattr("os.getuid", lambda: files.project_folder().stat().st_uid + 1)
        assert files.project_folder() not in files.build_folder().parents
