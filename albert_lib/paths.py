"""What people give where a path belongs, before anything is looked for there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from albert_lib.errors import AlbertLibError, InputError, WriteError


def given_path(given: object, otherwise: str = "") -> Path:
    """The path that somebody gave; InputError if it is none, or empty, which means this folder.

    `otherwise` is what else could have been given, for the message.

    Example:
        >>> given_path("mine/model").name
        'model'
        >>> given_path("")
        Traceback (most recent call last):
        albert_lib.errors.InputError: '' is no path; give the name of a file or folder.
    """
    text = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(text, str) or text == "" or "\0" in text:
        raise InputError(f"{given!r} is no path; give the name of a file or folder{otherwise}.")
    return Path(text)


def from_home(path: Path) -> Path:
    """The path with the home folder in the place of a ~; InputError where no such user is known.

    Example:
        >>> from_home(Path("~nobody_of_that_name/model"))
        Traceback (most recent call last):
        albert_lib.errors.InputError: ~nobody_of_that_name/model begins with the home of a user ...
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise InputError(
            f"{path} begins with the home of a user whom this machine does not know; write the "
            f"whole path, or ./~… for a folder of that name."
        ) from None


def open_folder(folder: Path, error: type[AlbertLibError]) -> Path:
    """The same folder; `error` where it is closed to this user, which glob takes for empty.

    What is no folder, or not there, is for others to refuse.

    Example:
        >>> open_folder(Path("no such folder"), InputError).name
        'no such folder'
    """
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as problem:
        raise error(closed(folder, problem)) from None
    return folder


def closed(place: str | os.PathLike[str], problem: OSError) -> str:
    """The sentence for a file or folder that the system does not let this user read.

    Example:
        >>> closed("mine", PermissionError(13, "Permission denied"))
        'mine cannot be read (Permission denied); give yourself the right to, or name another.'
    """
    return (
        f"{os.fspath(place)} cannot be read ({problem.strerror}); give yourself the right to, or "
        f"name another."
    )


def place_to_write(path: str | os.PathLike[str], *, folder: bool) -> Path:
    """Where a new file, or a new folder, takes the place of an old one: links are followed.

    What is there must be of the same kind. A device such as /dev/null would be gone for everyone,
    and where a link is replaced, what it leads to stays old. Raises WriteError.

    Example:
        >>> place_to_write("/dev/null", folder=False)
        Traceback (most recent call last):
        albert_lib.errors.WriteError: /dev/null cannot be written (it is no ordinary file); ...
    """
    place = Path(os.path.realpath(path))
    if folder and place.exists() and not place.is_dir():
        raise WriteError(os.fspath(path), OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not folder and place.exists() and not (place.is_file() or place.is_dir()):
        raise WriteError(os.fspath(path), OSError(errno.EINVAL, "it is no ordinary file"))
    return place
