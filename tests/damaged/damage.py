"""Damage to files: bytes lost, cut, added; values of JSON replaced, left out, listed twice."""

from __future__ import annotations

import copy
import json
import math
import random
from typing import Any

STRANGE: list[Any] = [
    None, True, False, -1, 0, 1, 7, 2**31, 2**63, 10**30, 0.5, -0.5, 1e308, math.nan, math.inf,
    "", "7", "gelu", "x" * 5000, "\x00", "▁", [], {}, [[]], [1, 2], {"a": 1}, {"type": "Sequence"},
]  # fmt: skip


def damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    """Cut short, a stretch zeroed, foreign bytes put in, a stretch repeated, or another file."""
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    choices = [
        content[:first],
        content[: len(content) - rng.randrange(1, 40)],
        content[:first] + bytes(max(1, last - first)) + content[last:],
        content[:first] + rng.randbytes(rng.randrange(1, 30)) + content[first:],
        content[:first] + content[last:],
        content[:last] + content[first:],
        b"\xff\xfe" + content.decode("latin-1").encode("utf-16-le"),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n",
        b"<!DOCTYPE html>\n<html>Not found</html>",
        b"",
    ]
    return rng.choice(choices)


def damaged_json(content: Any, rng: random.Random) -> str:
    """The JSON text with one value, somewhere, replaced, left out or there twice."""
    changed = copy.deepcopy(content)
    inner, key = changed, None
    while isinstance(inner, dict | list) and inner and (key is None or rng.random() < 0.75):
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        parent, key = inner, rng.choice(keys)
        inner = parent[key]
    what = rng.random()
    if what < 0.15:
        del parent[key]
    elif what < 0.25 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    else:
        parent[key] = rng.choice(STRANGE)
    return json.dumps(changed)


def is_changed(before: bytes, after: bytes) -> bool:
    """Whether anything was done; zeros over zeros are no damage."""
    return before != after
