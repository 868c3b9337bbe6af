"""What is brought in the place of a text: pointers of Git LFS, archives, documents of offices."""

from __future__ import annotations

from albert_lib.git_lfs import POINTER, POINTER_NOTE

_UNPACK = "unpack it, and give what is in it"
# The first bytes of a file, what has them, and what to do about it.
_BEGINNINGS = (
    (POINTER, POINTER_NOTE),
    (b"\x1f\x8b", f"compressed with gzip; {_UNPACK}"),
    *((b"BZh%d1AY&SY" % size, f"compressed with bzip2; {_UNPACK}") for size in range(1, 10)),
    (b"\xfd7zXZ\0", f"compressed with xz; {_UNPACK}"),
    (b"\x28\xb5\x2f\xfd", f"compressed with zstd; {_UNPACK}"),
    (b"PK\x03\x04", f"a ZIP archive, as .docx and .xlsx are; {_UNPACK}, or save it as plain text"),
    (b"7z\xbc\xaf", f"a 7z archive; {_UNPACK}"),
    (b"%PDF-", "a PDF; save it as plain text"),
    (b"\xd0\xcf\x11\xe0", "an old document of an office program; save it as plain text"),
    (b"PAR1\x15", "a Parquet table; save it as lines of JSON"),
    (b"SQLite format 3\0", "an SQLite database; save its texts as plain text"),
)


def not_text(content: bytes) -> str | None:
    r"""What bytes are that are no text, by their beginning, and the remedy; None for others.

    Example:
        >>> from albert_lib.not_text import not_text
        >>> not_text(b"%PDF-1.7\n"), not_text("Zoë".encode())
        ('a PDF; save it as plain text', None)
    """
    return next((what for begin, what in _BEGINNINGS if content.startswith(begin)), None)
