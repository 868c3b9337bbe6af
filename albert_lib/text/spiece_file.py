"""The pieces of a spiece.model file, to be taken out and put back.

The file is a Protocol Buffers message (sentencepiece_model.proto): fields one after another, each
with a number, a kind and its bytes. Field 1 comes once for each piece, in the order of the ids, and
is itself a message of the piece, its score and its kind. Everything else, the trainer's settings
and the rules of normalisation, is kept as it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

PIECE_OF_MODEL, TRAINER_OF_MODEL, NORMALIZER_OF_MODEL = 1, 2, 3
TEXT_OF_PIECE, SCORE_OF_PIECE, KIND_OF_PIECE = 1, 2, 3
NAME_OF_NORMALIZER, TABLE_OF_NORMALIZER = 1, 2
VARINT, EIGHT_BYTES, LENGTH_FIRST, FOUR_BYTES = 0, 1, 2, 5  # kinds of fields
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


def numbers_and_texts(message: bytes) -> dict[int, int | bytes]:
    r"""The fields of a message of settings by their numbers: whole numbers, and bytes of texts.

    Example:
        >>> numbers_and_texts(varint_field(3, 300) + length_first(1, b"nmt_nfkc"))
        {3: 300, 1: b'nmt_nfkc'}
    """
    found: dict[int, int | bytes] = {}
    for number, start, begin, end in fields(message):
        is_number = message[start] & 7 == VARINT
        found[number] = read_varint(message, begin)[0] if is_number else message[begin:end]
    return found


def varint_field(number: int, value: int) -> bytes:
    r"""A field that is a whole number.

    Example:
        >>> varint_field(3, 300)
        b'\x18\xac\x02'
    """
    return varint(number << 3 | VARINT) + varint(value)


def length_first(number: int, content: bytes) -> bytes:
    r"""A field that begins with the number of its bytes.

    Example:
        >>> length_first(1, b"mill")
        b'\n\x04mill'
    """
    return varint(number << 3 | LENGTH_FIRST) + varint(len(content)) + content


def varint(number: int) -> bytes:
    r"""A whole number in groups of seven bits, the lowest first; all but the last are marked.

    Example:
        >>> varint(300)
        b'\xac\x02'
    """
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def read_varint(message: bytes, place: int) -> tuple[int, int]:
    r"""The number that `varint` wrote at a place, and the place after it.

    Example:
        >>> read_varint(b"..\xac\x02", 2)
        (300, 4)
    """
    number = shift = 0
    while message[place] > 127:
        number |= (message[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return number | message[place] << shift, place + 1


def fields(message: bytes) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, where it starts, where its content begins and ends.

    Raises ValueError where the message is none, or breaks off.

    Example:
        >>> list(fields(length_first(1, b"mill") + length_first(2, b"")))
        [(1, 0, 2, 6), (2, 6, 8, 8)]
    """
    place = 0
    try:
        while place < len(message):
            start = place
            tag, place = read_varint(message, place)
            kind, begin = tag & 7, place
            if kind == LENGTH_FIRST:
                length, begin = read_varint(message, place)
                place = begin + length
            elif kind == VARINT:
                _, place = read_varint(message, place)
            else:
                place += {EIGHT_BYTES: 8, FOUR_BYTES: 4}[kind]
            if place > len(message):
                raise IndexError
            yield tag >> 3, start, begin, place
    except (IndexError, KeyError):
        raise ValueError(f"no field ends at byte {place}") from None
