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
from collections.abc import Mapping
from typing import Any

from albert_lib.text.spiece_file import fields
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import SPECIAL_TOKENS, Vocabulary

TOO_UNLIKELY = -1000.0  # the score of pieces that must not be chosen; others are above −30


def tokenizer_json(vocabulary: Vocabulary, settings: Mapping[str, bool]) -> dict[str, Any]:
    """The content of tokenizer.json: the same steps, in the format of the `tokenizers` library.

    `settings` are those of `AlbertTokenizer.settings`.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> tokenizer_json(tokenizer.vocabulary, tokenizer.settings)["model"]["type"]
        'Unigram'
    """
    metaspace = {
        "type": "Metaspace",
        "replacement": WORD_START,
        "prepend_scheme": "always",
        "split": True,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added_tokens(vocabulary),
        "normalizer": {"type": "Sequence", "normalizers": normalizers(vocabulary.model, settings)},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
        },
        "post_processor": special_tokens_template(vocabulary),
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": vocabulary.unknown_id,
            "vocab": scored_pieces(vocabulary),
            "byte_fallback": False,
        },
    }


def added_tokens(vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """The special tokens, each found in the text as written, before it is normalised.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokens = added_tokens(AlbertTokenizer.from_pretrained("english-8k").vocabulary)
        >>> [token["content"] for token in tokens]
        ['<pad>', '<unk>', '[CLS]', '[SEP]', '[MASK]']
    """
    return [
        {
            "id": vocabulary.piece_id(piece),
            "content": piece,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,  # looked for in the text as written
            "special": True,
        }
        for piece in SPECIAL_TOKENS
    ]


def normalizers(model: bytes, settings: Mapping[str, bool]) -> list[dict[str, Any]]:
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
    table = base64.b64encode(character_table(model)).decode("ascii")
    return [*steps, {"type": "Precompiled", "precompiled_charsmap": table}]


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
    """Every piece and its score, in the order of the ids.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> vocabulary = AlbertTokenizer.from_pretrained("english-8k").vocabulary
        >>> pieces = scored_pieces(vocabulary)
        >>> len(pieces), pieces[2]
        (8000, ('[CLS]', 0.0))
    """
    scores = vocabulary.scores.tolist()
    for piece_id in vocabulary.comma_splits:
        scores[piece_id] = TOO_UNLIKELY
    return list(zip(vocabulary.pieces, scores, strict=True))


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
    return protobuf_field(protobuf_field(model, 3), 2)


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
