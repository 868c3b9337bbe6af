"""What several benchmarks share: a stopwatch, and the vocabulary that comes with the project."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from albert_lib import AlbertTokenizer
from albert_lib.files import data_folder

VOCABULARY = data_folder() / "tokenizers" / "english-8k"


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_seconds(work: Callable[[], object]) -> float:
    """How much of a processor one call takes, whatever else the machine does."""
    began = time.process_time()
    work()
    return time.process_time() - began


def load_tokenizer() -> AlbertTokenizer:
    """The tokenizer of 8,000 pieces."""
    return AlbertTokenizer.from_pretrained(VOCABULARY)


def transformers_tokenizer(folder: Path) -> Any:
    """Transformers' tokenizer of a folder that `AlbertTokenizer.save_pretrained` wrote."""
    import transformers  # seconds, which only some benchmarks need

    return transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        mask_token="[MASK]", pad_token="<pad>", cls_token="[CLS]", sep_token="[SEP]",
    )  # fmt: skip
