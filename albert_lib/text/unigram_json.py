"""A spiece.model from a tokenizer.json, which is all that transformers 5 writes of a tokenizer.

Both hold a unigram model: pieces and their scores. Around it a tokenizer.json lists its steps by
name; those of an ALBERT are the switches of AlbertTokenizer and SentencePiece's table of
characters. Anything else is refused by its name, for the ids would be others than transformers'.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from albert_lib.errors import TokenizerError, quoted
from albert_lib.files import read_json
from albert_lib.text.added_tokens import AddedToken, added_messages, as_added_tokens
from albert_lib.text.spiece_check import IDENTITY, UNIGRAM
from albert_lib.text.spiece_file import (
    CONTROL,
    NAME_OF_NORMALIZER,
    NORMAL,
    NORMALIZER_OF_MODEL,
    TABLE_OF_NORMALIZER,
    TRAINER_OF_MODEL,
    UNKNOWN,
    UNUSED,
    piece_message,
    with_pieces,
)
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import NEVER_IN_TEXT, SPECIAL_TOKENS
from albert_lib.text.wire_format import length_first, varint_field

_QUOTES = ("``", "''")
_SPACES = {"Strip", "WhitespaceSplit"}  # steps that our normalisation makes superfluous


class UnigramTokenizer(NamedTuple):
    """What a tokenizer.json holds of an ALBERT's tokenizer.

    Example:
        >>> UnigramTokenizer(b"", {"do_lower_case": True}, ()).switches["do_lower_case"]
        True
    """

    model: bytes  # as a spiece.model
    switches: dict[str, bool]
    added_tokens: tuple[AddedToken, ...]


def read_unigram(path: Path) -> UnigramTokenizer:
    """Read a tokenizer.json.

    Raises TokenizerError if it is damaged, holds another kind of model, or has steps that an
    ALBERT's text does not go through.

    Example:
        >>> from albert_lib.files import data_folder
        >>> file = data_folder() / "tokenizers" / "english-8k" / "tokenizer.json"
        >>> read_unigram(file).switches["keep_accents"]
        False
    """
    stored = read_json(path, TokenizerError)
    model = _unigram_model(path, stored)
    tokens = as_added_tokens(stored.get("added_tokens"))
    try:
        steps = steps_of(stored.get("normalizer"), "normalizers")
        within_words = _words(steps_of(stored.get("pre_tokenizer"), "pretokenizers"))
        switches, table = _read_normalizers(steps)
        messages = _messages(model, _listed(stored.get("added_tokens")), within_words)
    except _Unlike as problem:
        raise TokenizerError(f"{path} {problem}") from None
    except TokenizerError as problem:
        raise TokenizerError(f"{path}: {problem}") from None
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        raise TokenizerError(
            f"{path} is no tokenizer of the tokenizers library; copy or download it again."
        ) from None
    return UnigramTokenizer(
        with_pieces(messages, settings_of_model(table)),
        switches,
        tuple(token for token in tokens if token.content not in SPECIAL_TOKENS),
    )


def _unigram_model(path: Path, stored: Any) -> dict[str, Any]:
    model = stored.get("model") if isinstance(stored, dict) else None
    if not isinstance(model, dict):
        raise TokenizerError(f"{path} holds no model; copy or download it again.")
    if (kind := model.get("type", "Unigram")) != "Unigram" or model.get("byte_fallback"):
        what = (
            f"a {str(kind)[:60]} model"
            if kind != "Unigram"
            else "a Unigram model with byte_fallback"
        )
        raise TokenizerError(
            f"{path} holds {what}, but an ALBERT of this library segments text by a unigram model "
            f"of whole characters; choose a model that has a spiece.model, or use transformers."
        )
    return model


class _Unlike(Exception):
    """What a tokenizer.json does that an ALBERT's does not; the message goes after its path."""


def settings_of_model(table: bytes) -> bytes:
    """The end of a spiece.model: a unigram model with this table of characters, or none.

    Example:
        >>> settings_of_model(b"")[:4].hex()
        '12021801'
    """
    rules = [length_first(NAME_OF_NORMALIZER, b"precompiled" if table else IDENTITY)]
    if table:
        rules.append(length_first(TABLE_OF_NORMALIZER, table))
    return length_first(TRAINER_OF_MODEL, varint_field(3, UNIGRAM)) + length_first(
        NORMALIZER_OF_MODEL, b"".join(rules)
    )


def steps_of(stored: Any, name: str) -> list[dict[str, Any]]:
    """The steps of a normaliser or pre-tokenizer, those within sequences too, in their order.

    Example:
        >>> steps_of({"type": "Sequence", "normalizers": [{"type": "NFKD"}]}, "normalizers")
        [{'type': 'NFKD'}]
        >>> steps_of(None, "normalizers")
        []
    """
    if stored is None:
        return []
    if stored["type"] != "Sequence":
        return [stored]
    return [step for inner in _listed(stored[name]) for step in steps_of(_step(inner), name)]


def _listed(stored: Any) -> list[Any]:
    """A list of a tokenizer.json, empty where there is none; ValueError for anything else."""
    if not isinstance(stored, list | None):
        raise ValueError("no list")
    return stored or []


def _step(stored: Any) -> dict[str, Any]:
    if not isinstance(stored, dict):
        raise ValueError("no step")
    return stored


def _read_normalizers(steps: Sequence[dict[str, Any]]) -> tuple[dict[str, bool], bytes]:
    """The switches that these steps stand for, and the table of characters."""
    names = [_name_of_step(step) for step in steps]
    names = [name for name in names if name not in _SPACES]
    table = b""
    if "Precompiled" in names:
        (encoded,) = (s["precompiled_charsmap"] for s in steps if s["type"] == "Precompiled")
        table = base64.b64decode(encoded or "", validate=True)
    switches = {
        "replace_quotes": all(quote in names for quote in _QUOTES),
        "keep_accents": "StripAccents" not in names,
        "do_lower_case": "Lowercase" in names,
    }
    expected = [*_QUOTES] if switches["replace_quotes"] else []
    expected += [] if switches["keep_accents"] else ["NFKD", "StripAccents"]
    expected += ["Lowercase"] if switches["do_lower_case"] else []
    expected += ["Precompiled"] if "Precompiled" in names else []
    if table and "NFC" in names[-2:-1]:  # the table does the same
        names.remove("NFC")
    if names != expected:
        strange = next((name for name in names if name not in expected), " → ".join(names))
        raise _Unlike(
            f"normalises text by {strange[:60]}, which an ALBERT's does not; use a spiece.model "
            f"that was trained on text as AlbertTokenizer normalises it."
        )
    return switches, table


def _name_of_step(step: Mapping[str, Any]) -> str:
    """The type of a step; of a replacement, what it replaces."""
    if step["type"] != "Replace":
        return str(step["type"])
    (pattern,) = step["pattern"].values()
    if pattern in _QUOTES and step["content"] == '"':
        return str(pattern)
    if pattern in (" {2,}", r"\s+") and step["content"] == " ":  # several spaces are one
        return "Strip"
    return f"Replace {quoted(pattern)}"


def _words(steps: Sequence[dict[str, Any]]) -> bool:
    """Whether pieces lie within words; _Unlike unless words begin with ▁."""
    if (
        not steps
        or steps[-1]["type"] != "Metaspace"
        or any(step["type"] not in _SPACES for step in steps[:-1])
    ):
        kinds = " → ".join(str(step["type"]) for step in steps) or "nothing"
        raise _Unlike(
            f"splits words by {kinds[:60]}, but an ALBERT's by Metaspace; choose a model that has "
            f"a spiece.model, or use transformers."
        )
    mark = steps[-1]
    scheme = mark.get("prepend_scheme") or ("always" if mark.get("add_prefix_space") else "never")
    if scheme != "always" or mark["replacement"] != WORD_START:
        raise _Unlike(
            f"marks words by {quoted(mark['replacement'])} with "
            f"prepend_scheme={str(scheme)[:60]}, but an ALBERT's by {WORD_START!r} with "
            f"always; choose a model that has a spiece.model, or use transformers."
        )
    return len(steps) > 1 or mark.get("split") is not False


def _messages(
    model: Mapping[str, Any], added: Sequence[Mapping[str, Any]], within_words: bool
) -> list[bytes]:
    """The message of every piece, and of the added tokens behind them."""
    unknown = model["unk_id"]
    messages = []
    for number, (text, score) in enumerate(model["vocab"]):
        if not isinstance(text, str) or not math.isfinite(score):
            raise ValueError(f"piece {number} is no text with a score")
        kind = UNUSED if within_words and WORD_START in text[1:] else NORMAL
        kind = CONTROL if text in NEVER_IN_TEXT else kind
        messages.append(piece_message(text, score, UNKNOWN if number == unknown else kind))
    texts = [text for text, _ in model["vocab"]]
    return [*messages, *added_messages({t["content"]: t["id"] for t in added}, texts)]
