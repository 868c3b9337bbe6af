"""A SentencePiece vocabulary: its pieces, their scores, and Google's rule for digits and commas."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from albert_lib.errors import InputError, TokenizerError
from albert_lib.text.spiece_check import load_processor, refuse_symbols_over_spaces
from albert_lib.text.spiece_file import USER_DEFINED, piece_of, read_pieces
from albert_lib.text.unigram import WORD_START

UNKNOWN_TOKEN = "<unk>"
SPECIAL_TOKENS = ("<pad>", UNKNOWN_TOKEN, "[CLS]", "[SEP]", "[MASK]")
NEVER_IN_TEXT = tuple(token for token in SPECIAL_TOKENS if token != UNKNOWN_TOKEN)
PUNCTUATION = frozenset('!"#$%&()*+,-./:;?@[\\]^_`{|}~£€')  # google-research's, without ' < = >
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Vocabulary:
    """The pieces of a spiece.model, and the segmentation of normalised text into them.

    Example:
        >>> from albert_lib.files import data_folder
        >>> model = (data_folder() / "tokenizers" / "english-8k" / "spiece.model").read_bytes()
        >>> vocabulary = Vocabulary(model)
        >>> len(vocabulary), vocabulary.encode("the mill")
        (8000, [14, 2517])
        >>> [vocabulary.id_to_piece(i) for i in (0, 1, 2, 14)]
        ['<pad>', '<unk>', '[CLS]', '▁the']
        >>> vocabulary.piece_id("▁mill"), vocabulary.piece_id("no such piece")
        (2517, 1)
        >>> vocabulary.encode_with_offsets("the mill")
        ([14, 2517], [(0, 3), (4, 8)])
    """

    def __init__(self, model: bytes, *, digit_comma_rule: bool = True) -> None:
        """Load the bytes of a spiece.model; TokenizerError if they are damaged or not ALBERT's."""
        self.model = model
        self._processor = load_processor(model, NEVER_IN_TEXT)
        size = len(self._processor)
        self.pieces: list[str] = [self._processor.id_to_piece(i) for i in range(size)]
        self.scores: Float[np.ndarray, "vocab"] = np.array(
            [self._processor.get_score(i) for i in range(size)], dtype=np.float32
        )
        self.is_control: Bool[np.ndarray, "vocab"] = np.array(
            [self._processor.is_control(i) for i in range(size)]
        )
        # rows for tokens that were added later: no text is segmented into them
        self.is_unused: Bool[np.ndarray, "vocab"] = np.array(
            [self._processor.is_unused(i) for i in range(size)]
        )
        starts = np.array([starts_a_word(piece) for piece in self.pieces])
        self.is_word_start: Bool[np.ndarray, "vocab"] = (starts | self.is_unused) & ~self.is_control
        self.fingerprint = hashlib.sha256(model).hexdigest()
        self._ids = {piece: i for i, piece in enumerate(self.pieces)}
        if missing := [piece for piece in SPECIAL_TOKENS if piece not in self._ids]:
            raise TokenizerError(
                f"The SentencePiece model lacks {', '.join(missing)}; "
                f"use the spiece.model of an ALBERT, or train a tokenizer."
            )
        if not np.isfinite(self.scores).all():
            raise TokenizerError(
                "The SentencePiece model has scores that are no numbers; copy spiece.model again."
            )
        refuse_symbols_over_spaces(self.pieces, self.scores, self.user_defined)
        self.unknown_id = self._ids[UNKNOWN_TOKEN]
        self.comma_splits = self._splits_before_a_comma() if digit_comma_rule else {}

    def __len__(self) -> int:
        """The number of pieces."""
        return len(self.pieces)

    def piece_id(self, piece: str) -> int:
        """The id of a piece, or that of <unk> if there is no such piece."""
        return self._ids.get(piece, self.unknown_id)

    def id_to_piece(self, piece_id: int) -> str:
        """The piece of an id; InputError if the id is out of range."""
        if not 0 <= piece_id < len(self):
            raise InputError(
                f"Id {piece_id} is not in this vocabulary, whose ids run from 0 to "
                f"{len(self) - 1}; were these ids made with another tokenizer?"
            )
        return self.pieces[piece_id]

    def segmentation_scores(self) -> dict[str, float]:
        """The score of each piece that text may be segmented into, as SentencePiece uses it.

        These are the stored log probabilities, except for pieces that always stand alone, such as
        the full stop: they score just below the best piece, whatever the file says.
        """
        left_out = self.is_control | self.is_unused
        scores = {
            piece: float(score)
            for piece, score, never in zip(self.pieces, self.scores, left_out, strict=True)
            if not never and piece != UNKNOWN_TOKEN
        }
        alone = self.user_defined()
        best = max((score for piece, score in scores.items() if piece not in alone), default=0.0)
        for piece in alone & scores.keys():
            scores[piece] = len(piece.encode()) * best - 0.1
        return scores

    def user_defined(self) -> set[str]:
        """The pieces that whoever trained the vocabulary asked for, such as the full stop."""
        messages, _ = read_pieces(self.model)
        maybe = (self.scores == 0) & ~self.is_control
        found = [piece_of(messages[i]) for i in np.flatnonzero(maybe).tolist()]
        return {piece.text for piece in found if piece.kind == USER_DEFINED}

    def encode(self, text: str) -> list[int]:
        """Segment a normalised text into ids."""
        return self._segment(text)

    def encode_many(self, texts: Sequence[str], num_threads: int | None = None) -> list[list[int]]:
        """Segment normalised texts into ids, on `num_threads` threads or, by default, all cores."""
        threads = -1 if num_threads is None else num_threads
        ids_of_each = self._processor.encode(list(texts), num_threads=threads)
        return [self._apply_comma_rule(ids) for ids in ids_of_each]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Segment a normalised text into ids, with the characters of it that each one covers.

        The space before a word is not counted: "the mill" gives (0, 3) and (4, 8). The parts of a
        character that SentencePiece makes into several each cover the whole of it.
        """
        ids = self._segment(text)
        marked, origin = self._processor.normalize(text, with_offsets=True)
        offsets = []
        start = 0
        for length in self._lengths(text, ids):
            first = start + marked.startswith(WORD_START, start)
            start += length
            # the next other character; a lone ▁ covers none
            end = first if first == start else bisect_right(origin, origin[start - 1])
            offsets.append((origin[first], origin[end]))
        return ids, offsets

    def _segment(self, text: str) -> list[int]:
        return self._apply_comma_rule(self._processor.encode(text))

    def _lengths(self, text: str, ids: list[int]) -> list[int]:
        """How many ▁-marked characters each id covers; for <unk> the text is asked."""
        lengths = [len(self.pieces[piece_id]) for piece_id in ids]
        if self.unknown_id in ids:
            surfaces = self._processor.encode(text, out_type=str)
            segmented = zip(self._processor.encode(text), surfaces, strict=True)
            unknown = (
                len(surface) for piece_id, surface in segmented if piece_id == self.unknown_id
            )
            for place, piece_id in enumerate(ids):
                if piece_id == self.unknown_id:
                    lengths[place] = next(unknown)
        return lengths

    def _apply_comma_rule(self, ids: list[int]) -> list[int]:
        """Replace each piece that ends in a digit and a comma by its parts."""
        if self.comma_splits.keys().isdisjoint(ids):
            return ids
        return [part for piece_id in ids for part in self.comma_splits.get(piece_id, [piece_id])]

    def _splits_before_a_comma(self) -> dict[int, list[int]]:
        """For each piece such as ▁2000, the ids of ▁2000 and the comma.

        `encode_pieces` in google-research/albert (tokenization.py), applied once to the whole
        vocabulary. The parts are segmented as a word of their own; a piece from the middle
        of a word loses the ▁ that this brings.
        """
        splits = {}
        for piece_id, piece in enumerate(self.pieces):
            if piece.endswith(",") and piece[-2:-1].isdigit():
                parts = self._processor.encode(piece[:-1].replace(WORD_START, ""), out_type=str)
                if not piece.startswith(WORD_START):
                    parts[0] = parts[0].removeprefix(WORD_START)
                ids = [self.piece_id(part) for part in [*parts, ","] if part]
                if self.unknown_id not in ids:  # never so in the published vocabulary
                    splits[piece_id] = ids
        return splits


def starts_a_word(piece: str) -> bool:
    """Whether whole-word masking begins a new word at this piece.

    `_is_start_piece_sp` in google-research/albert (create_pretraining_data.py): a piece starts a
    word unless it is made of English letters and punctuation with no ▁ before them; a single
    punctuation mark, a digit or a foreign letter is a word by itself.

    Example:
        >>> [starts_a_word(piece) for piece in ("▁mill", "s", "ing", ".", "7")]
        [True, False, False, True, True]
    """
    return piece in PUNCTUATION or not LETTERS.union(PUNCTUATION).issuperset(piece)
