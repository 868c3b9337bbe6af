"""The switches of the tokenizer, two sets of them that others use, and how a folder keeps them."""

from __future__ import annotations

from pathlib import Path

from albert_lib.errors import TokenizerError
from albert_lib.files import read_json

SETTINGS = (
    "do_lower_case",
    "keep_accents",
    "replace_quotes",
    "digit_comma_rule",
    "split_special_tokens",
)

GOOGLE = {"replace_quotes": False, "digit_comma_rule": True, "split_special_tokens": True}
"""google-research/albert, on any text: `AlbertTokenizer.from_pretrained(folder, **GOOGLE)`."""

HUGGING_FACE = {"replace_quotes": True, "digit_comma_rule": False, "split_special_tokens": False}
"""transformers 5 with the published vocabulary; version 4's slow tokenizer had Google's rule."""


def read_settings(path: Path) -> dict[str, bool]:
    """The settings that a tokenizer_config.json names; none if there is no such file."""
    if not path.is_file():
        return {}
    stored = read_json(path, TokenizerError)
    if not isinstance(stored, dict):
        raise TokenizerError(f"{path} does not hold a JSON object; restore or remove it.")
    settings = {name: stored[name] for name in SETTINGS if name in stored}
    for name, value in settings.items():
        if not isinstance(value, bool):
            raise TokenizerError(f"{path} says {name} is {value!r}; make it true or false.")
    return settings
