"""The Town's own vocabulary: every word is one token."""

from __future__ import annotations

from functools import lru_cache
from string import ascii_lowercase

from albert_lib.text import AlbertTokenizer
from albert_lib.text.train_vocabulary import STANDALONE_PIECES, train_pieces
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import SPECIAL_TOKENS


def town_tokenizer(words: tuple[str, ...]) -> AlbertTokenizer:
    """Return a tokenizer that keeps each of these lower-case words whole.

    Its vocabulary also has ALBERT's special and punctuation pieces and single letters, with which
    any other word is spelt.

    Example:
        >>> from albert_lib.town.tokenizer import town_tokenizer
        >>> town_tokenizer(("baker", "mill")).tokenize("Baker at the mill.")
        ['▁baker', '▁', 'a', 't', '▁', 't', 'h', 'e', '▁mill', '.']
    """
    return AlbertTokenizer(spiece_model(words))


@lru_cache(maxsize=4)
def spiece_model(words: tuple[str, ...]) -> bytes:
    """The bytes of its spiece.model; the same words give the same bytes."""
    # Every letter follows a comma, where no whole word swallows it, and nothing occurs twice, so
    # that there is nothing longer to learn.
    line = "".join(f",{letter}" for letter in ascii_lowercase)
    n_pieces = len(SPECIAL_TOKENS) + len(STANDALONE_PIECES) + len(words) + len({*line, WORD_START})
    return train_pieces([line], n_pieces, whole_words=tuple(WORD_START + word for word in words))
