"""A tokenizer as transformers, and everything else built on `tokenizers`, reads it.

From spiece.model alone transformers 5 makes a tokenizer with other ids: it treats standalone
pieces, such as the full stop, as special tokens. So `save_pretrained` writes tokenizer.json too.
A tokenizer read from it gives the same ids, except where that format cannot express our rules:

- marks that are not accents (combining class 0: vowel signs of Indian scripts, the keycap mark)
  are dropped, while Google leaves them in and they become <unk>;
- the separators U+000B and U+001C to U+001F are removed, which joins two words; for Python, and
  so for Google's code, they are spaces;
- Σ at the end of a word becomes σ, not ς;
- a character that is missing in the Unicode tables of either side is left unchanged;
- special tokens that only appear by normalising (<PAD> by lower-casing, for instance), or that are
  written in a text while `split_special_tokens` is on, are recognised nevertheless;
- segmentations with equal scores: SentencePiece adds scores in 32 bits from the start of the text,
  `tokenizers` in 64 bits from the start of the word;
- Google's rule for digits and commas splits a piece such as 12, after segmentation. Here such
  pieces get a score too low to be chosen, so 1 and 2,100 can be the best segmentation of 12,100.
  This affects one or two lines in a thousand that are full of numbers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from albert_lib.text.added_tokens import AddedToken
from albert_lib.text.spiece_file import NORMALIZER_OF_MODEL, TABLE_OF_NORMALIZER
from albert_lib.text.train_vocabulary import STANDALONE_PIECES
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from albert_lib.text.wire_format import fields

TOO_UNLIKELY = -1000.0  # the score of pieces that must not be chosen; others are above −30
_METASPACE = {
    "type": "Metaspace",
    "replacement": WORD_START,
    "prepend_scheme": "always",
    "split": True,
}
_SPACES_MADE_ONE: list[dict[str, Any]] = [
    {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
    {"type": "Strip", "strip_left": True, "strip_right": True},
]


def tokenizer_json(
    vocabulary: Vocabulary, settings: Mapping[str, bool], tokens: Sequence[AddedToken] = ()
) -> dict[str, Any]:
    """The content of tokenizer.json: the same steps, in the format of the `tokenizers` library.

    `settings` are those of `AlbertTokenizer.settings`, `tokens` its added tokens.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> tokenizer_json(tokenizer.vocabulary, tokenizer.settings)["model"]["type"]
        'Unigram'
    """
    metaspace = _METASPACE
    pre_tokenizer: dict[str, Any] = {
        "type": "Sequence",
        "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
    }
    steps = normalizers(vocabulary.model, settings, has_korean(vocabulary))
    if has_pieces_of_words(vocabulary):
        steps += _SPACES_MADE_ONE
        pre_tokenizer = metaspace = {**metaspace, "split": False}  # the text is one word
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added_tokens(vocabulary, tokens),
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": pre_tokenizer,
        "post_processor": special_tokens_template(vocabulary),
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": vocabulary.unknown_id,
            "vocab": scored_pieces(vocabulary),
            "byte_fallback": False,
        },
    }


def is_standard(vocabulary: Vocabulary) -> bool:
    """Whether transformers' own AlbertTokenizer can hold this vocabulary.

    It takes the second piece for <unk>, looks for special tokens among the learnt pieces, and
    splits a text at spaces first.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> is_standard(AlbertTokenizer.from_pretrained("english-8k").vocabulary)
        True
    """
    never = vocabulary.is_control | vocabulary.is_unused
    unusual = has_pieces_of_words(vocabulary) or has_korean(vocabulary)
    return vocabulary.unknown_id == 1 and not never[-1] and not unusual


def has_korean(vocabulary: Vocabulary) -> bool:
    """Whether a piece has Korean syllables, which normalisation takes apart into their letters.

    SentencePiece's table puts them together again; that of `tokenizers` needs a step before it.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> has_korean(AlbertTokenizer.from_pretrained("english-8k").vocabulary)
        False
    """
    return re.search("[\uac00-\ud7a3]", "".join(vocabulary.pieces)) is not None


def has_pieces_of_words(vocabulary: Vocabulary) -> bool:
    """Whether a piece goes over a space, as after training with split_by_whitespace=False.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> has_pieces_of_words(AlbertTokenizer.from_pretrained("english-8k").vocabulary)
        False
    """
    return any(WORD_START in piece[1:] for piece in vocabulary.pieces)


def added_tokens(vocabulary: Vocabulary, tokens: Sequence[AddedToken] = ()) -> list[dict[str, Any]]:
    """The special tokens, each found in the text as written, and the added ones, by their ids.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokens = added_tokens(AlbertTokenizer.from_pretrained("english-8k").vocabulary)
        >>> [token["content"] for token in tokens]
        ['<pad>', '<unk>', '[CLS]', '[SEP]', '[MASK]']
    """
    special = [AddedToken(piece, normalized=False) for piece in SPECIAL_TOKENS]
    found = [
        {
            "id": vocabulary.piece_id(token.content),
            "content": token.content,
            "single_word": token.single_word,
            "lstrip": False,
            "rstrip": False,
            "normalized": token.normalized,  # or looked for in the text as written
            "special": token in special,
        }
        for token in [*special, *tokens]
    ]
    return sorted(found, key=lambda token: int(token["id"]))


def normalizers(
    model: bytes, settings: Mapping[str, bool], korean: bool = False
) -> list[dict[str, Any]]:
    """The steps of `normalize`, then SentencePiece's own table of characters.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k", replace_quotes=False)
        >>> [step["type"] for step in normalizers(tokenizer.model, tokenizer.settings)]
        ['NFKD', 'StripAccents', 'Lowercase', 'Precompiled']
    """
    steps: list[dict[str, Any]] = []
    if settings["replace_quotes"]:
        steps += [
            {"type": "Replace", "pattern": {"String": quote}, "content": '"'}
            for quote in ("``", "''")
        ]
    if not settings["keep_accents"]:
        steps += [{"type": "NFKD"}, {"type": "StripAccents"}]
    if settings["do_lower_case"]:
        steps.append({"type": "Lowercase"})
    table = character_table(model)
    if table and korean and not settings["keep_accents"]:
        steps.append({"type": "NFC"})
    if table:  # none where SentencePiece leaves characters as they are
        encoded = base64.b64encode(table).decode("ascii")
        steps.append({"type": "Precompiled", "precompiled_charsmap": encoded})
    return steps


def special_tokens_template(vocabulary: Vocabulary) -> dict[str, Any]:
    """[CLS] A [SEP] in segment 0, then B [SEP] in segment 1.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> vocabulary = AlbertTokenizer.from_pretrained("english-8k").vocabulary
        >>> special_tokens_template(vocabulary)["single"][0]
        {'SpecialToken': {'id': '[CLS]', 'type_id': 0}}
    """
    ids = {token: vocabulary.piece_id(token) for token in ("[CLS]", "[SEP]")}

    def special(piece: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": piece, "type_id": segment}}

    def text(name: str, segment: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": segment}}

    single = [special("[CLS]", 0), text("A", 0), special("[SEP]", 0)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B", 1), special("[SEP]", 1)],
        "special_tokens": {
            piece: {"id": piece, "ids": [piece_id], "tokens": [piece]}
            for piece, piece_id in ids.items()
        },
    }


def scored_pieces(vocabulary: Vocabulary) -> list[tuple[str, float]]:
    """Every piece and its score, in the order of the ids; tokens added behind them are left out.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> vocabulary = AlbertTokenizer.from_pretrained("english-8k").vocabulary
        >>> pieces = scored_pieces(vocabulary)
        >>> len(pieces), pieces[2]
        (8000, ('[CLS]', 0.0))
    """
    scores = vocabulary.scores.tolist()
    never = vocabulary.is_unused | vocabulary.is_control
    for piece_id in [*vocabulary.comma_splits, *np.flatnonzero(never).tolist()]:
        if vocabulary.pieces[piece_id] not in SPECIAL_TOKENS:
            scores[piece_id] = TOO_UNLIKELY
    used = vocabulary.segmentation_scores()
    for piece in vocabulary.user_defined().difference(STANDALONE_PIECES):
        scores[vocabulary.piece_id(piece)] = used[piece]
    learnt = int(np.flatnonzero(~never).max(initial=-1)) + 1
    return list(zip(vocabulary.pieces[:learnt], scores[:learnt], strict=True))


def character_table(model: bytes) -> bytes:
    """SentencePiece's compiled table of characters and what to make of them.

    In its sentencepiece_model.proto that is ModelProto.normalizer_spec, field 3, and in it
    precompiled_charsmap, field 2.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> vocabulary = AlbertTokenizer.from_pretrained("english-8k").vocabulary
        >>> len(character_table(vocabulary.model)) > 100_000
        True
    """
    return protobuf_field(protobuf_field(model, NORMALIZER_OF_MODEL), TABLE_OF_NORMALIZER)


def protobuf_field(message: bytes, wanted: int) -> bytes:
    """The first length-delimited field of that number in a protobuf message; empty if none.

    Enough of https://protobuf.dev/programming-guides/encoding to do without the package.

    Example:
        >>> message = bytes([0b10_010, 2]) + b"hi"  # field 2, length-delimited, two bytes
        >>> protobuf_field(message, wanted=2), protobuf_field(message, wanted=3)
        (b'hi', b'')
    """
    found = (message[begin:end] for number, _, begin, end in fields(message) if number == wanted)
    return next(found, b"")
