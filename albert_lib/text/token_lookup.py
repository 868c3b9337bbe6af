"""The part of a tokenizer without segmentation: vocabulary, special tokens, decoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from albert_lib.text.transformers_names import missing_attribute
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import SPECIAL_TOKENS, Vocabulary

Ids = Sequence[int] | Integer[np.ndarray, "..."] | Integer[Tensor, "..."]


class TokenLookup:
    """Ids to tokens and back; the part of `AlbertTokenizer` that only needs the vocabulary.

    Names and results are those of transformers where it has them.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> tokenizer.mask_token, tokenizer.mask_token_id, len(tokenizer)
        ('[MASK]', 4, 8000)
        >>> tokenizer.special_tokens_map["sep_token"], tokenizer.all_special_ids
        ('[SEP]', [2, 3, 1, 0, 4])
        >>> tokenizer.convert_ids_to_tokens([2, 14, 2517, 3], skip_special_tokens=True)
        ['▁the', '▁mill']
        >>> tokenizer.convert_tokens_to_ids(["▁the", "▁mill", "no such piece"])
        [14, 2517, 1]
        >>> tokenizer.convert_tokens_to_string(["▁the", "▁mill", "s"])
        'the mills'
    """

    pad_token, unk_token, cls_token, sep_token, mask_token = SPECIAL_TOKENS
    pad_token_type_id = 0
    padding_side = truncation_side = "right"
    model_input_names = ("input_ids", "token_type_ids", "attention_mask")

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Look the special tokens up."""
        self.vocabulary = vocabulary
        special_ids = [vocabulary.piece_id(token) for token in SPECIAL_TOKENS]
        self.pad_token_id, self.unk_token_id = special_ids[:2]
        self.cls_token_id, self.sep_token_id, self.mask_token_id = special_ids[2:]

    def __getattr__(self, name: str) -> Any:
        """Say what to type instead of an attribute that only transformers has."""
        raise missing_attribute(name)

    def __len__(self) -> int:
        """The number of pieces."""
        return len(self.vocabulary)

    # -- the vocabulary

    @property
    def vocab_size(self) -> int:
        """The number of pieces."""
        return len(self.vocabulary)

    @property
    def pieces(self) -> list[str]:
        """Every piece, in the order of the ids."""
        return self.vocabulary.pieces

    @property
    def scores(self) -> Float[np.ndarray, "vocab"]:
        """The log probability of every piece, as stored; 0 for special and user-defined ones."""
        return self.vocabulary.scores

    @property
    def is_word_start(self) -> Bool[np.ndarray, "vocab"]:
        """Whether whole-word masking begins a new word at each piece; False for control tokens."""
        return self.vocabulary.is_word_start

    @property
    def is_special(self) -> Bool[np.ndarray, "vocab"]:
        """Whether each piece is <pad>, [CLS], [SEP] or [MASK], which no text is made of."""
        return self.vocabulary.is_control

    @property
    def fingerprint(self) -> str:
        """The sha256 of the vocabulary, to tell which tokenizer ids on disk came from."""
        return self.vocabulary.fingerprint

    def get_vocab(self) -> dict[str, int]:
        """Every piece with its id, as in transformers.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> AlbertTokenizer.from_pretrained("english-8k").get_vocab()["▁mill"]
            2517
        """
        return {piece: piece_id for piece_id, piece in enumerate(self.pieces)}

    def segmentation_scores(self) -> dict[str, float]:
        """The scores that segmentation goes by, for `best_segmentation` and `lattice`.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> scores = AlbertTokenizer.from_pretrained("english-8k").segmentation_scores()
            >>> scores["▁the"] > scores["▁mill"], "[MASK]" in scores
            (True, False)
        """
        return self.vocabulary.segmentation_scores()

    @property
    def special_tokens_map(self) -> dict[str, str]:
        """The special tokens by their roles, in transformers' order."""
        return {
            "bos_token": self.cls_token,
            "eos_token": self.sep_token,
            "unk_token": self.unk_token,
            "sep_token": self.sep_token,
            "pad_token": self.pad_token,
            "cls_token": self.cls_token,
            "mask_token": self.mask_token,
        }

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens, each once, in transformers' order."""
        return list(dict.fromkeys(self.special_tokens_map.values()))

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of the special tokens, in transformers' order."""
        return [self.piece_id(token) for token in self.all_special_tokens]

    def with_special_tokens(self, ids: Sequence[int]) -> tuple[list[int], int]:
        """[CLS] ids [SEP], and how many special tokens stand before the ids.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> AlbertTokenizer.from_pretrained("english-8k").with_special_tokens([14, 2517])
            ([2, 14, 2517, 3], 1)
        """
        return [self.cls_token_id, *ids, self.sep_token_id], 1

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a text gets (2), or a pair of texts (3)."""
        return 3 if pair else 2

    def word_numbers(self, ids: Sequence[int]) -> Int[np.ndarray, "seq"]:
        """A number for every token, the same for those that whole-word masking takes for a word.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
            >>> tokenizer.word_numbers(tokenizer.encode("The electrician")).tolist()
            [1, 2, 3, 3, 4]
        """
        special, starts = self.is_special[list(ids)], self.is_word_start[list(ids)]
        return np.cumsum(starts | special)

    # -- ids to tokens and back

    def piece_id(self, piece: str) -> int:
        """The id of a piece, or that of <unk> if there is no such piece.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> AlbertTokenizer.from_pretrained("english-8k").piece_id("▁mill")
            2517
        """
        return self.vocabulary.piece_id(piece)

    def id_to_piece(self, piece_id: int) -> str:
        """The piece of an id; InputError if the id is out of range.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> AlbertTokenizer.from_pretrained("english-8k").id_to_piece(2517)
            '▁mill'
        """
        return self.vocabulary.id_to_piece(piece_id)

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...  # type: ignore[overload-overlap]
    @overload
    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]: ...
    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> int | list[int]:
        """The id of a token, or of each of several; that of <unk> for what is none."""
        if isinstance(tokens, str):
            return self.piece_id(tokens)
        return [self.piece_id(token) for token in tokens]

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = ...) -> str: ...
    @overload
    def convert_ids_to_tokens(self, ids: Ids, skip_special_tokens: bool = ...) -> list[str]: ...
    def convert_ids_to_tokens(
        self, ids: int | Ids, skip_special_tokens: bool = False
    ) -> str | list[str]:
        """The token of an id, or of each of several; InputError for an id out of range."""
        numbers = as_list(ids)
        if not isinstance(numbers, list):
            return self.id_to_piece(numbers)
        tokens = [self.id_to_piece(int(number)) for number in numbers]
        return [t for t in tokens if t not in SPECIAL_TOKENS] if skip_special_tokens else tokens

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text of tokens: joined, with a space for every ▁ but the first."""
        return "".join(tokens).removeprefix(WORD_START).replace(WORD_START, " ")

    def decode(self, ids: int | Ids, *, skip_special_tokens: bool = False) -> str:
        """The text of one sequence of ids, or of a single id.

        `skip_special_tokens` leaves out <unk> too, as Hugging Face does. Raises InputError for an
        id that is not in the vocabulary.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
            >>> tokenizer.decode([2, 14, 2517, 3], skip_special_tokens=True)
            'the mill'
        """
        numbers = as_list(ids)
        numbers = numbers if isinstance(numbers, list) else [numbers]
        tokens = self.convert_ids_to_tokens(numbers, skip_special_tokens=skip_special_tokens)
        return self.convert_tokens_to_string(tokens)

    def batch_decode(
        self, sequences: Sequence[Ids] | Ids, *, skip_special_tokens: bool = False
    ) -> list[str]:
        """The text of each of several sequences of ids.

        Example:
            >>> from albert_lib.text import AlbertTokenizer
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
            >>> tokenizer.batch_decode(tokenizer(["the mill", "old"]).input_ids,
            ...                        skip_special_tokens=True)
            ['the mill', 'old']
        """
        return [self.decode(ids, skip_special_tokens=skip_special_tokens) for ids in sequences]


def as_list(ids: Any) -> Any:
    """Ids of a tensor or array as Python numbers; anything else as it is, tuples as lists.

    Example:
        >>> as_list(np.array([2, 3])), as_list(5), as_list((1, 2))
        ([2, 3], 5, [1, 2])
    """
    if isinstance(ids, Tensor | np.ndarray | np.integer):
        return ids.tolist()
    return ids if isinstance(ids, int) else list(ids)
