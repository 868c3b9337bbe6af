"""ALBERT's tokenizer: text to ids and back, pairs, batches."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from albert_lib.errors import InputError, TokenizerError
from albert_lib.files import flush_to_disk, read_json, resolve_folder, write_json
from albert_lib.text.batch import (
    LONGEST_SEQUENCE,
    TokenizedBatch,
    check_max_length,
    make_batch,
    truncate_pair,
)
from albert_lib.text.normalize import normalize
from albert_lib.text.training import train_pieces
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import SPECIAL_PIECES, Vocabulary

MODEL_FILE = "spiece.model"
SETTINGS_FILE = "tokenizer_config.json"
SETTINGS = ("do_lower_case", "keep_accents", "replace_quotes", "digit_comma_rule")
MARKS = re.compile(r"(\[MASK\]|\[CLS\]|\[SEP\])")


class AlbertTokenizer:
    """Turns text into ids and back; the ids are those that Google's code gives.

    Two habits come from Hugging Face: `` and '' become ", and [MASK], [CLS] and [SEP] written
    inside a text become one id each.
    """

    def __init__(
        self,
        model: bytes,
        *,
        do_lower_case: bool = True,
        keep_accents: bool = False,
        replace_quotes: bool = True,
        digit_comma_rule: bool = True,
    ) -> None:
        """Wrap the bytes of a spiece.model; `from_pretrained` and `train` are the usual ways."""
        self.model = model
        self.do_lower_case = do_lower_case
        self.keep_accents = keep_accents
        self.replace_quotes = replace_quotes
        self.digit_comma_rule = digit_comma_rule
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
    def from_pretrained(cls, name_or_path: str | os.PathLike[str]) -> AlbertTokenizer:
        """Load from a folder or hub id: spiece.model, and tokenizer_config.json if it is there."""
        folder = resolve_folder(name_or_path)
        model_file = folder / MODEL_FILE
        if not model_file.is_file():
            raise TokenizerError(
                f"{model_file} does not exist; put the spiece.model of the checkpoint there."
            )
        settings = read_settings(folder / SETTINGS_FILE)
        try:
            return cls(model_file.read_bytes(), **settings)
        except TokenizerError as problem:
            raise TokenizerError(f"{model_file} cannot be used. {problem}") from None

    def save_pretrained(self, path: str | os.PathLike[str]) -> None:
        """Write spiece.model and tokenizer_config.json into a folder, beside what is there."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{MODEL_FILE}.{os.getpid()}"
        unfinished.write_bytes(self.model)
        flush_to_disk(unfinished)
        os.replace(unfinished, folder / MODEL_FILE)
        settings = {name: getattr(self, name) for name in SETTINGS}
        about = {"tokenizer_class": "AlbertTokenizer", "model_max_length": LONGEST_SEQUENCE}
        write_json(folder / SETTINGS_FILE, about | settings)

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
        """The text as it is cut: normalised, with [MASK], [CLS] and [SEP] standing apart."""
        return " ".join(self._parts(text))

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
        return self._join(text, pair, add_special_tokens, max_length)[0]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text without special pieces, and where in `normalize(text)` each lies."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for part in self._parts(text):
            if MARKS.fullmatch(part):
                part_ids, part_offsets = [self.piece_id(part)], [(0, len(part))]
            else:
                part_ids, part_offsets = self.vocabulary.cut_with_offsets(part)
            ids += part_ids
            offsets += [(start + first, start + last) for first, last in part_offsets]
            start += len(part) + 1  # the space between two parts
        return ids, offsets

    def encode_sentences(self, sentences: Sequence[str]) -> list[list[int]]:
        """The ids of many sentences at once, without special pieces, for text on its way to disk.

        Here [MASK] is six characters like any others: a corpus cannot bring in special pieces.
        """
        return self.vocabulary.cut_many([self._normalize_plain(sentence) for sentence in sentences])

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
        texts = [texts] if isinstance(texts, str) else list(texts)
        seconds: list[str] | list[None] = [None] * len(texts)
        if pairs is not None:
            seconds = [pairs] if isinstance(pairs, str) else list(pairs)
        if not texts:
            raise InputError("There are no texts to make a batch of; pass at least one.")
        if len(texts) != len(seconds):
            raise InputError(
                f"There are {len(texts)} texts and {len(seconds)} pairs; "
                f"pass one second text for every first one."
            )
        longest = LONGEST_SEQUENCE if max_length is None else max_length
        sequences = [
            self._join(first, second, True, longest)
            for first, second in zip(texts, seconds, strict=True)
        ]
        return make_batch(sequences, self.pad_token_id, pad_to)

    def _join(
        self, text: str, pair: str | None, add_special_tokens: bool, max_length: int | None
    ) -> tuple[list[int], int]:
        """The ids of one or two texts, and how many of them make up the first segment."""
        first = self._ids(text)
        second = [] if pair is None else self._ids(pair)
        n_special = (2 if pair is None else 3) if add_special_tokens else 0
        if max_length is not None:
            n_texts = 1 if pair is None else 2
            check_max_length(max_length, shortest=n_special + n_texts)
            first, second = truncate_pair(first, second, max_length - n_special)
        if add_special_tokens:
            first = [self.cls_token_id, *first, self.sep_token_id]
            second = second if pair is None else [*second, self.sep_token_id]
        return first + second, len(first)

    def _ids(self, text: str) -> list[int]:
        """The ids of a text in which [MASK], [CLS] and [SEP] may be written."""
        ids: list[int] = []
        for part in self._parts(text):
            if MARKS.fullmatch(part):
                ids.append(self.piece_id(part))
            else:
                ids += self.vocabulary.cut(part)
        return ids

    def _parts(self, text: str) -> list[str]:
        """Cut a text at its marks; the marks stay as written, the rest is normalised."""
        parts = (
            part if MARKS.fullmatch(part) else self._normalize_plain(part)
            for part in MARKS.split(text)
        )
        return [part for part in parts if part]

    def _normalize_plain(self, text: str) -> str:
        """Normalise with this tokenizer's settings."""
        return normalize(
            text,
            lowercase=self.do_lower_case,
            keep_accents=self.keep_accents,
            replace_quotes=self.replace_quotes,
        )


def read_settings(path: Path) -> dict[str, bool]:
    """The settings that a tokenizer_config.json names; none if there is no such file."""
    if not path.is_file():
        return {}
    stored = read_json(path, TokenizerError)
    if not isinstance(stored, dict):
        raise TokenizerError(f"{path} does not hold a JSON object; restore or remove it.")
    settings = {name: stored[name] for name in SETTINGS if name in stored}
    for name, value in settings.items():
        if not isinstance(value, bool):
            raise TokenizerError(f"{path} says {name} is {value!r}; make it true or false.")
    return settings
