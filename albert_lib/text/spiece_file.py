"""The pieces of a spiece.model file, to be taken out and put back.

The file is a Protocol Buffers message (sentencepiece_model.proto; `wire_format` reads its fields).
Field 1 comes once for each piece, in the order of the ids, and is itself a message of the piece,
its score and its kind. Everything else, the trainer's settings and the rules of normalisation, is
kept as it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from albert_lib.text.wire_format import (
    FOUR_BYTES,
    fields,
    length_first,
    read_varint,
    varint_field,
)

PIECE_OF_MODEL, TRAINER_OF_MODEL, NORMALIZER_OF_MODEL = 1, 2, 3
TEXT_OF_PIECE, SCORE_OF_PIECE, KIND_OF_PIECE = 1, 2, 3
NAME_OF_NORMALIZER, TABLE_OF_NORMALIZER = 1, 2
# kinds of pieces
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = 1, 2, 3, 4, 5


class Piece(NamedTuple):
    """A piece, its score (0 for those that are not learnt) and its kind.

    Example:
        >>> Piece("▁mill", -7.5).kind == NORMAL
        True
    """

    text: str
    score: float
    kind: int = NORMAL


def read_pieces(model: bytes) -> tuple[list[bytes], bytes]:
    """The message of every piece, by id, and the rest of the file.

    Example:
        >>> messages, rest = read_pieces(with_pieces([piece_message("▁mill", -7.5)], b""))
        >>> len(messages), rest
        (1, b'')
    """
    messages, rest = [], b""
    for number, start, begin, end in fields(model):
        if number == PIECE_OF_MODEL:
            messages.append(model[begin:end])
        else:
            rest += model[start:end]
    return messages, rest


def with_pieces(messages: Sequence[bytes], rest: bytes) -> bytes:
    r"""The file of these pieces and the rest, as `read_pieces` gives them.

    Example:
        >>> with_pieces([b"abc"], b"rest")
        b'\n\x03abcrest'
    """
    return b"".join(length_first(PIECE_OF_MODEL, message) for message in messages) + rest


def piece_message(piece: str, score: float, kind: int = NORMAL) -> bytes:
    r"""The message of a piece; the kind is left out where it is an ordinary one, as usual.

    Example:
        >>> piece_message("mill", -7.5)
        b'\n\x04mill\x15\x00\x00\xf0\xc0'
    """
    tag = SCORE_OF_PIECE << 3 | FOUR_BYTES
    message = length_first(TEXT_OF_PIECE, piece.encode()) + bytes([tag]) + struct.pack("<f", score)
    return message if kind == NORMAL else message + varint_field(KIND_OF_PIECE, kind)


def piece_of(message: bytes) -> Piece:
    """The piece of a message; ValueError if it is damaged.

    Example:
        >>> piece_of(piece_message("[MASK]", 0.0, CONTROL))
        Piece(text='[MASK]', score=0.0, kind=3)
    """
    text, score, kind = "", 0.0, NORMAL
    for number, _, begin, end in fields(message):
        if number == TEXT_OF_PIECE:
            text = message[begin:end].decode()
        elif number == SCORE_OF_PIECE:
            if end - begin != 4:
                raise ValueError("a score is no float")
            (score,) = struct.unpack("<f", message[begin:end])
        elif number == KIND_OF_PIECE:
            kind, _ = read_varint(message, begin)
    return Piece(text, score, kind)
