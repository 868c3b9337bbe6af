"""SHA256SUMS: what the files of a folder were when they were written, as sha256sum reads it.

`python -m albert_lib verify` compares all files of a folder with it, loading a model compares its
weights: few change a billion numbers by hand, and a disk that does is not noticed otherwise.
config.json and the tokenizer's files, which people do edit, are loaded as they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from albert_lib.errors import CheckpointError
from albert_lib.files import new_file
from albert_lib.paths import closed

SUMS = "SHA256SUMS"


def file_hash(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """Return the hashes in a folder's SHA256SUMS by the names of the files.

    Raises OSError where it cannot be read, ValueError where it is something else.
    """
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines]
    return {name.removeprefix("*"): value.lower() for value, name in pairs}


def write_sums(folder: Path, names: Iterable[str]) -> None:
    """Write SHA256SUMS of files in a folder, as `sha256sum --check` reads it."""
    _write(folder, {name: file_hash(folder / name) for name in names})


def find_damage(folder: Path, required: Sequence[str] = ()) -> str | None:
    """Say what is wrong with the files of a folder, or None if every hash is right.

    All files that SHA256SUMS names are looked at, and the `required` ones. Raises CheckpointError
    for one that is closed to this user: it may be whole.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = Path(name)
        ...     _ = (folder / "a.txt").write_text("written")
        ...     write_sums(folder, ["a.txt"])
        ...     _ = (folder / "a.txt").write_text("changed")
        ...     find_damage(folder)
        'a.txt is not what was written'
    """
    try:
        hashes = read_sums(folder)
    except FileNotFoundError:
        return f"{SUMS} is missing"
    except PermissionError as problem:
        raise CheckpointError(closed(folder / SUMS, problem)) from None
    except (OSError, ValueError):
        return f"{SUMS} cannot be read"
    for name in dict.fromkeys([*required, *hashes]):  # some have more
        if not (folder / name).is_file():
            return f"{name} is missing"
        try:
            found = file_hash(folder / name)
        except PermissionError as problem:
            raise CheckpointError(closed(folder / name, problem)) from None
        except OSError as problem:  # a bad sector
            return f"{name} cannot be read: {problem.strerror}"
        if hashes.get(name) != found:
            return f"{name} is not what was written"
    return None


@contextlib.contextmanager
def sums_renewed(folder: Path, names: Sequence[str]) -> Iterator[None]:
    """Write files inside the block; SHA256SUMS, which may know others, then knows these.

    A kill in the middle leaves it silent about them. Names that are not there afterwards are left
    out. What cannot be read as a SHA256SUMS is replaced.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     with sums_renewed(Path(name), ["a.txt", "old.txt"]):
        ...         _ = (Path(name) / "a.txt").write_text("written")
        ...     list(read_sums(Path(name)))
        ['a.txt']
    """
    try:
        others = {name: value for name, value in read_sums(folder).items() if name not in names}
    except (OSError, ValueError):
        others = {}
    if (folder / SUMS).exists():
        _write(folder, others)
    yield
    written = {name: file_hash(folder / name) for name in names if (folder / name).is_file()}
    _write(folder, dict(sorted({**others, **written}.items())))


def warn_of_changes(files: Iterable[Path]) -> None:
    """Warn of files that the SHA256SUMS of their folder knows otherwise.

    Example:
        >>> warn_of_changes([])
    """
    for file in files:
        try:
            known = read_sums(file.parent).get(file.name)
        except (OSError, ValueError):
            known = None
        if known is not None and known != file_hash(file):
            warnings.warn(
                f"{file} is not what {SUMS} beside it says; if nobody changed it, it is damaged: "
                f"copy it again. If it was changed on purpose, delete {SUMS}.",
                stacklevel=4,
            )


def _write(folder: Path, hashes: Mapping[str, str]) -> None:
    with new_file(folder / SUMS) as file:
        text = "".join(f"{value}  {name}\n" for name, value in hashes.items())
        file.write_text(text, encoding="utf-8")
