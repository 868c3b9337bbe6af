"""What several benchmarks share: a stopwatch, and the vocabulary that comes with the project."""

from __future__ import annotations

import time
from collections.abc import Callable

from albert_lib import AlbertTokenizer
from albert_lib.files import data_folder

VOCABULARY = data_folder() / "tokenizers" / "english-8k"


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def load_tokenizer() -> AlbertTokenizer:
    """The tokenizer of 8,000 pieces."""
    return AlbertTokenizer.from_pretrained(VOCABULARY)
