"""ALBERT's tokenizer: text to ids and back, pairs, batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from albert_lib.errors import TokenizerError
from albert_lib.files import folder_to_write, new_file, write_json
from albert_lib.hub import resolve_folder
from albert_lib.text.batch import (
    LONGEST_SEQUENCE,
    TokenizedBatch,
    frame,
    in_pairs,
    make_batch,
    truncate,
)
from albert_lib.text.export import tokenizer_config, tokenizer_json
from albert_lib.text.normalize import normalize
from albert_lib.text.parts import Part, parts_of
from albert_lib.text.settings import read_settings
from albert_lib.text.train_vocabulary import train_pieces
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import SPECIAL_PIECES, Vocabulary

MODEL_FILE = "spiece.model"
EXPORT_FILE = "tokenizer.json"
SETTINGS_FILE = "tokenizer_config.json"


class AlbertTokenizer:
    """Turns text into ids and back; on plain text the ids are those that Google's code gives.

    Two habits come from Hugging Face: `` and '' become ", and a special piece written inside a
    text, such as [MASK], becomes its id. `AlbertTokenizer.from_pretrained(folder, **GOOGLE)`
    drops both, `**HUGGING_FACE` keeps both and drops Google's rule for digits and commas
    (both in albert_lib.text).
    """

    def __init__(
        self,
        model: bytes,
        *,
        do_lower_case: bool = True,
        keep_accents: bool = False,
        replace_quotes: bool = True,
        digit_comma_rule: bool = True,
        split_special_tokens: bool = False,
    ) -> None:
        """Wrap the bytes of a spiece.model; `from_pretrained` and `train` are the usual ways.

        Args:
            model: The content of the file.
            do_lower_case: Lower-case the text, as every published model wants.
            keep_accents: Leave é as it is and do not take characters apart (NFKD).
            replace_quotes: Make `` and '' into ", as Hugging Face does and Google does not.
            digit_comma_rule: Cut pieces such as ▁2000, into number and comma, as Google does
                and transformers 5 does not.
            split_special_tokens: Cut [MASK] and its like inside a text as any other characters,
                as Google does; by transformers' default, and ours, they are single ids.
        """
        self.model = model
        self.do_lower_case = do_lower_case
        self.keep_accents = keep_accents
        self.replace_quotes = replace_quotes
        self.digit_comma_rule = digit_comma_rule
        self.split_special_tokens = split_special_tokens
        self.vocabulary = Vocabulary(model, digit_comma_rule=digit_comma_rule)
        special_ids = [self.vocabulary.piece_id(piece) for piece in SPECIAL_PIECES]
        self.pad_token_id, self.unk_token_id = special_ids[:2]
        self.cls_token_id, self.sep_token_id, self.mask_token_id = special_ids[2:]

    # -- making, loading, saving

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        do_lower_case: bool = True,
        keep_accents: bool = False,
    ) -> AlbertTokenizer:
        """Learn a vocabulary from texts; the same texts always give the same one.

        Raises TokenizerError when the texts are too little for `vocab_size` pieces, saying how
        many they would bear. Reads the texts once, as a stream.
        """
        lines = (
            normalize(text, lowercase=do_lower_case, keep_accents=keep_accents) for text in texts
        )
        model = train_pieces(lines, vocab_size)
        return cls(model, do_lower_case=do_lower_case, keep_accents=keep_accents)

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | os.PathLike[str], **settings: bool
    ) -> AlbertTokenizer:
        """Load from a folder or hub id: spiece.model, and tokenizer_config.json if it is there.

        `settings` are those of the constructor and go before what tokenizer_config.json says.
        """
        folder = resolve_folder(name_or_path, "tokenizer")
        model_file = folder / MODEL_FILE
        if not model_file.is_file():
            beside = (
                f"beside {EXPORT_FILE}, from which it cannot be made"
                if (folder / EXPORT_FILE).is_file()
                else "there"
            )
            raise TokenizerError(
                f"{model_file} does not exist; put the {MODEL_FILE} of the checkpoint {beside}."
            )
        stored = read_settings(folder / SETTINGS_FILE)
        try:
            return cls(model_file.read_bytes(), **{**stored, **settings})
        except TokenizerError as problem:
            raise TokenizerError(f"{model_file} cannot be used. {problem}") from None

    def save_pretrained(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer into a folder, beside what is there.

        spiece.model and tokenizer_config.json are all that this library reads; tokenizer.json is
        for transformers and its kin (albert_lib/text/export.py says what differs there).
        """
        folder = folder_to_write(path)
        with new_file(folder / MODEL_FILE) as file:
            file.write_bytes(self.model)
        write_json(folder / EXPORT_FILE, tokenizer_json(self))
        write_json(folder / SETTINGS_FILE, tokenizer_config(self))

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
        """Whether whole-word masking begins a new word at each piece; False for control pieces."""
        return self.vocabulary.is_word_start

    @property
    def is_special(self) -> Bool[np.ndarray, "vocab"]:
        """Whether each piece is one of <pad> [CLS] [SEP] [MASK], which no text is made of."""
        return self.vocabulary.is_control

    @property
    def fingerprint(self) -> str:
        """The sha256 of the vocabulary, to tell which tokenizer ids on disk came from."""
        return self.vocabulary.fingerprint

    def segmentation_scores(self) -> dict[str, float]:
        """The scores by which text is cut, for `best_segmentation` and `lattice`."""
        return self.vocabulary.segmentation_scores()

    def piece_id(self, piece: str) -> int:
        """The id of a piece, or that of <unk> if there is no such piece."""
        return self.vocabulary.piece_id(piece)

    def id_to_piece(self, piece_id: int) -> str:
        """The piece of an id; InputError if the id is out of range."""
        return self.vocabulary.id_to_piece(piece_id)

    # -- text to ids and back

    def normalize(self, text: str) -> str:
        """The text as it is cut: normalised, with [MASK] and its like standing apart."""
        return " ".join(part.text for part in self._parts(text))

    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text, without special ones; what the vocabulary lacks is <unk>."""
        return [self.pieces[piece_id] for piece_id in self._ids(text)]

    def encode(
        self,
        text: str,
        pair: str | None = None,
        *,
        add_special_tokens: bool = True,
        max_length: int | None = None,
    ) -> list[int]:
        """The ids of [CLS] text [SEP], or [CLS] text [SEP] pair [SEP].

        With `max_length` (special pieces included) the ends are cut, the longer text first;
        without it nothing is cut.
        """
        if add_special_tokens:
            return self._frame(text, pair, max_length)[0]
        first, second = self._ids(text), None if pair is None else self._ids(pair)
        if max_length is not None:
            first, second = truncate(first, second, max_length)
        return first if second is None else first + second

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text without special pieces, and where in `normalize(text)` each lies."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for part in self._parts(text):
            if part.is_special:
                part_ids, part_offsets = [self.piece_id(part.text)], [(0, len(part.text))]
            else:
                part_ids, part_offsets = self.vocabulary.cut_with_offsets(part.text)
            ids += part_ids
            offsets += [(start + first, start + last) for first, last in part_offsets]
            start += len(part.text) + 1  # the space between two parts
        return ids, offsets

    def encode_sentences(
        self, sentences: Sequence[str], *, num_threads: int | None = None
    ) -> list[list[int]]:
        """The ids of many sentences at once, without special pieces, for text on its way to disk.

        Here [MASK] is six characters like any others: a corpus cannot bring in special pieces.
        Uses all cores unless `num_threads` says otherwise.
        """
        normalized = [self._normalize_plain(sentence) for sentence in sentences]
        return self.vocabulary.cut_many(normalized, num_threads)

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids; `skip_special_tokens` leaves out <unk> too, as Hugging Face does."""
        pieces = [self.id_to_piece(int(piece_id)) for piece_id in ids]
        if skip_special_tokens:
            pieces = [piece for piece in pieces if piece not in SPECIAL_PIECES]
        return "".join(pieces).removeprefix(WORD_START).replace(WORD_START, " ")

    def __call__(
        self,
        texts: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        *,
        max_length: int | None = None,
        pad_to: int | None = None,
    ) -> TokenizedBatch:
        """Encode texts, or pairs of texts, into one batch of tensors (batch, seq).

        Each sequence is cut to `max_length` (by default the 512 positions ALBERT has), the
        longer text of a pair first, and padded to `pad_to` or to the longest in the batch.
        """
        longest = LONGEST_SEQUENCE if max_length is None else max_length
        sequences = [
            self._frame(first, second, longest) for first, second in in_pairs(texts, pairs)
        ]
        return make_batch(sequences, self.pad_token_id, pad_to)

    def _frame(self, text: str, pair: str | None, max_length: int | None) -> tuple[list[int], int]:
        """The ids of one or two texts between special pieces, and where the first segment ends."""
        second = None if pair is None else self._ids(pair)
        return frame(self._ids(text), second, self.cls_token_id, self.sep_token_id, max_length)

    def _ids(self, text: str) -> list[int]:
        """The ids of a text in which special pieces may be written."""
        ids: list[int] = []
        for part in self._parts(text):
            ids += [self.piece_id(part.text)] if part.is_special else self.vocabulary.cut(part.text)
        return ids

    def _parts(self, text: str) -> list[Part]:
        """The text, normalised, cut at the special pieces in it unless they are to be split."""
        if self.split_special_tokens:
            return [Part(self._normalize_plain(text), is_special=False)]
        return parts_of(text, self._normalize_plain)

    def _normalize_plain(self, text: str) -> str:
        """Normalise with this tokenizer's settings."""
        return normalize(
            text,
            lowercase=self.do_lower_case,
            keep_accents=self.keep_accents,
            replace_quotes=self.replace_quotes,
        )
