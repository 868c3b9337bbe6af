"""The files of a tokenizer's folder, and its switches: two sets of them that others use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from albert_lib.errors import TokenizerError, quoted
from albert_lib.files import read_json
from albert_lib.text.added_tokens import AddedToken
from albert_lib.text.vocabulary import SPECIAL_TOKENS

MODEL_FILE = "spiece.model"
EXPORT_FILE = "tokenizer.json"
SETTINGS_FILE = "tokenizer_config.json"
ADDED_SETTING = "added_tokens"  # in it, where this library wrote it

SETTINGS = (
    "do_lower_case",
    "keep_accents",
    "replace_quotes",
    "digit_comma_rule",
    "split_special_tokens",
)
MODEL_MAX_LENGTH = 512  # positions of the published models

GOOGLE_TOKENIZATION = {
    "replace_quotes": False,
    "digit_comma_rule": True,
    "split_special_tokens": True,
}
"""As google-research/albert: `AlbertTokenizer.from_pretrained(folder, **GOOGLE_TOKENIZATION)`."""

HUGGING_FACE_TOKENIZATION = {
    "replace_quotes": True,
    "digit_comma_rule": False,
    "split_special_tokens": False,
}
"""As transformers 5 with the published vocabulary; version 4's slow tokenizer had Google's rule."""


class StoredSettings(NamedTuple):
    """The content of a tokenizer_config.json: its switches, the maximum length, all it says.

    Example:
        >>> StoredSettings({"keep_accents": True}, model_max_length=512).switches
        {'keep_accents': True}
    """

    switches: dict[str, bool]
    model_max_length: int
    content: Mapping[str, Any] = {}


def read_settings(path: Path) -> StoredSettings:
    """Read a tokenizer_config.json; no switch and 512 tokens if there is no such file.

    Raises TokenizerError when the file is damaged or a value has the wrong type.

    Example:
        >>> from pathlib import Path
        >>> read_settings(Path("no-such-folder/tokenizer_config.json"))
        StoredSettings(switches={}, model_max_length=512, content={})
    """
    if not path.is_file():
        return StoredSettings({}, MODEL_MAX_LENGTH)
    stored = read_json(path, TokenizerError)
    if not isinstance(stored, dict):
        raise TokenizerError(f"{path} does not hold a JSON object; restore or remove it.")
    switches = {name: stored[name] for name in SETTINGS if stored.get(name) is not None}
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TokenizerError(f"{path} says {name} is {quoted(value)}; make it true or false.")
    longest = stored.get("model_max_length") or MODEL_MAX_LENGTH
    if isinstance(longest, float) and longest.is_integer():  # 1e30: transformers' "no limit"
        longest = int(longest)
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 1:
        raise TokenizerError(
            f"{path} says model_max_length is {quoted(longest)}; make it a number of tokens."
        )
    return StoredSettings(switches, longest, stored)


def tokenizer_config(
    switches: Mapping[str, bool],
    model_max_length: int,
    added_tokens: Sequence[AddedToken] = (),
    *,
    standard: bool = True,
) -> dict[str, Any]:
    """The content of tokenizer_config.json: our switches, and the keys of transformers.

    transformers' AlbertTokenizer always replaces quotes, and takes the second piece for <unk>. A
    tokenizer that does not (`standard`: its pieces lie as the published ones do) is declared as
    the general class, which does only what tokenizer.json says.

    Example:
        >>> config = tokenizer_config({"replace_quotes": False}, model_max_length=1024)
        >>> config["tokenizer_class"], config["model_max_length"]
        ('PreTrainedTokenizerFast', 1024)
    """
    pad, unknown, cls, sep, mask = SPECIAL_TOKENS
    return {
        "tokenizer_class": (
            "AlbertTokenizer"
            if switches["replace_quotes"] and standard
            else "PreTrainedTokenizerFast"
        ),
        "model_max_length": model_max_length,
        # Without this line transformers leaves the segments out, and pairs become one segment.
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "pad_token": pad,
        "unk_token": unknown,
        "cls_token": cls,
        "sep_token": sep,
        "mask_token": mask,
        "bos_token": cls,
        "eos_token": sep,
        **switches,
        **({ADDED_SETTING: [t._asdict() for t in added_tokens]} if added_tokens else {}),
    }
