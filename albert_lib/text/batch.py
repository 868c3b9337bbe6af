"""Sequences of ids made equally long: truncation, padding, tensors."""

from __future__ import annotations

from collections.abc import Sequence

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


def make_batch(
    sequences: Sequence[tuple[list[int], int]], pad_id: int, pad_to: int | None = None
) -> TokenizedBatch:
    """Pad sequences, each with the length of its first segment, to the longest or to `pad_to`."""
    longest = max(len(ids) for ids, _ in sequences)
    width = longest if pad_to is None else pad_to
    if width < longest:
        raise InputError(
            f"A sequence of {longest} pieces does not fit into pad_to={pad_to}; "
            f"pass max_length={pad_to} as well to truncate it."
        )
    input_ids = torch.full((len(sequences), width), pad_id)
    attention_mask = torch.zeros_like(input_ids)
    token_type_ids = torch.zeros_like(input_ids)
    for row, (ids, first_length) in enumerate(sequences):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        attention_mask[row, : len(ids)] = 1
        token_type_ids[row, first_length : len(ids)] = 1
    return TokenizedBatch(
        input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
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
