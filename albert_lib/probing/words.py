"""From a word to its piece, refusing words that are cut into several.

A probability belongs to a piece. A word of several pieces has none of its own, and scoring its
first piece instead ("▁nurs" for "nursery") would be scoring every word that begins alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from albert_lib.errors import InputError
from albert_lib.text import AlbertTokenizer

WORD_MARK = "▁"  # begins a piece that begins a word


def word_id(tokenizer: AlbertTokenizer, word: str) -> int:
    """The id of the piece that is this whole word, which starts with ▁: "nurse" → id of ▁nurse.

    The vocabulary may also hold `nurse` without the mark, a piece for the inside of words; a
    probe that reads that one measures something else. The piece itself ("▁nurse") is accepted
    too. Raises InputError naming the pieces of a word that has several.
    """
    pieces = [word] if word.startswith(WORD_MARK) else tokenizer.tokenize(word)
    piece = pieces[0] if len(pieces) == 1 else ""
    token = tokenizer.piece_id(piece)
    if not piece.startswith(WORD_MARK) or piece == WORD_MARK or token == tokenizer.unk_token_id:
        raise InputError(
            f"{word!r} is not one piece of this vocabulary ({' '.join(pieces) or 'it is empty'}); "
            f"choose a word that is, because only a whole piece has a probability."
        )
    return token


def one_piece_words(
    tokenizer: AlbertTokenizer, words: Iterable[str]
) -> tuple[list[str], dict[str, list[str]]]:
    """Divide words into those that are one piece and the others, each with its pieces.

    Report the second part beside every result: what a vocabulary has no piece for, a probe
    cannot see.
    """
    kept: list[str] = []
    dropped: dict[str, list[str]] = {}
    for word in words:
        try:
            word_id(tokenizer, word)
        except InputError:
            dropped[word] = tokenizer.tokenize(word)
        else:
            kept.append(word)
    return kept, dropped
