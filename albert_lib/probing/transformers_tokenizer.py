"""Any fast tokenizer of transformers, asked as the probes ask ALBERT's.

Families mark words in different ways: WordPiece writes ## before what continues one, byte-level
BPE Ġ and SentencePiece ▁ before what begins one. Nothing here knows these marks: what is a word,
and which token it is in its place, is found by asking the tokenizer itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from albert_lib.errors import TokenizerError
from albert_lib.text.vocabulary import SPECIAL_TOKENS

*_, _MASK = SPECIAL_TOKENS  # how texts and templates write it, whatever the model's own


class TransformersTokenizer:
    """What `FillMask` and the probes ask of a tokenizer, answered by one of transformers.

    [MASK] in a text stands for the model's own mask token, such as <mask>.

    Example:
        >>> from transformers import BertTokenizer
        >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "mill", "##er", "."]
        >>> vocabulary = {piece: number for number, piece in enumerate(pieces)}
        >>> tokenizer = TransformersTokenizer(BertTokenizer(vocab=vocabulary), "a miller's BERT")
        >>> ids = tokenizer.encode("The miller [MASK].")
        >>> [tokenizer.id_to_piece(token) for token in ids]
        ['[CLS]', 'the', 'mill', '##er', '[MASK]', '.', '[SEP]']
        >>> tokenizer.word_numbers(ids).tolist()  # mill and ##er are one word
        [0, 1, 2, 2, 3, 4, 5]
    """

    split_special_tokens = False

    def __init__(self, tokenizer: Any, name: str) -> None:
        """Wrap a tokenizer; TokenizerError, naming the model, where it lacks what a probe needs."""
        self.tokenizer = tokenizer
        _check(tokenizer, name)
        self.mask_token_id = int(tokenizer.mask_token_id)
        # where there is no padding token, any id will do: padding is never attended to
        self.pad_token_id = int(0 if tokenizer.pad_token_id is None else tokenizer.pad_token_id)
        self.unk_token_id = tokenizer.unk_token_id  # None where every text can be written
        self.vocab_size = max(tokenizer.get_vocab().values()) + 1
        self.model_max_length = int(min(tokenizer.model_max_length, 2**31))
        self._ends = _ends(tokenizer)

    def __len__(self) -> int:
        """The number of ids."""
        return self.vocab_size

    @property
    def is_special(self) -> Bool[np.ndarray, "vocab"]:
        """For every id, whether it is a special token, of which no text is made; <unk> is none."""
        special = np.zeros(self.vocab_size, dtype=bool)
        special[[i for i in self.tokenizer.all_special_ids if i != self.unk_token_id]] = True
        return special

    def normalize(self, text: str) -> str:
        """The text in which `encode_with_offsets` counts: here the text itself."""
        return text

    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True
    ) -> list[int]:
        """The ids of a text, or of a pair, with the model's own tokens around them."""
        pair = None if pair is None else self._own_mask(pair)
        encoded = self.tokenizer(
            self._own_mask(text), pair, add_special_tokens=add_special_tokens, verbose=False
        )
        return [int(token) for token in encoded.input_ids]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text without special tokens, and where in it each lies."""
        encoded = self.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        offsets = [(int(first), int(last)) for first, last in encoded.offset_mapping]
        return [int(token) for token in encoded.input_ids], offsets

    def with_special_tokens(self, ids: Sequence[int]) -> tuple[list[int], int]:
        """The ids with the model's own tokens around them, and how many stand before them."""
        before, after = self._ends
        return [*before, *ids, *after], len(before)

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text."""
        ids = self.encode(text, add_special_tokens=False)
        return [self.id_to_piece(token) for token in ids]

    def word_pieces(self, word: str, before: str = "a ") -> list[str]:
        """The tokens that a word has in the place of a [MASK] that stands after `before`."""
        masked = self.encode(before + _MASK, add_special_tokens=False)
        last = len(masked) - 1 - masked[::-1].index(self.mask_token_id)  # `before` may hold others
        context = masked[:last]
        ids = self.encode(before + word, add_special_tokens=False)
        if ids[: len(context)] != context:  # the space before is a token of its own there
            ids = [*context, *self.encode(word, add_special_tokens=False)]
        return [self.id_to_piece(token) for token in ids[len(context) :]]

    def begins_word(self, piece: str) -> bool:
        """Whether a piece that `word_pieces` gave alone is a word: always, but for bare marks."""
        return bool(self.tokenizer.convert_tokens_to_string([piece]).strip())

    def word_numbers(self, ids: Sequence[int]) -> Int[np.ndarray, "seq"]:
        """A number for every token, the same for the tokens of a word.

        What a word is, the tokenizer says of the text that the ids stand for. Where that text
        would be cut otherwise, as it may be in ids made by hand, every token is its own word.
        """
        special = self.is_special[list(ids)]
        numbers = np.arange(len(ids))
        ordinary = np.flatnonzero(~special)
        if not len(ordinary):
            return numbers
        between = slice(int(ordinary[0]), int(ordinary[-1]) + 1)
        inner = list(ids)[between]
        text = self.tokenizer.decode(inner, clean_up_tokenization_spaces=False)
        again = self.tokenizer(text, add_special_tokens=False, verbose=False)
        words = again.word_ids()
        if list(again.input_ids) != inner or None in words:
            return numbers
        numbers[between] = between.start + np.array(words)
        numbers[between.stop :] += len(ids)  # past every word's number
        return np.unique(numbers, return_inverse=True)[1]

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids, as transformers writes it."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=skip_special_tokens))

    def piece_id(self, piece: str) -> int:
        """The id of a piece, or −1 if there is no such piece."""
        return int(self.tokenizer.get_vocab().get(piece, -1))

    def id_to_piece(self, piece_id: int) -> str:
        """The piece of an id."""
        return str(self.tokenizer.convert_ids_to_tokens(int(piece_id)))

    def _own_mask(self, text: str) -> str:
        return text.replace(_MASK, self.tokenizer.mask_token)


def _check(tokenizer: Any, name: str) -> None:
    if not getattr(tokenizer, "is_fast", False):
        raise TokenizerError(
            f"{name}: its tokenizer ({type(tokenizer).__name__}) cannot say where its tokens lie "
            f"in a text; use a model with a tokenizer.json."
        )
    if tokenizer.mask_token is None:
        raise TokenizerError(
            f"{name}: its tokenizer has no mask token, so nothing can be masked; use a masked "
            f"language model, such as BERT."
        )


def _ends(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens before a text and those after it."""
    plain = list(tokenizer("a", add_special_tokens=False).input_ids)
    whole = list(tokenizer("a").input_ids)
    starts = range(len(whole) - len(plain) + 1)
    first = next(start for start in starts if whole[start : start + len(plain)] == plain)
    return whole[:first], whole[first + len(plain) :]
