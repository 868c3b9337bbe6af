"""The wire format of Protocol Buffers: a message is fields, one after another.

Each field has a number, a kind and its bytes. What is not known is passed over, so a message can be
read, and written again, without the description that it was made by.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, EIGHT_BYTES, LENGTH_FIRST, FOUR_BYTES = 0, 1, 2, 5  # kinds of fields


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
