"""Counts the words that normalising robs of their marks, and warns where they are many."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache

from albert_lib.text.normalize import remove_accents

MANY = 0.1  # of all words


def watch_for_marks(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts as they are; warn (UserWarning) after the last if many words lose marks.

    Many are a tenth. The warning says how many, with an example, and how to keep them.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True, action="always") as warned:
        ...     texts = list(watch_for_marks(["một má hai mạ", "ma"]))
        >>> str(warned[0].message).partition(":")[0]
        '60 % of the words lose accents or other marks'
    """
    n_words = n_lost = 0
    example = ""
    for text in texts:
        words = text.split()
        n_words += len(words)
        if not text.isascii():
            lost = [word for word in words if not word.isascii() and has_marks(word)]
            n_lost += len(lost)
            example = example or next(iter(lost), "")
        yield text
    if n_lost and n_lost >= MANY * n_words:
        warnings.warn(
            f"{100 * n_lost / n_words:.0f} % of the words lose accents or other marks: {example} "
            f"becomes {remove_accents(example)}, and words that differ in them alone become one; "
            f"keep them with keep_accents=True or --keep-accents.",
            stacklevel=2,
        )


@lru_cache(maxsize=1 << 16)
def has_marks(word: str) -> bool:
    """Whether a word has combining marks when it is decomposed (NFKD).

    Example:
        >>> [has_marks(word) for word in ("má", "ma", "が", "日本")]
        [True, False, True, False]
    """
    return any(map(unicodedata.combining, unicodedata.normalize("NFKD", word)))
