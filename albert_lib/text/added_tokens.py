"""Tokens that were added to a vocabulary after its training, as transformers' add_tokens does.

They are found in a text before it is segmented, and stand for themselves: some in the text as it
was written, others once it is normalised. In spiece.model they lie behind the learnt pieces, as
unused ones, which SentencePiece never segments a text into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from albert_lib.errors import TokenizerError, listed, quoted
from albert_lib.text.spiece_file import CONTROL, UNUSED, piece_message
from albert_lib.text.vocabulary import NEVER_IN_TEXT, SPECIAL_TOKENS, Vocabulary


class AddedToken(NamedTuple):
    """A token's text, and where it is found; the names are those of transformers' AddedToken.

    Example:
        >>> AddedToken("covid").normalized
        True
    """

    content: str
    normalized: bool = True  # in the normalised text, not in the text as written
    single_word: bool = False  # only where no letter or digit touches it


def tokens_pattern(tokens: Iterable[AddedToken]) -> re.Pattern[str] | None:
    """A pattern that finds these tokens, the longest where several begin; None if there are none.

    Its only group is the token, so that `split` gives text and tokens in turn.

    Example:
        >>> tokens_pattern([AddedToken("<e>"), AddedToken("<e>x")]).split("a<e>xb")
        ['a', '<e>x', 'b']
    """
    longest_first = sorted(tokens, key=lambda token: len(token.content), reverse=True)
    parts = [
        rf"(?<!\w){re.escape(token.content)}(?!\w)"
        if token.single_word
        else re.escape(token.content)
        for token in longest_first
        if token.content
    ]
    return re.compile("(" + "|".join(parts) + ")") if parts else None


class WrittenTokens:
    """The tokens that are found in a text as it was written, before it is normalised.

    Example:
        >>> tokens = WrittenTokens([AddedToken("(", normalized=False)])
        >>> tokens.pattern(special=True).split("a (b) [MASK]")
        ['a ', '(', 'b) ', '[MASK]', '']
        >>> tokens.pattern(special=False).split("a (b) [MASK]")
        ['a ', '(', 'b) [MASK]']
    """

    def __init__(self, added_tokens: Sequence[AddedToken]) -> None:
        """Take a tokenizer's added tokens; the special ones are the same for all."""
        added = [token for token in added_tokens if not token.normalized]
        special = [AddedToken(token, normalized=False) for token in SPECIAL_TOKENS]
        self._patterns = {True: tokens_pattern([*special, *added]), False: tokens_pattern(added)}

    def pattern(self, special: bool) -> re.Pattern[str] | None:
        """What finds the added tokens, and the special ones or not; None if there are none."""
        return self._patterns[special]


def vocabulary_with(
    model: bytes,
    added_tokens: Sequence[AddedToken],
    normalize: Callable[[str], str],
    digit_comma_rule: bool,
) -> Vocabulary:
    """The vocabulary of a spiece.model, which finds the added tokens of normalised text.

    Example:
        >>> from albert_lib.files import data_folder
        >>> model = (data_folder() / "tokenizers" / "english-8k" / "spiece.model").read_bytes()
        >>> vocabulary_with(model, [], str.lower, True).encode("the mill")
        [14, 2517]
    """
    vocabulary = Vocabulary(model, digit_comma_rule=digit_comma_rule)
    found = {
        token._replace(content=normalize(token.content)): token.content
        for token in added_tokens
        if token.normalized
    }
    if (pattern := tokens_pattern(found)) is None:
        return vocabulary
    ids = {token.content: vocabulary.piece_id(content) for token, content in found.items()}
    return VocabularyWithTokens(model, pattern, ids, digit_comma_rule=digit_comma_rule)


class VocabularyWithTokens(Vocabulary):
    """A vocabulary that finds added tokens in normalised text before it segments the rest.

    Example:
        >>> from albert_lib.files import data_folder
        >>> model = (data_folder() / "tokenizers" / "english-8k" / "spiece.model").read_bytes()
        >>> pattern = tokens_pattern([AddedToken("mill")])
        >>> VocabularyWithTokens(model, pattern, {"mill": 5}).encode("the mills")
        [14, 5, 13, 16]
    """

    def __init__(
        self,
        model: bytes,
        pattern: re.Pattern[str],
        ids: Mapping[str, int],
        *,
        digit_comma_rule: bool = True,
    ) -> None:
        """Load a spiece.model; `ids` are those of the tokens as the pattern finds them."""
        super().__init__(model, digit_comma_rule=digit_comma_rule)
        self._pattern = pattern
        self._ids_in_text = dict(ids)

    def encode(self, text: str) -> list[int]:
        """Segment a normalised text into ids."""
        return self.encode_with_offsets(text)[0]

    def encode_many(self, texts: Sequence[str], num_threads: int | None = None) -> list[list[int]]:
        """Segment normalised texts into ids."""
        return [self.encode(text) for text in texts]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Segment a normalised text into ids, with the characters of it that each one covers."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        for start, part, token in self._parts(text):
            if token is not None:
                ids.append(token)
                offsets.append((start, start + len(part)))
                continue
            part_ids, part_offsets = super().encode_with_offsets(part)
            ids += part_ids
            offsets += [(start + first, start + last) for first, last in part_offsets]
        return ids, offsets

    def _parts(self, text: str) -> Iterator[tuple[int, str, int | None]]:
        """Where each part of a text begins, the part without spaces around it, a token's id."""
        at = 0
        for index, part in enumerate(self._pattern.split(text)):
            if index % 2:
                yield at, part, self._ids_in_text[part]
            elif part.strip():
                yield at + len(part) - len(part.lstrip()), part.strip(), None
            at += len(part)


def as_added_tokens(stored: Any) -> tuple[AddedToken, ...]:
    """Added tokens as JSON holds them; those that are no objects with a text are left out.

    Example:
        >>> as_added_tokens([{"content": "(", "normalized": False}])
        (AddedToken(content='(', normalized=False, single_word=False),)
    """
    return tuple(
        AddedToken(
            token["content"],
            token.get("normalized") is not False,
            token.get("single_word") is True,
        )
        for token in (stored if isinstance(stored, list) else [])
        if isinstance(token, dict) and isinstance(token.get("content"), str)
    )


def added_messages(ids: Mapping[str, int], pieces: Sequence[str]) -> list[bytes]:
    """The messages, for a spiece.model that has `pieces`, of the tokens that lie behind them.

    A `<pad>` or `[MASK]` among them becomes what it is elsewhere. Raises TokenizerError for ids
    that do not follow one another, and for a token that is a piece of another id.

    Example:
        >>> len(added_messages({"<pad>": 0, "[MASK]": 2}, ["<pad>", "a"]))
        1
    """
    own = {piece: number for number, piece in enumerate(pieces)}
    for token, number in ids.items():
        if own.get(token, number) != number or (number < len(own) and token not in own):
            instead = own[token] if token in own else f"that of {quoted(pieces[number])}"
            raise TokenizerError(
                f"the added token {quoted(token)} has the id {number}, in the vocabulary "
                f"{instead}; give the token files and the vocabulary of one model."
            )
    beyond = sorted((number, token) for token, number in ids.items() if number >= len(own))
    numbers = [number for number, _ in beyond]
    if numbers != list(range(len(own), len(own) + len(numbers))):
        raise TokenizerError(
            f"added tokens have the ids {listed(map(str, numbers))}, but those after the "
            f"vocabulary's {len(own)} pieces are {len(own)} and on, each once; give the token "
            f"files and the vocabulary of one model."
        )
    return [
        piece_message(token, 0.0, CONTROL if token in NEVER_IN_TEXT else UNUSED)
        for _, token in beyond
    ]
