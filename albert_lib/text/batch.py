"""Sequences of ids made equally long: truncation, padding, tensors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from albert_lib.errors import InputError

LONGEST_SEQUENCE = 512  # positions that ALBERT has embeddings for


class TokenizedBatch(dict[str, Tensor]):
    """What a model takes, so that `model(**batch)` works: three int64 tensors (batch, seq)."""

    @property
    def input_ids(self) -> Int[Tensor, "batch seq"]:
        """The id of every piece, padded with the id of <pad>."""
        return self["input_ids"]

    @property
    def attention_mask(self) -> Int[Tensor, "batch seq"]:
        """1 where there is a piece, 0 where there is padding."""
        return self["attention_mask"]

    @property
    def token_type_ids(self) -> Int[Tensor, "batch seq"]:
        """0 in the first segment and in padding, 1 in the second."""
        return self["token_type_ids"]

    def to(self, device: torch.device | str) -> TokenizedBatch:
        """The same batch on another device."""
        return TokenizedBatch({name: tensor.to(device) for name, tensor in self.items()})


def in_pairs(
    texts: str | Sequence[str], pairs: str | Sequence[str] | None
) -> list[tuple[str, str | None]]:
    """Each text with its second one, or with None; InputError if they do not match up."""
    firsts = [texts] if isinstance(texts, str) else list(texts)
    if not firsts:
        raise InputError("There are no texts to make a batch of; pass at least one.")
    if pairs is None:
        return [(first, None) for first in firsts]
    seconds = [pairs] if isinstance(pairs, str) else list(pairs)
    if len(firsts) != len(seconds):
        raise InputError(
            f"There are {len(firsts)} texts and {len(seconds)} pairs; "
            f"pass one second text for every first one."
        )
    return list(zip(firsts, seconds, strict=True))


def frame(
    first: list[int], second: list[int] | None, cls_id: int, sep_id: int, max_length: int | None
) -> tuple[list[int], int]:
    """[CLS] first [SEP] second [SEP], cut to `max_length`, and the length of the first segment."""
    n_special = 2 if second is None else 3
    if max_length is not None:
        first, second = truncate(first, second, max_length, n_special)
    ids = [cls_id, *first, sep_id]
    return (ids, len(ids)) if second is None else ([*ids, *second, sep_id], len(ids))


def truncate(
    first: list[int], second: list[int] | None, max_length: int, n_special: int = 0
) -> tuple[list[int], list[int] | None]:
    """Cut one text, or two, to what `max_length` leaves beside `n_special` special pieces."""
    room = max_length - n_special
    check_max_length(max_length, shortest=n_special + (1 if second is None else 2))
    return (first[:room], None) if second is None else truncate_pair(first, second, room)


def make_batch(
    sequences: Sequence[tuple[list[int], int]], pad_id: int, pad_to: int | None = None
) -> TokenizedBatch:
    """Pad sequences, each with the length of its first segment, to the longest or to `pad_to`."""
    lengths = np.array([len(ids) for ids, _ in sequences])
    first_lengths = np.array([first_length for _, first_length in sequences])
    longest = int(lengths.max())
    width = longest if pad_to is None else pad_to
    if width < longest:
        raise InputError(
            f"A sequence of {longest} pieces does not fit into pad_to={pad_to}; "
            f"pass max_length={pad_to} as well to truncate it."
        )
    position = np.arange(width)
    is_piece = position < lengths[:, None]  # (batch, seq)
    is_second = is_piece & (position >= first_lengths[:, None])
    input_ids = np.full(is_piece.shape, pad_id, dtype=np.int64)
    input_ids[is_piece] = list(chain.from_iterable(ids for ids, _ in sequences))
    return TokenizedBatch(
        input_ids=torch.from_numpy(input_ids),
        attention_mask=torch.from_numpy(is_piece.astype(np.int64)),
        token_type_ids=torch.from_numpy(is_second.astype(np.int64)),
    )


def check_max_length(max_length: int, shortest: int) -> None:
    """Refuse a maximum that ALBERT has no positions for, or that leaves no room for text."""
    if max_length > LONGEST_SEQUENCE:
        raise InputError(
            f"max_length={max_length} is more than the {LONGEST_SEQUENCE} positions ALBERT has; "
            f"ask for at most {LONGEST_SEQUENCE}, or cut the text into several."
        )
    if max_length < shortest:
        raise InputError(
            f"max_length={max_length} leaves no room for text between the special pieces; "
            f"ask for at least {shortest}."
        )


def truncate_pair(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """Cut the ends of two sequences, the longest first, until together they take up `room`.

    When both must be cut to half of an odd room, the one that was longer (of two equal ones,
    the second) keeps the extra piece, as in Hugging Face's tokenizers.
    """
    shorter, longer = sorted((len(first), len(second)))
    if shorter + longer > room:
        shorter = min(shorter, room // 2)
        longer = room - shorter
    if len(first) > len(second):
        return first[:longer], second[:shorter]
    return first[:shorter], second[:longer]
