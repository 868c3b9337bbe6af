"""The models and tokenizers that come with albert_lib, by name."""

from __future__ import annotations

import re
from pathlib import Path

from albert_lib.files import data_folder


def shipped_folder(name: str, part: str) -> Path | None:
    """The folder of a model or tokenizer that comes with albert_lib, or None.

    A name is one word: "." or "..", which may be a path, is never taken for one.

    Example:
        >>> from albert_lib.shipped import shipped_folder
        >>> shipped_folder("english-8k", "tokenizer").name, shipped_folder(".", "tokenizer")
        ('english-8k', None)
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", name):
        return None
    kinds = ("checkpoints", "tokenizers") if part == "tokenizer" else ("checkpoints",)
    folders = (data_folder() / kind / name for kind in kinds)
    return next((folder for folder in folders if folder.is_dir()), None)
