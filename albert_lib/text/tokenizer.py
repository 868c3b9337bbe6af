"""ALBERT's tokenizer: text to ids and back, pairs, batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, overload

from torch import Tensor

from albert_lib.errors import TokenizerError
from albert_lib.text.added_tokens import AddedToken, WrittenTokens, vocabulary_with
from albert_lib.text.batch import (
    IdSequence,
    Padding,
    TokenizedBatch,
    Truncation,
    as_batch,
    check_max_length,
    in_pairs,
    padded_length,
    tensor_names,
    truncate,
    with_special_tokens,
)
from albert_lib.text.kept_words import train_with_words
from albert_lib.text.lost_marks import watch_for_marks
from albert_lib.text.normalize import TextChunk, normalize, split_at_special_tokens
from albert_lib.text.settings import MODEL_MAX_LENGTH, SETTINGS
from albert_lib.text.token_lookup import TokenLookup
from albert_lib.text.tokenizer_files import read_tokenizer_files, write_tokenizer_files
from albert_lib.text.transformers_names import refuse_arguments


class AlbertTokenizer(TokenLookup):
    """Turns text into ids and back; on plain text the ids are those that Google's code gives.

    Two habits come from Hugging Face: `` and '' become ", and a special token written inside a
    text, such as [MASK], becomes its id. `from_pretrained(folder, **GOOGLE_TOKENIZATION)` drops
    both, `**HUGGING_FACE_TOKENIZATION` keeps both and drops Google's rule for digits and commas
    (both in albert_lib.text). What differs from transformers' tokenizers in use: a call pads,
    truncates and returns tensors unless it is told otherwise.

    Example:
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> tokenizer.tokenize("The old mill.")
        ['▁the', '▁old', '▁mill', '.']
        >>> tokenizer.encode("the mill")
        [2, 14, 2517, 3]
        >>> tokenizer(["the mill", "old"]).input_ids.tolist()
        [[2, 14, 2517, 3], [2, 240, 3, 0]]
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
        model_max_length: int = MODEL_MAX_LENGTH,
        added_tokens: Sequence[AddedToken] = (),
    ) -> None:
        """Wrap the bytes of a spiece.model; `from_pretrained` and `train` are the usual ways.

        Args:
            model: The content of the file.
            do_lower_case: Lower-case the text, as every published model wants.
            keep_accents: Leave é as it is and do not decompose characters (NFKD).
            replace_quotes: Make `` and '' into ", as Hugging Face does and Google does not.
            digit_comma_rule: Split pieces such as ▁2000, into number and comma, as Google does
                and transformers 5 does not.
            split_special_tokens: Segment [MASK] and its like inside a text as any other
                characters, as Google does; by transformers' default, and ours, they are single ids.
            model_max_length: Tokens that a call truncates to by default: what the model has
                positions for.
            added_tokens: Pieces that text is split at, as transformers splits it at added tokens.
        """
        check_max_length(model_max_length, name="model_max_length")
        self.model = model
        self.do_lower_case = do_lower_case
        self.keep_accents = keep_accents
        self.replace_quotes = replace_quotes
        self.digit_comma_rule = digit_comma_rule
        self.split_special_tokens = split_special_tokens
        self.model_max_length = model_max_length
        self.added_tokens = tuple(added_tokens)
        self.written_tokens = WrittenTokens(self.added_tokens)
        super().__init__(
            vocabulary_with(model, self.added_tokens, self._normalize_plain, digit_comma_rule)
        )

    @property
    def settings(self) -> dict[str, bool]:
        """The switches of the constructor, by name."""
        return {name: getattr(self, name) for name in SETTINGS}

    # -- making, loading, saving

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        do_lower_case: bool = True,
        keep_accents: bool = False,
        model_max_length: int = MODEL_MAX_LENGTH,
        whole_words: Iterable[str] = (),
    ) -> AlbertTokenizer:
        """Learn a vocabulary from texts; the same texts always give the same one.

        `whole_words` become pieces of their own, with the scores that their frequency gives them
        (`kept_words.py`). Raises TokenizerError when the texts are too little for `vocab_size`
        pieces, saying how many to ask for, or lack a word. Warns where a tenth of the words lose
        accents or other marks. Reads the texts once, as a stream.

        Example:
            >>> texts = ["the old mill", "the old man", "a mill"]
            >>> tokenizer = AlbertTokenizer.train(texts, vocab_size=26)
            >>> len(tokenizer), tokenizer.decode(tokenizer.encode("an old mill")[1:-1])
            (26, 'an old mill')
        """
        as_read = partial(normalize, lowercase=do_lower_case, keep_accents=keep_accents)
        texts = texts if keep_accents else watch_for_marks(texts)
        model = train_with_words(texts, vocab_size, whole_words, as_read)
        return cls(
            model,
            do_lower_case=do_lower_case,
            keep_accents=keep_accents,
            model_max_length=model_max_length,
        )

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | os.PathLike[str], **settings: Any
    ) -> AlbertTokenizer:
        """Load from a folder, a name that comes with albert_lib, a hub id or a .model file.

        Reads spiece.model, or tokenizer.json without one, and tokenizer_config.json if it is
        there. `settings` are those of the constructor and go before what tokenizer_config.json
        says. Raises CheckpointError for a name that stands for nothing, TokenizerError for a
        damaged file.
        """
        stored = read_tokenizer_files(name_or_path)
        try:
            return cls(stored.model, **{**stored.settings, **settings})
        except TokenizerError as problem:
            raise TokenizerError(f"{stored.source} cannot be used. {problem}") from None

    def save_pretrained(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer into a folder, beside what is there.

        spiece.model and tokenizer_config.json are all that this library reads; tokenizer.json is
        for transformers and other libraries built on `tokenizers` (albert_lib/text/hf_export.py
        says what differs there).

        Example:
            >>> import tempfile
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k", model_max_length=1024)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     tokenizer.save_pretrained(folder)
            ...     AlbertTokenizer.from_pretrained(folder).model_max_length
            1024
        """
        write_tokenizer_files(
            path, self.vocabulary, self.settings, self.model_max_length, self.added_tokens
        )

    # -- text to ids

    def normalize(self, text: str) -> str:
        """The text as it is segmented: normalised, with [MASK] and its like standing apart.

        Example:
            >>> AlbertTokenizer.from_pretrained("english-8k").normalize(" The  [MASK],Man")
            'the [MASK] ,man'
        """
        return " ".join(chunk.text for chunk in self._chunks(text))

    def tokenize(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = False
    ) -> list[str]:
        """The tokens of a text; what the vocabulary lacks is <unk>."""
        ids = self.encode(text, pair, add_special_tokens=add_special_tokens)
        return self.convert_ids_to_tokens(ids)

    @overload
    def encode(
        self, text: str, pair: str | None = ..., *, return_tensors: None = ..., **options: Any
    ) -> list[int]: ...
    @overload
    def encode(
        self, text: str, pair: str | None = ..., *, return_tensors: str, **options: Any
    ) -> Tensor: ...
    def encode(  # type: ignore[misc]
        self,
        text: str,
        pair: str | None = None,
        *,
        add_special_tokens: bool = True,
        max_length: int | None = None,
        truncation: Truncation = None,
        return_tensors: str | None = None,
    ) -> list[int] | Tensor:
        """The ids of [CLS] text [SEP], or [CLS] text [SEP] pair [SEP].

        With `max_length` (special tokens included) or `truncation` the ends are cut, the longer
        text first; without them nothing is cut. `return_tensors="pt"` gives a batch of one.

        Example:
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
            >>> tokenizer.encode("the old mill", "the man", max_length=6)
            [2, 14, 240, 3, 14, 3]
        """
        if max_length is None and truncation not in (None, False, "do_not_truncate"):
            max_length = self.model_max_length
        ids, _ = self._sequence(text, pair, max_length, truncation, add_special_tokens)
        if return_tensors is None:
            return ids
        sequence = [(ids, len(ids))]
        return as_batch(sequence, self.pad_token_id, None, return_tensors, ["input_ids"]).input_ids

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text without special tokens, and where in `normalize(text)` each lies.

        Example:
            >>> AlbertTokenizer.from_pretrained("english-8k").encode_with_offsets("The mill")
            ([14, 2517], [(0, 3), (4, 8)])
        """
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for chunk in self._chunks(text):
            if chunk.is_special:
                chunk_ids, chunk_offsets = [self.piece_id(chunk.text)], [(0, len(chunk.text))]
            else:
                chunk_ids, chunk_offsets = self.vocabulary.encode_with_offsets(chunk.text)
            ids += chunk_ids
            offsets += [(start + first, start + last) for first, last in chunk_offsets]
            start += len(chunk.text) + 1  # the space between two chunks
        return ids, offsets

    def encode_sentences(
        self, sentences: Sequence[str], *, num_threads: int | None = None
    ) -> list[list[int]]:
        """The ids of many sentences at once, without special tokens, for text on its way to disk.

        Here [MASK] is six characters like any others: a corpus cannot bring in special tokens.
        Uses all cores unless `num_threads` says otherwise, or text is split at added tokens.

        Example:
            >>> AlbertTokenizer.from_pretrained("english-8k").encode_sentences(["the mill", "old"])
            [[14, 2517], [240]]
        """
        if self.written_tokens.pattern(special=False) is not None:
            return [self._ids(sentence, special=False) for sentence in sentences]
        normalized = [self._normalize_plain(sentence) for sentence in sentences]
        return self.vocabulary.encode_many(normalized, num_threads)

    def __call__(
        self,
        texts: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        *,
        max_length: int | None = None,
        pad_to: int | None = None,
        padding: Padding = True,
        truncation: Truncation = True,
        add_special_tokens: bool = True,
        return_tensors: str | None = "pt",
        return_token_type_ids: bool | None = True,
        return_attention_mask: bool | None = True,
        **others: Any,
    ) -> TokenizedBatch:
        """Encode texts, or pairs of texts, into one batch of tensors (batch, seq).

        Each sequence is truncated to `max_length` (by default `model_max_length`), the longer
        text of a pair first, and padded to the longest in the batch. `padding`, `truncation` and
        the rest mean what they mean in transformers; `pad_to` pads to a length of its own.
        `return_tensors` is "pt", "np" for NumPy arrays, or None for lists.

        Example:
            >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
            >>> batch = tokenizer("the mill", "old", padding="max_length", max_length=7)
            >>> batch.input_ids.tolist(), batch.token_type_ids.tolist()
            ([[2, 14, 2517, 3, 240, 3, 0]], [[0, 0, 0, 0, 1, 1, 0]])
        """
        refuse_arguments(others)
        longest = self.model_max_length if max_length is None else max_length
        width = padded_length(padding, longest, pad_to)
        cut_to = None if truncation in (False, "do_not_truncate") else longest
        sequences = [
            self._sequence(first, second, cut_to, truncation, add_special_tokens)
            for first, second in in_pairs(texts, pairs)
        ]
        names = tensor_names(return_attention_mask, return_token_type_ids)
        batch = as_batch(sequences, self.pad_token_id, width, return_tensors, names)
        is_alone = return_tensors is None and isinstance(texts, str)  # as in transformers
        return batch.row(0) if is_alone else batch

    def _sequence(
        self,
        text: str,
        pair: str | None,
        max_length: int | None,
        truncation: Truncation,
        add_special_tokens: bool,
    ) -> IdSequence:
        """The ids of one or two texts, truncated, and where the first segment ends."""
        first, second = self._ids(text), None if pair is None else self._ids(pair)
        if max_length is not None:
            n_special = self.num_special_tokens_to_add(pair is not None) * add_special_tokens
            first, second = truncate(first, second, max_length, n_special, truncation)
        if add_special_tokens:
            return with_special_tokens(first, second, self.cls_token_id, self.sep_token_id)
        return [*first, *(second or [])], len(first)

    def _ids(self, text: str, special: bool = True) -> list[int]:
        """The ids of a text in which special tokens may be written."""
        ids: list[int] = []
        for chunk in self._chunks(text, special):
            if chunk.is_special:
                ids.append(self.piece_id(chunk.text))
            else:
                ids += self.vocabulary.encode(chunk.text)
        return ids

    def _chunks(self, text: str, special: bool = True) -> list[TextChunk]:
        """The text, normalised, split at the tokens that are found in it as written."""
        pattern = self.written_tokens.pattern(special and not self.split_special_tokens)
        return split_at_special_tokens(text, self._normalize_plain, pattern)

    def _normalize_plain(self, text: str) -> str:
        """Normalise with this tokenizer's settings."""
        return normalize(
            text,
            lowercase=self.do_lower_case,
            keep_accents=self.keep_accents,
            replace_quotes=self.replace_quotes,
        )
