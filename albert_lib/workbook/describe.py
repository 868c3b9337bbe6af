"""Values in one readable line: in full when small, else shape and first elements."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import torch

from albert_lib.workbook.comparison import as_array, dtype_name

MOST_ELEMENTS = 12  # of an array, written out in full
MOST_LETTERS = 160  # of any other value


def describe(value: Any) -> str:
    """Describe a value in one line that is the same on every machine."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return _describe_array(value)
    if isinstance(value, np.random.Generator):
        return "a seeded generator"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return f"{float(value):.5g}"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, dict):
        inside = ", ".join(f"{describe(key)}: {describe(entry)}" for key, entry in value.items())
        return shorten("{" + inside + "}")
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(describe, value))
        if isinstance(value, list):
            return shorten(f"[{inside}]")
        return shorten(f"({inside},)" if len(value) == 1 else f"({inside})")
    if isinstance(value, (str, range)):
        return shorten(repr(value))
    return f"a value of type {type(value).__name__}"  # its repr might hold an address


def _describe_array(value: torch.Tensor | np.ndarray) -> str:
    kind = f"{dtype_name(value)} {tuple(value.shape)}"
    if as_array(value).size > MOST_ELEMENTS:
        flat = ", ".join(describe(element) for element in as_array(value).ravel()[:6].tolist())
        return f"{kind} beginning {flat}, …"
    return f"{kind} {_nested(as_array(value).tolist())}"


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested, value)) + "]"
    return describe(value)


def shorten(text: str, most: int = MOST_LETTERS) -> str:
    """The text itself, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 2] + " …"
