"""A spiece.model before it is used: whole, and of the kind that ALBERT's is.

SentencePiece loads a file that broke off between two fields, or whose settings ALBERT's rules for
words know nothing of, and then segments text otherwise than the model was trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from sentencepiece import SentencePieceProcessor

from albert_lib.errors import TokenizerError, listed
from albert_lib.text.spiece_file import (
    CONTROL,
    NAME_OF_NORMALIZER,
    NORMALIZER_OF_MODEL,
    TABLE_OF_NORMALIZER,
    TRAINER_OF_MODEL,
    piece_message,
    piece_of,
    read_pieces,
    with_pieces,
)
from albert_lib.text.unigram import WORD_START
from albert_lib.text.wire_format import fields, numbers_and_texts

UNIGRAM = 1
KINDS_OF_MODEL = {UNIGRAM: "unigram", 2: "bpe", 3: "word", 4: "char"}
IDENTITY = b"identity"  # the name of no rules for characters

# Settings that change how words are marked or cut: message, field, name, and the value of ALBERT's,
# which is SentencePiece's default.
_SETTINGS = (
    (TRAINER_OF_MODEL, 24, "treat_whitespace_as_suffix", False),
    (TRAINER_OF_MODEL, 35, "byte_fallback", False),
    (NORMALIZER_OF_MODEL, 3, "add_dummy_prefix", True),
    (NORMALIZER_OF_MODEL, 5, "escape_whitespaces", True),
)


def load_processor(model: bytes, control: Collection[str] = ()) -> SentencePieceProcessor:
    """Load a SentencePiece model whose pieces in `control` are never part of a text.

    Raises TokenizerError if it is damaged or incomplete, or was trained with a setting that an
    ALBERT cannot have; the sentence names the setting.

    Example:
        >>> from albert_lib.files import data_folder
        >>> model = (data_folder() / "tokenizers" / "english-8k" / "spiece.model").read_bytes()
        >>> load_processor(model).encode("the mill", out_type=str)
        ['▁the', '▁mill']
    """
    try:
        messages: dict[int, Mapping[int, int | bytes]] = {
            number: numbers_and_texts(model[begin:end])
            for number, _, begin, end in fields(model)
            if number in (TRAINER_OF_MODEL, NORMALIZER_OF_MODEL)
        }
        if not has_rules(messages.get(NORMALIZER_OF_MODEL, {})):
            raise ValueError("no rules for characters")
        refuse_settings(messages)
        processor = SentencePieceProcessor(model_proto=model)
        ids = [processor.piece_to_id(piece) for piece in control]
        if all(map(processor.is_control, ids)):
            return processor
        return SentencePieceProcessor(model_proto=with_control(model, control))
    except (ValueError, RuntimeError) as problem:
        if isinstance(problem, TokenizerError):
            raise
        raise TokenizerError(
            "The SentencePiece model is damaged or incomplete; "
            "copy spiece.model again, or train the tokenizer again."
        ) from None


def has_rules(normalizer: Mapping[int, int | bytes]) -> bool:
    """Whether the rules for characters, which end the file, are there as their name says.

    Example:
        >>> has_rules({NAME_OF_NORMALIZER: b"nmt_nfkc"}), has_rules({NAME_OF_NORMALIZER: IDENTITY})
        (False, True)
    """
    return normalizer.get(NAME_OF_NORMALIZER) == IDENTITY or bool(
        normalizer.get(TABLE_OF_NORMALIZER)
    )


def refuse_settings(messages: Mapping[int, Mapping[int, int | bytes]]) -> None:
    """Raise TokenizerError for the first setting that differs from what ALBERT's rules need.

    Example:
        >>> refuse_settings({TRAINER_OF_MODEL: {3: UNIGRAM}})
    """
    kind = messages.get(TRAINER_OF_MODEL, {}).get(3, UNIGRAM)
    if kind != UNIGRAM:
        name = KINDS_OF_MODEL.get(kind, kind) if isinstance(kind, int) else "unknown"
        raise TokenizerError(
            f"The SentencePiece model was trained with model_type={name}, but an ALBERT's is a "
            f"unigram model; train it with model_type=unigram, as AlbertTokenizer.train does."
        )
    for message, field, setting, right in _SETTINGS:
        if bool(messages.get(message, {}).get(field, right)) is not right:
            raise TokenizerError(
                f"The SentencePiece model was trained with {setting}={str(not right).lower()}, by "
                f"which words are marked or cut otherwise than an ALBERT's; train it with "
                f"{setting}={str(right).lower()}, as AlbertTokenizer.train does."
            )


def with_control(model: bytes, control: Collection[str]) -> bytes:
    """The model with these pieces as control pieces, which no text is made of.

    Some were trained with [MASK] as a user-defined symbol: then a corpus could bring it in.

    Example:
        >>> model = with_pieces([piece_message("[MASK]", 0.0)], b"")
        >>> piece_of(read_pieces(with_control(model, ["[MASK]"]))[0][0]).kind == CONTROL
        True
    """
    messages, rest = read_pieces(model)
    pieces = map(piece_of, messages)
    return with_pieces(
        [
            piece_message(piece.text, 0.0, CONTROL) if piece.text in control else message
            for piece, message in zip(pieces, messages, strict=True)
        ],
        rest,
    )


def refuse_symbols_over_spaces(
    pieces: Sequence[str], scores: Float[np.ndarray, "vocab"], user_defined: Callable[[], set[str]]
) -> None:
    """Raise TokenizerError for symbols that no tokenizer.json finds in a text.

    `user_defined` reads the kinds of all pieces, which takes as long as all else of an opening;
    such symbols have the score 0, as few pieces do, so it is seldom called.

    Example:
        >>> refuse_symbols_over_spaces(["▁New▁York"], np.zeros(1), lambda: {"▁New▁York"})
        Traceback (most recent call last):
        albert_lib.errors.TokenizerError: The SentencePiece model was trained with \
user_defined_symbols that go on behind a space (▁New▁York), which a tokenizer.json cannot hold; \
train it without them.
    """
    if not any(WORD_START in pieces[i][1:] for i in np.flatnonzero(scores == 0).tolist()):
        return
    if spanning := sorted(piece for piece in user_defined() if WORD_START in piece[1:]):
        raise TokenizerError(
            f"The SentencePiece model was trained with user_defined_symbols that go on behind a "
            f"space ({listed(spanning)}), which a tokenizer.json cannot hold; train it without "
            f"them."
        )
