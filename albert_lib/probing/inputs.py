"""What goes into a model that is asked: texts, their batches, and the ids that can be answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.config_values import rows_fit
from albert_lib.errors import InputError, quoted
from albert_lib.probing.templates import AnyTokenizer
from albert_lib.probing.transformers_models import ModelLimits
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer


def list_of_texts(texts: str | Sequence[str]) -> list[str]:
    """One text or several as a list; InputError for what is no text.

    Example:
        >>> from albert_lib.probing.inputs import list_of_texts
        >>> list_of_texts("A [MASK].")
        ['A [MASK].']
    """
    found: list[Any] = list(texts) if isinstance(texts, Sequence) else [texts]
    if isinstance(texts, str):
        found = [texts]
    for text in found:
        if not isinstance(text, str):
            raise InputError(f"{quoted(text)} is no text; give a text, or a list of texts.")
    return found


def fits_model(tokenizer: AnyTokenizer, config: AlbertConfig | ModelLimits) -> bool:
    """Whether a model has a row for every token, and at most a few to fill up its table.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> sizes = (7999, 8000, 8064, 30000)
        >>> [fits_model(tokenizer, AlbertConfig(vocab_size=size)) for size in sizes]
        [False, True, True, False]
    """
    return rows_fit(config.vocab_size, tokenizer.vocab_size)


def answer_ids(tokenizer: AnyTokenizer) -> Int[Tensor, "tokens"]:
    """The ids that can be an answer: the learnt pieces, not what was added behind them.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> len(answer_ids(AlbertTokenizer.from_pretrained("english-8k")))
        8000
    """
    if isinstance(tokenizer, TransformersTokenizer):
        return torch.arange(tokenizer.vocab_size)
    return torch.from_numpy((~tokenizer.vocabulary.is_unused).nonzero()[0])


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield the indices of sequences in batches, the shortest first, so that little is padding.

    Example:
        >>> from albert_lib.probing.inputs import batches_by_length
        >>> list(batches_by_length([9, 2, 4, 2], batch_size=2))
        [[1, 3], [2, 0]]
    """
    by_length = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(by_length), batch_size):
        yield by_length[start : start + batch_size]
