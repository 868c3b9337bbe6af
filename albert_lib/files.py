"""Reading and writing files so that a kill in the middle leaves nothing half-written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from albert_lib.errors import (
    AlbertLibError,
    CheckpointError,
    TextError,
    WriteError,
    first_line,
)
from albert_lib.not_text import not_text
from albert_lib.paths import from_home, given_path, place_to_write
from albert_lib.utf8 import LINE_END, beyond_utf8, decoded

PROBE_BYTES = 64 * 1024  # too many for a disk that is full, and nothing for one that is not
HOME_VARIABLE = "ALBERT_LIB_HOME"  # names a folder of one's own for everything that is made


def project_folder() -> Path:
    """The folder that holds albert_lib/: the checkout, or where pip has put the package."""
    return Path(__file__).resolve().parent.parent


def in_checkout() -> bool:
    """Whether albert_lib is used from its checkout, with notebooks/ and data/ beside it."""
    return all((project_folder() / name).exists() for name in ("pyproject.toml", "data"))


def data_folder() -> Path:
    """The project's own small data: tokenizers, checkpoints, the paper's figures; only read.

    It lies beside the package in a checkout, and inside of it where a wheel was installed.
    """
    return project_folder() / ("data" if in_checkout() else "albert_lib/data")


def build_folder() -> Path:
    """Where notebooks leave what they make; safe to delete at any time.

    `$ALBERT_LIB_HOME/build` if that is set, else build/ in a checkout of one's own, else the
    platform's place for files that can be made again. An installed package is not written into,
    nor is somebody else's checkout, whoever may write there: two people would meet in it.
    """
    if os.environ.get(HOME_VARIABLE):
        return from_home(Path(os.environ[HOME_VARIABLE])).resolve() / "build"
    build = project_folder() / "build"
    if in_checkout() and _is_own(build if build.exists() else project_folder()):
        return build
    return platformdirs.user_cache_path("albert_lib") / "build"


def _is_own(folder: Path) -> bool:
    """Whether a folder belongs to the person who runs this, and may be written."""
    mine = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    return mine and os.access(folder, os.W_OK)


def answers_folder() -> Path:
    """Where a person's right answers to the exercises are kept: theirs, not the checkout's.

    `$ALBERT_LIB_HOME/answers` if that is set, else the platform's place for a person's data.
    """
    if os.environ.get(HOME_VARIABLE):
        return from_home(Path(os.environ[HOME_VARIABLE])).resolve() / "answers"
    return platformdirs.user_data_path("albert_lib") / "answers"


@contextlib.contextmanager
def told_if_unwritable(place: str | os.PathLike[str]) -> Iterator[None]:
    """Raise WriteError, which names the place, for what the system says inside the block.

    Example:
        >>> try:
        ...     with told_if_unwritable("my-model"):
        ...         raise PermissionError(13, "Permission denied")
        ... except WriteError as problem:
        ...     print(str(problem).partition(";")[0])
        my-model cannot be written (Permission denied)
    """
    try:
        yield
    except OSError as problem:
        if isinstance(problem, AlbertLibError):
            raise
        raise WriteError(os.fspath(place), problem) from None


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder beside `path` that takes that place only when the block completes.

    A reader sees the old folder or the whole new one, never a half. After an exception the
    old folder is untouched and the unfinished one is removed. Raises WriteError where it cannot
    be written.
    """
    target = place_to_write(path, folder=True)
    with told_if_unwritable(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            unfinished.chmod(0o755)  # temporary files are private; a saved model is not a secret
            yield unfinished
            for file in unfinished.rglob("*"):
                file.chmod(0o755 if file.is_dir() else 0o644)
                flush_to_disk(file)
            aside = unfinished.with_name(f"{unfinished.name}-old")
            replace_folder(unfinished, target, aside)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def replace_folder(new: Path, target: Path, aside: Path) -> None:
    """Rename the folder `new` to `target`, and remove what was there before.

    A folder that holds files cannot be renamed over, so the old one is moved into `aside`, a path
    beside it that is not taken. If the new one then cannot take its place, the old one is put
    back before the error is raised.
    """
    if target.exists():
        old = aside / target.name
        aside.mkdir()
        try:
            target.rename(old)
            new.rename(target)
        except BaseException:
            if old.exists() and not target.exists():
                old.rename(target)
            with contextlib.suppress(OSError):  # it still holds the old folder: that stays
                aside.rmdir()
            raise
        try:
            flush_to_disk(target.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    else:
        new.rename(target)
        flush_to_disk(target.parent)


def folder_to_write(path: str | os.PathLike[str]) -> Path:
    """The folder at `path`, made if it is not there; CheckpointError if there cannot be one."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CheckpointError(
            f"{folder} cannot be a folder ({problem.strerror}); name another one to save to."
        ) from None
    return folder


def ready_to_write(path: str | os.PathLike[str]) -> Path:
    """The folder at `path`, made if it is not there, after a file was written in it and removed.

    Asked before work that takes long. Raises WriteError if it may not be written, or is full.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ready_to_write(f"{folder}/new").name
        'new'
    """
    folder = Path(path)
    with told_if_unwritable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
    return folder


def ready_beside(path: str | os.PathLike[str]) -> None:
    """`ready_to_write` of the folder that `path` is to be in: what is new waits there, unfinished.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ready_beside(f"{folder}/model")
    """
    try:
        ready_to_write(Path(os.path.realpath(path)).parent)
    except WriteError as problem:  # it names the folder
        raise WriteError(os.fspath(path), problem) from None


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes that place only when the block completes.

    A reader sees the old file or the whole new one. After an exception the old one is untouched.
    Raises WriteError where it cannot be written.
    """
    target = place_to_write(path, folder=False)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    with told_if_unwritable(path):
        try:
            yield unfinished
            flush_to_disk(unfinished)
            unfinished.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise


def flush_to_disk(path: Path) -> None:
    """Wait until the disk has what was written, so that no rename is stored before its contents."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder for flushing
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON in UTF-8, replacing `path` in one step.

    What UTF-8 cannot hold is escaped: names of files that are not UTF-8 themselves have it.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if beyond_utf8(text):
        text = json.dumps(value, indent=2) + "\n"
    with new_file(path) as file:
        file.write_text(text, encoding="utf-8")


def read_json(path: str | os.PathLike[str], error: type[AlbertLibError] = CheckpointError) -> Any:
    """Read a JSON file; raise `error` with one sentence if it is missing or damaged."""
    file = given_path(path)
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise error(f"{path} does not exist; check the path.") from None
    except OSError as problem:
        raise error(
            f"{path} cannot be read ({problem.strerror}); give a file that you may open."
        ) from None
    except RecursionError:
        raise error(
            f"{path} has too many brackets inside each other; restore or rebuild it."
        ) from None
    except ValueError as problem:  # not UTF-8, not JSON, a number of thousands of digits
        if what := not_text(file.read_bytes()):
            raise error(f"{path} is {what}.") from None
        raise error(
            f"{path} is not valid JSON ({first_line(problem)}); restore or rebuild it."
        ) from None


def read_toml(path: str | os.PathLike[str], error: type[AlbertLibError]) -> dict[str, Any]:
    """Read a TOML file; raise `error` with one sentence if it is missing or not TOML."""
    file = given_path(path)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise error(f"{path} cannot be read ({problem.strerror}); name a .toml file.") from None
    except UnicodeDecodeError:
        raise error(f"{path} is not UTF-8; save it as UTF-8.") from None
    except RecursionError:
        raise error(f"{path} has too many brackets inside each other; restore it.") from None
    except ValueError as problem:
        raise error(f"{path} is not TOML: {first_line(problem)}.") from None


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a UTF-8 text file, with LF at the end of each line; errors are those of `decoded`."""
    file = given_path(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise TextError(f"{path} does not exist; check the path.") from None
    except OSError as problem:
        raise TextError(
            f"{path} cannot be read ({problem.strerror}); give a text file that you may open."
        ) from None
    return LINE_END.sub("\n", decoded(content, str(path)))
