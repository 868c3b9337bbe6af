"""What people give where a path belongs, before anything is looked for there."""

from __future__ import annotations

import os
from pathlib import Path

from albert_lib.errors import InputError


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
