"""What ALBERT does to a text before it is cut into pieces."""

from __future__ import annotations

import unicodedata


def normalize(
    text: str, *, lowercase: bool = True, keep_accents: bool = False, replace_quotes: bool = True
) -> str:
    """Make one line of lower-case letters without accents, as the published models saw it.

    The steps are those of `preprocess_text` in google-research/albert (tokenization.py).
    Turning `` and '' into " is Hugging Face's addition; `replace_quotes=False` leaves it out.
    Halves of characters, on which both would fail, are mended first.
    """
    if not text.isascii():
        text = mend_surrogates(text)
    text = " ".join(text.split())
    if replace_quotes:
        text = text.replace("``", '"').replace("''", '"')
    if not keep_accents and not text.isascii():  # ASCII has nothing to take apart
        text = remove_accents(text)
    return text.lower() if lowercase else text


def remove_accents(text: str) -> str:
    """Write each character as letter plus marks (NFKD), then drop the marks: é becomes e."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def mend_surrogates(text: str) -> str:
    """Join a pair of surrogates into the character it stands for; make a lone one U+FFFD.

    JSON of many programs writes 🙂 as the two halves that UTF-16 has for it, and text cut between
    them, or bytes read with errors="surrogateescape", hold half a character. No UTF-8 can hold
    that. U+FFFD is Unicode's mark for what cannot be read; SentencePiece takes it for a space.
    """
    try:
        text.encode()  # the quickest way to find one
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
