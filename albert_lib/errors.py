"""The errors that albert_lib raises on purpose.

Each carries one sentence: which file or value, what is wrong, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable


class AlbertLibError(Exception):
    """Base of all deliberate errors; catch this to catch any of them."""


class ConfigError(AlbertLibError, ValueError):
    """The description of a model or run has values that cannot work together."""


class TextError(AlbertLibError, ValueError):
    """A text or corpus cannot be read: missing, empty, or not UTF-8."""


class TokenizerError(AlbertLibError, ValueError):
    """A vocabulary is missing, damaged, or does not fit what it is used with."""


class StoreError(AlbertLibError, ValueError):
    """A folder of token ids is missing, incomplete, or from another vocabulary."""


class InputError(AlbertLibError, ValueError):
    """Tensors handed to a model do not fit it: ids out of range, sequences too long."""


class CheckpointError(AlbertLibError, ValueError):
    """Saved weights or a saved run are missing, torn, or for another model."""


class DownloadError(AlbertLibError, OSError):
    """A published model is neither on this machine nor reachable."""


class WriteError(AlbertLibError, OSError):
    """A file or folder cannot be written: no room, no permission, something in its place."""

    def __init__(self, place: object, problem: OSError) -> None:
        """Say which place; `strerror` and `errno` are those of the system's own error."""
        reason = system_reason(problem)
        super().__init__(
            f"{place} cannot be written ({reason}); make room there, or name a place where you "
            f"may write."
        )
        self.errno, self.strerror = problem.errno, reason

    def __str__(self) -> str:
        """The sentence, where OSError would write its number."""
        return str(self.args[0])


def listed(items: Iterable[str], most: int = 3) -> str:
    """The first few of many names, for a sentence.

    Example:
        >>> from albert_lib.errors import listed
        >>> listed("abcdefg")
        'a, b, c and 4 more'
    """
    items = list(items)
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the singular for 1.

    Example:
        >>> from albert_lib.errors import counted
        >>> counted(1, "document"), counted(2000, "document")
        ('1 document', '2,000 documents')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def quoted(text: object, longest: int = 60) -> str:
    """The repr of a text or another value, cut to a length that fits into a sentence.

    Example:
        >>> from albert_lib.errors import quoted
        >>> quoted("a long text", longest=8)
        "'a long…"
    """
    written = repr(text)
    return written if len(written) <= longest else written[: longest - 1] + "…"


def system_reason(problem: Exception) -> str:
    """What the system says of a file, without the name; else the error's first line.

    Example:
        >>> from albert_lib.errors import system_reason
        >>> system_reason(FileNotFoundError(2, "No such file or directory", "a.txt"))
        'No such file or directory'
    """
    return getattr(problem, "strerror", None) or first_line(problem)


def first_line(problem: BaseException, longest: int = 300) -> str:
    r"""The first line of an error's message, without a full stop, cut to a length.

    Example:
        >>> from albert_lib.errors import first_line
        >>> first_line(ValueError("no such file.\nmore about it"))
        'no such file'
    """
    line = str(problem).strip().partition("\n")[0].rstrip(".") or type(problem).__name__
    return line if len(line) <= longest else line[: longest - 1] + "…"
