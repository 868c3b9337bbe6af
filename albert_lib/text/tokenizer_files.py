"""What a folder holds of a tokenizer, whoever wrote it: a spiece.model's bytes, settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from albert_lib.checksums import sums_renewed
from albert_lib.errors import TokenizerError, quoted
from albert_lib.files import folder_to_write, new_file, read_json, write_json
from albert_lib.git_lfs import refuse_pointer
from albert_lib.hub import PUBLISHED, resolve_folder
from albert_lib.paths import from_home, given_path
from albert_lib.text.added_tokens import AddedToken, added_messages, as_added_tokens
from albert_lib.text.hf_export import is_standard, tokenizer_json
from albert_lib.text.settings import (
    ADDED_SETTING,
    EXPORT_FILE,
    MODEL_FILE,
    SETTINGS_FILE,
    StoredSettings,
    read_settings,
    tokenizer_config,
)
from albert_lib.text.spiece_file import piece_of, read_pieces, with_pieces
from albert_lib.text.unigram_json import read_unigram
from albert_lib.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from albert_lib.utf8 import beyond_utf8

ADDED_FILE = "added_tokens.json"
WORDPIECE_FILE = "vocab.txt"


class TokenizerFiles(NamedTuple):
    """A tokenizer as its files hold it: the arguments of AlbertTokenizer.

    Example:
        >>> TokenizerFiles(Path("mine/spiece.model"), b"", {"do_lower_case": True}).source.name
        'spiece.model'
    """

    source: Path  # the file that the pieces are from
    model: bytes
    settings: dict[str, Any]


def read_tokenizer_files(name_or_path: str | os.PathLike[str]) -> TokenizerFiles:
    """Read the tokenizer of a folder, of a spiece.model's path, or of a model's name.

    Without a spiece.model the pieces are those of tokenizer.json, which transformers 5 alone
    writes. Raises CheckpointError for a name that stands for nothing, TokenizerError for files
    that are missing, damaged or those of another kind of tokenizer.

    Example:
        >>> sorted(read_tokenizer_files("english-8k").settings)[:3]
        ['added_tokens', 'digit_comma_rule', 'do_lower_case']
    """
    path = from_home(given_path(name_or_path, PUBLISHED))
    if path.suffix == ".model" and path.is_file():
        folder, file = path.parent, path
    else:
        folder = resolve_folder(name_or_path, "tokenizer")
        file = folder / MODEL_FILE
    stored = read_settings(folder / SETTINGS_FILE)
    if file.is_file():
        refuse_pointer(file, TokenizerError)
        model, tokens = _with_added(folder, _bytes_of(file), stored.content)
        settings = {"model_max_length": stored.model_max_length, "added_tokens": tokens}
        return TokenizerFiles(file, model, {**settings, **stored.switches})
    return _from_json(folder, stored)


def _from_json(folder: Path, stored: StoredSettings) -> TokenizerFiles:
    """The tokenizer of a folder without a spiece.model."""
    file = folder / EXPORT_FILE
    if not file.is_file():
        raise TokenizerError(_missing(folder))
    found = read_unigram(file)
    # transformers' AlbertTokenizer goes by its settings, other classes by the file
    own = stored.content.get("tokenizer_class") in (None, "AlbertTokenizer", "AlbertTokenizerFast")
    switches = {"digit_comma_rule": False, **found.switches}
    said = stored.switches if own else {}
    more = {name: value for name, value in stored.switches.items() if name not in found.switches}
    settings = {"model_max_length": stored.model_max_length, "added_tokens": found.added_tokens}
    return TokenizerFiles(file, found.model, {**settings, **switches, **more, **said})


def write_tokenizer_files(
    path: str | os.PathLike[str],
    vocabulary: Vocabulary,
    settings: Mapping[str, bool],
    model_max_length: int,
    added_tokens: Sequence[AddedToken],
) -> None:
    """Write a tokenizer into a folder; see AlbertTokenizer.save_pretrained.

    Example:
        >>> import tempfile
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_tokenizer_files(folder, tokenizer.vocabulary, tokenizer.settings, 512, ())
        ...     sorted(os.listdir(folder))
        ['SHA256SUMS', 'spiece.model', 'tokenizer.json', 'tokenizer_config.json']
    """
    folder = folder_to_write(path)
    config = tokenizer_config(
        settings, model_max_length, added_tokens, standard=is_standard(vocabulary)
    )
    with sums_renewed(folder, [MODEL_FILE, EXPORT_FILE, SETTINGS_FILE]):
        with new_file(folder / MODEL_FILE) as file:
            file.write_bytes(vocabulary.model)
        write_json(folder / EXPORT_FILE, tokenizer_json(vocabulary, settings, added_tokens))
        write_json(folder / SETTINGS_FILE, config)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise TokenizerError(
            f"{file} cannot be read ({problem.strerror}); give a file that you may open."
        ) from None


def _missing(folder: Path) -> str:
    """The sentence for a folder without a unigram model."""
    if (folder / WORDPIECE_FILE).is_file():
        return (
            f"{folder} holds a WordPiece vocabulary ({WORDPIECE_FILE}), as BERT and the Chinese "
            f"ALBERTs have it, but this library segments text by SentencePiece's unigram model; "
            f"choose a model that has a {MODEL_FILE}, or use transformers' BertTokenizer."
        )
    return (
        f"{folder / MODEL_FILE} does not exist; put the {MODEL_FILE} of the checkpoint there, or "
        f"the {EXPORT_FILE} that transformers writes."
    )


def _with_added(
    folder: Path, model: bytes, content: Mapping[str, Any]
) -> tuple[bytes, tuple[AddedToken, ...]]:
    """The model with the tokens that lie behind its pieces, and those that text may hold.

    Tokens that the pieces contain already are left to SentencePiece: newer versions of
    transformers list the full stop among their added tokens, which no spiece.model does.
    """
    ours = as_added_tokens(content.get(ADDED_SETTING))
    ids: dict[str, int] = {}
    tokens: dict[str, AddedToken] = {token.content: token for token in ours}
    for number, token in _described(folder / SETTINGS_FILE, content).items():
        for each in as_added_tokens([token]):
            ids[each.content] = _id_of(folder / SETTINGS_FILE, each.content, number)
            tokens.setdefault(each.content, each)
    if (file := folder / ADDED_FILE).is_file():
        stored = read_json(file, TokenizerError)
        if not isinstance(stored, dict):
            raise TokenizerError(f"{file} does not hold a JSON object; restore or remove it.")
        ids.update({token: _id_of(file, token, number) for token, number in stored.items()})
    if not ids:
        return model, ours
    try:
        messages, rest = read_pieces(model)
        pieces = [piece_of(message).text for message in messages]
    except ValueError:  # damaged: said by whoever loads it
        return model, ours
    known = {*pieces, *SPECIAL_TOKENS}
    added = tuple(tokens.get(token, AddedToken(token)) for token in ids if token not in known)
    try:
        messages += added_messages(ids, pieces)
    except TokenizerError as problem:
        raise TokenizerError(f"{folder}: {problem}") from None
    return with_pieces(messages, rest), (*ours, *added)


def _described(file: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    """The added tokens that a tokenizer_config.json describes, by their ids."""
    described = content.get("added_tokens_decoder")
    if described is not None and not isinstance(described, dict):
        raise TokenizerError(
            f"{file} has no object in 'added_tokens_decoder'; restore or remove it."
        )
    return described or {}


def _id_of(file: Path, token: str, number: object) -> int:
    """The id that a file gives a token; TokenizerError where one of them cannot be."""
    if not token or "\0" in token or beyond_utf8(token):
        raise TokenizerError(
            f"{file} has the added token {quoted(token)}, which no text holds; remove it there."
        )
    text = str(number)
    if isinstance(number, bool) or not text.isdecimal() or len(text) > 10:
        raise TokenizerError(f"{file} gives {quoted(token)} no id; restore or remove it.")
    return int(text)
