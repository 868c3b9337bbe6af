"""Stores of numbers, which can be checked by eye."""

from __future__ import annotations

from number_stores import (  # noqa: F401  fixtures, found by their names
    counting_store,
    make_store,
    make_tokenizer,
    random_documents,
    tokenizer,
)
