"""Values in one readable line: in full when small, else shape and first elements."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

import numpy as np
import torch

from albert_lib.workbook.comparison import as_array, dtype_name

MOST_ELEMENTS = 12  # of an array, written out in full
MOST_LETTERS = 160  # of any other value
FULL_ELEMENTS = 64  # the same where the value is what the reader has to work with
FULL_LETTERS = 800
DIGITS = 5  # of a decimal number
ALL_DIGITS = 17  # tell any two of 64 bits apart


def describe(value: Any, digits: int = DIGITS, full: bool = False) -> str:
    """Describe a value in one line that is the same on every machine.

    `full` leaves more room, for an input that is to be understood and not only recognised.
    """
    most = FULL_LETTERS if full else MOST_LETTERS
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return _describe_array(value, digits, full)
    if isinstance(value, np.random.Generator):
        return "a seeded generator"
    if isinstance(value, (bool, np.bool_)) or value is None:
        return str(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        text = f"{float(value):.{digits}g}"
        return f"{text}.0" if text.lstrip("-").isdigit() else text  # no whole number
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, dict):
        pairs = (
            f"{describe(key, digits, full)}: {describe(entry, digits, full)}"
            for key, entry in value.items()
        )
        return shorten("{" + ", ".join(pairs) + "}", most)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(describe(element, digits, full) for element in value)
        if isinstance(value, list):
            return shorten(f"[{inside}]", most)
        return shorten(f"({inside},)" if len(value) == 1 else f"({inside})", most)
    if isinstance(value, (str, range)):
        return shorten(repr(value), most)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _describe_dataclass(value, digits, most)
    if isinstance(value, torch.nn.Module):
        return _describe_module(value, digits, full)
    return f"a value of type {type(value).__name__}"  # its repr might hold an address


def _describe_module(value: torch.nn.Module, digits: int, full: bool) -> str:
    """Its kind, its widths, and its weights: "Linear 2 → 3 with weight … and bias …"."""
    widths = {
        torch.nn.Linear: ("in_features", "out_features"),
        torch.nn.Embedding: ("num_embeddings", "embedding_dim"),
    }.get(type(value), ())
    sizes = " → ".join(str(getattr(value, width)) for width in widths)
    parts = [
        f"{name} {_describe_array(parameter, digits, full)}"
        for name, parameter in value.named_parameters()
    ]
    kind = f"{type(value).__name__} {sizes}".strip()
    return shorten(f"{kind} with {' and '.join(parts)}" if parts else kind, FULL_LETTERS)


def _describe_dataclass(value: Any, digits: int, most: int) -> str:
    """The fields that are not as they always are: "AlbertConfig(hidden_size=12)"."""
    parts = [
        f"{field.name}={describe(getattr(value, field.name), digits)}"
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    ]
    return shorten(f"{type(value).__name__}({', '.join(parts)})", most)


def _describe_array(value: torch.Tensor | np.ndarray, digits: int, full: bool) -> str:
    kind = f"{dtype_name(value)} {tuple(value.shape)}"
    if as_array(value).size > (FULL_ELEMENTS if full else MOST_ELEMENTS):
        flat = as_array(value).ravel()[:6].tolist()
        return f"{kind} beginning {', '.join(_nested(element, digits) for element in flat)}, …"
    return f"{kind} {_nested(as_array(value).tolist(), digits)}"


def _nested(value: Any, digits: int) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_nested(element, digits) for element in value) + "]"
    return describe(value, digits).removesuffix(".0")  # the dtype says what it is


def shorten(text: str, most: int = MOST_LETTERS) -> str:
    """The text itself, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 2] + " …"


def described_apart(one: Any, other: Any) -> tuple[str, str]:
    """Both values, with as many digits as it takes to tell them apart.

    >>> described_apart(0.1, 0.1 + 1e-9)
    ('0.1', '0.100000001')
    """
    for digits in range(DIGITS, ALL_DIGITS + 1):
        texts = describe(one, digits), describe(other, digits)
        if texts[0] != texts[1]:
            return texts
    if type(one) is not type(other):
        return f"{texts[0]} ({_type(one)})", f"{texts[1]} ({_type(other)})"
    return texts


def _type(value: Any) -> str:
    return f"of type {type(value).__name__}"
