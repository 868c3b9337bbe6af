r"""The tokens of a text, each with the slice of the original text that it stands for.

An answer is cut out of the text as it was written, never put together from tokens: tokens have lost
capitals and accents, and <unk> has lost everything. The ids are those that the tokenizer gives;
`AlbertTokenizer.encode_with_offsets` says where they lie in the normalised text, and `AlignedText`
where that lay in the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from albert_lib.errors import InputError
from albert_lib.text.aligned_text import align_normalized
from albert_lib.text.tokenizer import AlbertTokenizer


@dataclass(frozen=True, eq=False)
class AlignedTokens:
    """A text in ids, and where in it each of them lies.

    A lone ▁, the space before something that the vocabulary has only without one, is a token of
    empty range, at the start of what follows: no letter belongs to it, and no answer starts or
    ends with it. Of a character that became several tokens (½: ▁1, ⁄, 2) each has the whole range.

    Attributes:
        text: The original, as it was written.
        ids: The tokens, without [CLS] and [SEP].
        starts: Where each token begins in `text`; never falling.
        ends: Where each ends, exclusive; never falling.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> tokens = align_tokens(tokenizer, "The  CAFÉ, ½ full")
        >>> [tokens.text_of(place, place) for place in range(len(tokens.ids))]
        ['The', 'CA', 'FÉ', ',', '½', '½', '½', 'full']
        >>> tokens.tokens_of(5, 9)  # CAFÉ
        (1, 2)
        >>> tokens.text_of(1, 2)
        'CAFÉ'
    """

    text: str
    ids: list[int]
    starts: Int[np.ndarray, "tokens"]
    ends: Int[np.ndarray, "tokens"]

    @cached_property
    def visible(self) -> Int[np.ndarray, "visible"]:
        """The places of the tokens that stand for at least one character."""
        return np.flatnonzero(self.ends > self.starts)

    def tokens_of(self, start: int, end: int) -> tuple[int, int] | None:
        """The first and the last token of the shortest span that covers `text[start:end]`.

        The slice need not end where a token does: the span then says more. None if no token stands
        for any of its characters, as for white space alone. InputError if there is no such slice.

        Example:
            >>> tokens = align_tokens(AlbertTokenizer.from_pretrained("english-8k"), "the old mill")
            >>> tokens.tokens_of(4, 7), tokens.tokens_of(5, 9), tokens.tokens_of(3, 4)
            ((1, 1), (1, 2), None)
        """
        if not 0 <= start < end <= len(self.text):
            raise InputError(
                f"Characters {start} to {end} are no slice of a text of {len(self.text)}; "
                f"give a start below the end, both within the text."
            )
        first = int(np.searchsorted(self.ends[self.visible], start, side="right"))
        last = int(np.searchsorted(self.starts[self.visible], end, side="left")) - 1
        return (int(self.visible[first]), int(self.visible[last])) if first <= last else None

    def characters_of(self, first: int, last: int) -> tuple[int, int]:
        """Where the tokens from `first` to `last` (both included) begin and end in the text.

        The range is empty if they are nothing but lone ▁. InputError if there are no such tokens.

        Example:
            >>> tokens = align_tokens(AlbertTokenizer.from_pretrained("english-8k"), "the old mill")
            >>> tokens.characters_of(1, 2)
            (4, 12)
        """
        if not 0 <= first <= last < len(self.ids):
            raise InputError(
                f"Tokens {first} to {last} are no span of {len(self.ids)} tokens; give a first "
                f"that is not beyond the last, both within them."
            )
        left, right = np.searchsorted(self.visible, [first, last + 1])
        if left == right:
            return int(self.starts[first]), int(self.starts[first])
        return int(self.starts[self.visible[left]]), int(self.ends[self.visible[right - 1]])

    def text_of(self, first: int, last: int) -> str:
        """The slice of the original for which the tokens from `first` to `last` stand.

        Example:
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
            >>> tokens = align_tokens(tokenizer, "the ﬁne CAFÉ")
            >>> tokens.text_of(1, 3)
            'ﬁne CAFÉ'
        """
        start, end = self.characters_of(first, last)
        return self.text[start:end]


def align_tokens(tokenizer: AlbertTokenizer, text: str) -> AlignedTokens:
    """Encode a text as `tokenizer` does, and find the slice of it that each token stands for.

    Every text can be aligned, the empty one and ones that are hard to normalise included. A
    character that becomes nothing (an accent after its letter, a control character) belongs to the
    one before it.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> tokens = align_tokens(tokenizer, " The  mill")
        >>> tokens.ids == tokenizer.encode(" The  mill", add_special_tokens=False)
        True
        >>> tokens.starts.tolist(), tokens.ends.tolist()
        ([1, 6], [4, 10])
    """
    ids: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, written, is_special in chunks_as_written(tokenizer, text):
        if is_special:
            ids.append(tokenizer.piece_id(written))
            starts.append(at)
            ends.append(at + len(written))
            continue
        aligned = align_normalized(
            written,
            lowercase=tokenizer.do_lower_case,
            keep_accents=tokenizer.keep_accents,
            replace_quotes=tokenizer.replace_quotes,
        )
        chunk_ids, offsets = tokenizer.vocabulary.encode_with_offsets(aligned.text)
        ids += chunk_ids
        starts += [at + aligned.starts[start] for start, _ in offsets]
        ends += [
            at + (aligned.ends if a < b else aligned.starts)[max(a, b - 1)] for a, b in offsets
        ]
    # A ▁ within one character (ﷺ is four words) would end before the piece in front of it does.
    return AlignedTokens(text, ids, running_maximum(starts), running_maximum(ends))


def chunks_as_written(tokenizer: AlbertTokenizer, text: str) -> Iterator[tuple[int, str, bool]]:
    """Split at the special tokens written in a text, as `tokenizer` does, normalising nothing.

    Yields where a chunk begins, the chunk, and whether it is a special token.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> list(chunks_as_written(tokenizer, "A [MASK]"))
        [(0, 'A ', False), (2, '[MASK]', True), (8, '', False)]
    """
    pattern = tokenizer.written_tokens.pattern(not tokenizer.split_special_tokens)
    written = [text] if pattern is None else pattern.split(text)
    at = 0
    for index, chunk in enumerate(written):
        yield at, chunk, index % 2 == 1
        at += len(chunk)


def running_maximum(values: list[int]) -> Int[np.ndarray, "values"]:
    """The values as an array, each at least as high as those before it.

    Example:
        >>> running_maximum([0, 2, 1, 3]).tolist()
        [0, 2, 2, 3]
    """
    return np.maximum.accumulate(np.array(values, dtype=np.int64))
