"""Learning a vocabulary with SentencePiece, set up as the published ALBERT's was."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sentencepiece import SentencePieceTrainer

from albert_lib.errors import TokenizerError, quoted

CONTROL_TOKENS = ("[CLS]", "[SEP]", "[MASK]")  # ids 2, 3, 4, after <pad> 0 and <unk> 1
STANDALONE_PIECES = ("(", ")", '"', "-", ".", "–", "£", "€")  # ids 5 to 12
LONGEST_LINE = 1 << 24  # bytes; SentencePiece silently drops longer lines
MOST_PIECES = 2**31 - 1  # SentencePiece counts in 32 bits
PUBLISHED_SETTINGS: dict[str, Any] = {  # as stored in the published model
    "model_type": "unigram",
    "character_coverage": 0.99995,
    "pad_id": 0,
    "unk_id": 1,
    "bos_id": -1,  # there is none
    "eos_id": -1,
    "control_symbols": list(CONTROL_TOKENS),
}


def train_pieces(
    lines: Iterable[str], vocab_size: int, *, whole_words: tuple[str, ...] = ()
) -> bytes:
    """Learn `vocab_size` pieces from normalised lines; return the bytes of a spiece.model.

    Among them are `whole_words`, pieces such as ▁mill, right after the first thirteen.

    The settings are those stored in the published model: unigram, character coverage 0.99995,
    the same first thirteen ids. One thread, so the same lines always give the same bytes.
    Raises TokenizerError when there is too little text for that many pieces; an error raised
    while reading the lines is raised unchanged.

    Example:
        >>> model = train_pieces(["the old mill", "the old man", "a mill"], vocab_size=26)
        >>> from albert_lib.text.vocabulary import Vocabulary
        >>> len(Vocabulary(model))
        26
    """
    check_size(vocab_size)
    model = io.BytesIO()
    source = Source(lines)
    try:
        SentencePieceTrainer.train(
            sentence_iterator=iter(source),
            model_writer=model,
            vocab_size=vocab_size,
            user_defined_symbols=[*STANDALONE_PIECES, *whole_words],
            max_sentence_length=LONGEST_LINE,
            num_threads=1,
            minloglevel=2,  # errors only: the trainer's report is hundreds of lines
            **PUBLISHED_SETTINGS,
        )
    except (RuntimeError, ValueError) as problem:  # the latter for what is no 32-bit number
        if source.problem is not None:
            raise source.problem from None
        raise TokenizerError(explain(str(problem), vocab_size, source.n_lines)) from None
    return model.getvalue()


class Source:
    """Feeds lines to SentencePiece, and stores the reading error that SentencePiece would hide.

    Example:
        >>> source = Source(["the old mill", "  ", "a mill"])
        >>> list(source), source.n_lines
        (['the old mill', 'a mill'], 2)
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the lines; nothing is read yet."""
        self.lines = lines
        self.n_lines = 0  # that are not blank
        self.problem: Exception | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield the lines that are not blank; store an exception for the caller to raise."""
        try:
            for line in self.lines:
                if line and not line.isspace():
                    self.n_lines += 1
                    yield line
        except Exception as problem:
            self.problem = problem
            raise


def check_size(vocab_size: int) -> None:
    """Raise TokenizerError for what can be no number of pieces.

    Example:
        >>> check_size(8000)
    """
    if not 1 <= vocab_size <= MOST_PIECES:
        raise TokenizerError(
            f"SentencePiece could not learn {quoted(vocab_size)} pieces; ask for a number that a "
            f"vocabulary has, such as 8000."
        )


def explain(message: str, vocab_size: int, n_lines: int) -> str:
    """Turn SentencePiece's message into a sentence that says what to do.

    Example:
        >>> explain("", vocab_size=99, n_lines=0)
        'There is no text to learn a vocabulary from; pass texts that hold some words.'
    """
    if n_lines == 0:
        return "There is no text to learn a vocabulary from; pass texts that hold some words."
    if too_large := re.search(r"value <= (\d+)", message):
        return (
            f"There is too little text for a vocabulary of {vocab_size} pieces; "
            f"ask for at most {too_large[1]} or pass more text."
        )
    if too_small := re.search(r"required_chars\. \d+ vs (\d+)", message):
        return (
            f"A vocabulary of {vocab_size} pieces cannot even hold every character of the text; "
            f"ask for at least {too_small[1]}."
        )
    return f"SentencePiece could not learn {vocab_size} pieces from this text: {message.strip()}"
