"""Makes batches of sequences: special tokens, truncation, padding, tensors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from albert_lib.errors import InputError, counted, quoted

LONGEST_PADDING = 1 << 24
Truncation = bool | str | None
Padding = bool | str
IdSequence = tuple[list[int], int]  # ids, and where the first segment ends


class TokenizedBatch(dict[str, Any]):
    """What a model takes, so that `model(**batch)` works: int64 tensors of shape (batch, seq).

    Keys are attributes too. The values are NumPy arrays or lists if the call asked for those.

    Attributes:
        input_ids: The id of every token, padded with the id of <pad>.
        attention_mask: 1 where there is a token, 0 where there is padding.
        token_type_ids: 0 in the first segment and in padding, 1 in the second.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> batch = AlbertTokenizer.from_pretrained("english-8k")(["the mill", "old"])
        >>> batch.input_ids.shape, list(batch)
        (torch.Size([2, 4]), ['input_ids', 'attention_mask', 'token_type_ids'])
    """

    input_ids: Int[Tensor, "batch seq"]
    attention_mask: Int[Tensor, "batch seq"]
    token_type_ids: Int[Tensor, "batch seq"]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"This batch has no {name}, only {', '.join(self)}.") from None

    def row(self, index: int) -> TokenizedBatch:
        """One sequence of the batch."""
        return TokenizedBatch({name: rows[index] for name, rows in self.items()})

    def to(self, device: torch.device | str) -> TokenizedBatch:
        """The same batch on another device."""
        return TokenizedBatch({name: tensor.to(device) for name, tensor in self.items()})


def in_pairs(
    texts: str | Sequence[str], pairs: str | Sequence[str] | None
) -> list[tuple[str, str | None]]:
    """Each text with its second one, or with None.

    Raises InputError if there are no texts, if one is not a string, or if the numbers differ.

    Example:
        >>> in_pairs(["the mill", "a man"], ["is old", "walks"])
        [('the mill', 'is old'), ('a man', 'walks')]
    """
    firsts = as_texts(texts, "texts")
    if not firsts:
        raise InputError("There are no texts to make a batch of; pass at least one.")
    if pairs is None:
        return [(first, None) for first in firsts]
    seconds = as_texts(pairs, "pairs")
    if len(firsts) != len(seconds):
        raise InputError(
            f"texts has {counted(len(firsts), 'text')} and pairs has {len(seconds)}; pass one "
            f"second text for every first one."
        )
    return list(zip(firsts, seconds, strict=True))


def as_texts(texts: str | Sequence[str], name: str) -> list[str]:
    """One text or several as a list; InputError for what is no text.

    Example:
        >>> as_texts("the mill", "texts")
        ['the mill']
    """
    found = [texts] if isinstance(texts, str) else list(texts)
    for index, text in enumerate(found):
        if not isinstance(text, str):
            raise InputError(
                f"{name}[{index}] is {quoted(text)}, not a text; pass strings, and second texts "
                f"as a list of their own."
            )
    return found


def with_special_tokens(
    first: list[int], second: list[int] | None, cls_id: int, sep_id: int
) -> IdSequence:
    """[CLS] first [SEP] second [SEP], and the length of the first segment.

    Example:
        >>> with_special_tokens([14, 2517], [19], cls_id=2, sep_id=3)
        ([2, 14, 2517, 3, 19, 3], 4)
    """
    ids = [cls_id, *first, sep_id]
    return (ids, len(ids)) if second is None else ([*ids, *second, sep_id], len(ids))


def truncate(
    first: list[int],
    second: list[int] | None,
    max_length: int,
    n_special: int = 0,
    truncation: Truncation = True,
) -> tuple[list[int], list[int] | None]:
    """Cut one text, or two, to what `max_length` leaves beside `n_special` special tokens.

    `truncation` says which text is cut: True or "longest_first", "only_first" or "only_second";
    with False or "do_not_truncate" neither is. Raises InputError where the text to cut is not
    long enough, and for a `max_length` without room for text.

    Example:
        >>> truncate([10, 11, 12], [20, 21], max_length=7, n_special=3)
        ([10, 11], [20, 21])
        >>> truncate([10, 11, 12], [20, 21], 7, 3, truncation="only_second")
        ([10, 11, 12], [20])
    """
    check_max_length(max_length, shortest=n_special + (1 if second is None else 2))
    room = max_length - n_special
    if truncation in (False, "do_not_truncate"):
        return first, second
    if truncation in (True, None, "longest_first"):
        return (first[:room], None) if second is None else truncate_pair(first, second, room)
    if truncation not in ("only_first", "only_second"):
        raise InputError(
            f"truncation is {truncation!r}; use True, False, 'longest_first', 'only_first' or "
            f"'only_second'."
        )
    excess = max(0, len(first) + len(second or []) - room)
    shortened = first if truncation == "only_first" else second or []
    if excess and excess >= len(shortened):
        raise InputError(
            f"truncation={truncation!r} cannot cut the texts to max_length={max_length}: the text "
            f"to cut has {counted(len(shortened), 'token')}, {excess} must go; use truncation=True."
        )
    kept = shortened[: len(shortened) - excess]
    return (kept, second) if truncation == "only_first" else (first, second and kept)


def check_max_length(max_length: int, shortest: int = 1, name: str = "max_length") -> None:
    """Raise InputError for a length that is no whole number or leaves no room for text.

    Example:
        >>> check_max_length(8, shortest=3)
    """
    if isinstance(max_length, bool) or not isinstance(max_length, int | np.integer):
        raise InputError(f"{name} is {quoted(max_length)}; give a number of tokens.")
    if max_length < shortest:
        raise InputError(
            f"{name}={max_length} leaves no room for text between the special tokens; "
            f"ask for at least {shortest}."
        )


def truncate_pair(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """Cut the ends of two sequences, the longest first, until together they fit into `room`.

    When both must be cut to half of an odd room, the one that was longer (of two equal ones,
    the second) keeps the extra token, as in Hugging Face's tokenizers.

    Example:
        >>> truncate_pair([1, 2, 3, 4], [5, 6], room=5)
        ([1, 2, 3], [5, 6])
        >>> truncate_pair([1, 2, 3], [4, 5, 6], room=5)
        ([1, 2], [4, 5, 6])
    """
    shorter, longer = sorted((len(first), len(second)))
    if shorter + longer > room:
        shorter = min(shorter, room // 2)
        longer = room - shorter
    if len(first) > len(second):
        return first[:longer], second[:shorter]
    return first[:shorter], second[:longer]


def padded_length(padding: Padding, max_length: int, pad_to: int | None = None) -> int | None:
    """The length to pad to, 0 for that of the longest sequence, None for no padding.

    `padding` is True or "longest", "max_length", or False or "do_not_pad", as in transformers;
    a length `pad_to` goes before it. Raises InputError for any other `padding`, and for a length
    that is no whole number above 0.

    Example:
        >>> [padded_length(padding, 8) for padding in (True, "max_length", False)]
        [0, 8, None]
    """
    check_max_length(max_length)
    if pad_to is not None:
        check_max_length(pad_to, name="pad_to")
        return pad_to
    if padding in (True, "longest"):
        return 0
    if padding in (False, "do_not_pad"):
        return None
    if padding != "max_length":
        raise InputError(f"padding is {padding!r}; use True, False, 'longest' or 'max_length'.")
    if max_length > LONGEST_PADDING:  # transformers writes 10³⁰ for no limit
        raise InputError(f"max_length={max_length} is too long to pad to; give a max_length.")
    return max_length


def pad_sequences(
    sequences: Sequence[IdSequence], pad_id: int, width: int
) -> dict[str, Int[np.ndarray, "batch seq"]]:
    """Sequences, each with the length of its first segment, as arrays of `width` columns.

    Example:
        >>> arrays = pad_sequences([([2, 14, 3], 3), ([2, 3], 2)], pad_id=0, width=4)
        >>> arrays["input_ids"].tolist()
        [[2, 14, 3, 0], [2, 3, 0, 0]]
    """
    lengths = np.array([len(ids) for ids, _ in sequences])
    first_lengths = np.array([first_length for _, first_length in sequences])
    position = np.arange(width)
    is_token = position < lengths[:, None]  # (batch, seq)
    is_second = is_token & (position >= first_lengths[:, None])
    input_ids = np.full(is_token.shape, pad_id, dtype=np.int64)
    input_ids[is_token] = list(chain.from_iterable(ids for ids, _ in sequences))
    return {
        "input_ids": input_ids,
        "attention_mask": is_token.astype(np.int64),
        "token_type_ids": is_second.astype(np.int64),
    }


def make_batch(
    sequences: Sequence[IdSequence], pad_id: int, pad_to: int | None = None
) -> TokenizedBatch:
    """Pad sequences, each with the length of its first segment, to the longest or to `pad_to`.

    Raises InputError when one is longer than `pad_to`.

    Example:
        >>> make_batch([([2, 14, 3], 3), ([2, 3], 2)], pad_id=0).attention_mask.tolist()
        [[1, 1, 1], [1, 1, 0]]
    """
    arrays = pad_sequences(sequences, pad_id, batch_width(sequences, pad_to or 0))
    return TokenizedBatch({name: torch.from_numpy(array) for name, array in arrays.items()})


def batch_width(sequences: Sequence[IdSequence], pad_to: int | None) -> int:
    """The common length of sequences: `pad_to`, or the longest if that is 0, or theirs if None.

    Raises InputError when one is longer than `pad_to`, or when there is to be no padding and
    their lengths differ.

    Example:
        >>> batch_width([([2, 14, 3], 3), ([2, 3], 2)], pad_to=0)
        3
    """
    lengths = [len(ids) for ids, _ in sequences]
    longest = max(lengths)
    if pad_to is None and min(lengths) < longest:
        raise InputError(
            f"Sequences of {min(lengths)} to {longest} tokens make no tensor without padding; "
            f"pass padding=True, or return_tensors=None for lists."
        )
    if pad_to and pad_to < longest:
        raise InputError(
            f"A sequence of {longest} tokens does not fit into {pad_to}; "
            f"pass max_length={pad_to} and truncation=True to truncate it."
        )
    return pad_to or longest


def tensor_names(
    return_attention_mask: bool | None, return_token_type_ids: bool | None
) -> list[str]:
    """What a batch holds beside the ids: all of it, but for what is False.

    Example:
        >>> tensor_names(return_attention_mask=True, return_token_type_ids=False)
        ['input_ids', 'attention_mask']
    """
    names = ["input_ids"]
    names += ["attention_mask"] if return_attention_mask is not False else []
    names += ["token_type_ids"] if return_token_type_ids is not False else []
    return names


def as_batch(
    sequences: Sequence[IdSequence],
    pad_id: int,
    pad_to: int | None,
    return_tensors: str | None,
    names: Collection[str],
) -> TokenizedBatch:
    """Sequences as tensors ("pt"), arrays ("np") or lists (None), under those of the three names.

    `pad_to` is that of `batch_width`; lists alone may stay unpadded.

    Example:
        >>> as_batch([([2, 14, 3], 3), ([2, 3], 2)], 0, None, None, ["input_ids"])
        {'input_ids': [[2, 14, 3], [2, 3]]}
    """
    if return_tensors not in ("pt", "np", None):
        raise InputError(
            f"return_tensors is {return_tensors!r}; use 'pt' for PyTorch, 'np' for NumPy or None "
            f"for lists."
        )
    if return_tensors is None and pad_to is None:
        rows = [pad_sequences([each], pad_id, len(each[0])) for each in sequences]
        return TokenizedBatch({name: [row[name][0].tolist() for row in rows] for name in names})
    arrays = pad_sequences(sequences, pad_id, batch_width(sequences, pad_to))
    convert: dict[str | None, Callable[[np.ndarray], Any]] = {
        "pt": torch.from_numpy,
        "np": np.asarray,
        None: np.ndarray.tolist,
    }
    return TokenizedBatch({name: convert[return_tensors](arrays[name]) for name in names})
