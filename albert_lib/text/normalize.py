"""Normalises text before segmentation, as ALBERT does, and splits off special tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

from albert_lib.text.vocabulary import SPECIAL_TOKENS

SLICE = 1024  # characters decomposed at once
WRITTEN_SPECIAL = re.compile("(" + "|".join(map(re.escape, SPECIAL_TOKENS)) + ")")


def normalize(
    text: str, *, lowercase: bool = True, keep_accents: bool = False, replace_quotes: bool = True
) -> str:
    r"""Make one line of lower-case letters without accents, as the published models saw it.

    The steps are those of `preprocess_text` in google-research/albert (tokenization.py).
    Turning `` and '' into " is Hugging Face's addition; `replace_quotes=False` leaves it out.
    Halves of surrogate pairs, on which both would fail, are repaired first.

    Example:
        >>> from albert_lib.text import normalize
        >>> normalize("The  BÄCKER's\t``ﬁne'' day")
        'the backer\'s "fine" day'
        >>> normalize("Café", lowercase=False, keep_accents=True)
        'Café'
    """
    if not text.isascii():
        text = repair_surrogates(text)
    text = " ".join(text.split())
    if replace_quotes:
        text = text.replace("``", '"').replace("''", '"')
    if not keep_accents and not text.isascii():  # ASCII has nothing to decompose
        text = remove_accents(text)
    return text.lower() if lowercase else text


def remove_accents(text: str) -> str:
    """Decompose each character into letter and combining marks (NFKD), then drop the marks.

    Example:
        >>> remove_accents("é x² ﬁ")
        'e x2 fi'
    """
    # In slices, for NFKD sorts neighbouring marks in quadratic time. It never moves a letter, and
    # the marks are dropped, so it does not matter where a slice ends.
    slices = (text[start : start + SLICE] for start in range(0, len(text), SLICE))
    decomposed = chain.from_iterable(unicodedata.normalize("NFKD", part) for part in slices)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def repair_surrogates(text: str) -> str:
    r"""Join a surrogate pair into the character it stands for; replace a lone one by U+FFFD.

    Many programs write 🙂 in JSON as the two halves that UTF-16 has for it, and text cut between
    them, or bytes read with errors="surrogateescape", hold half a character. No UTF-8 can hold
    that. U+FFFD is Unicode's replacement character; SentencePiece takes it for a space.

    Example:
        >>> repair_surrogates("\ud83d\ude42") == "🙂"
        True
        >>> repair_surrogates("a\ud83d") == "a\ufffd"
        True
    """
    try:
        text.encode()  # the quickest way to find one
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class TextChunk(NamedTuple):
    """Normalised text between two special tokens, or one special token as it was written.

    Example:
        >>> TextChunk("[MASK]", is_special=True)
        TextChunk(text='[MASK]', is_special=True)
    """

    text: str
    is_special: bool


def split_at_special_tokens(
    text: str, normalize: Callable[[str], str], pattern: re.Pattern[str] | None = WRITTEN_SPECIAL
) -> list[TextChunk]:
    """Split a text at the special tokens written in it, and normalise what lies between them.

    Special tokens are searched before normalising, as in `tokenizers`: <PAD>, which only becomes
    one in lower case, is text. `pattern` finds others, or none.

    Example:
        >>> for chunk in split_at_special_tokens("A [MASK] day", str.lower):
        ...     print(chunk.is_special, repr(chunk.text))
        False 'a '
        True '[MASK]'
        False ' day'
    """
    chunks = []
    for index, written in enumerate([text] if pattern is None else pattern.split(text)):
        is_special = index % 2 == 1  # text and special tokens alternate, even if a text is ""
        chunk = written if is_special else normalize(written)
        if chunk:
            chunks.append(TextChunk(chunk, is_special))
    return chunks
