"""A corpus as one long array of token ids on disk, with the offsets of its sentences.

A store is a folder:

    ids.bin         the ids of all sentences, one after another; uint16 or uint32
    sentences.bin   int64: the offset of each sentence in ids.bin, and the end
    documents.bin   int64: the index of each document's first sentence, and the end
    store.json      counts, number format and the vocabulary's fingerprint

It is written as a stream and opened as a memory map: neither needs memory that grows with the
corpus, and opening takes milliseconds whatever the size.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int, Integer
from tqdm.auto import tqdm

from albert_lib.corpus.store_checks import check_bytes, check_ids, check_offsets
from albert_lib.corpus.writing import OFFSET_DTYPE, STORE_FORMAT_VERSION, StoreWriter
from albert_lib.errors import StoreError, TextError, counted
from albert_lib.files import new_folder, read_json
from albert_lib.paths import given_path

if TYPE_CHECKING:
    from albert_lib.text import AlbertTokenizer

BLOCK_TOKENS = 1 << 17  # of a block, which ends with a whole document
COUNTED_AT_ONCE = 1 << 20  # ids
CHECKED_WHEN_OPENED = 1 << 21  # offsets of a kind: milliseconds
HASHED_AT_ONCE, EXCERPTS_HASHED = 1 << 14, 1000  # numbers in an excerpt, and excerpts
RELEASED_EVERY = 32  # excerpts: the pages that the system reads ahead count as memory


@dataclass(frozen=True, eq=False, repr=False)
class TokenStore:
    """A tokenized corpus on disk: documents made of sentences made of token ids.

    Sentence i is `ids[sentence_starts[i] : sentence_starts[i + 1]]`; document d is made of the
    sentences `document_starts[d] … document_starts[d + 1] − 1`. No special tokens are added.

    Example:
        >>> import tempfile
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> documents = [["The old mill.", "A man walks."], ["He is late."]]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = TokenStore.build(f"{folder}/store", documents, tokenizer)
        ...     print(store, store.sentence_starts.tolist(), store.document_starts.tolist())
        ...     print(tokenizer.decode(store.sentence(0)))
        TokenStore(2 documents, 3 sentences, 13 tokens, vocabulary of 8,000) [0, 4, 9, 13] [0, 2, 3]
        the old mill.
    """

    folder: Path
    ids: Integer[np.ndarray, " tokens"]
    sentence_starts: Int[np.ndarray, " sentence_boundaries"]
    document_starts: Int[np.ndarray, " document_boundaries"]
    vocab_size: int
    tokenizer_fingerprint: str
    checksums: Mapping[str, int] = field(default_factory=dict)  # stores of old have none

    @classmethod
    def build(
        cls,
        path: str | os.PathLike[str],
        documents: Iterable[Sequence[str]],
        tokenizer: AlbertTokenizer,
        *,
        progress: bool = False,
    ) -> TokenStore:
        """Encode documents (each a list of sentences) into a new store that replaces `path`.

        Sentences without a token and documents without a sentence are left out. `documents` is
        read once, as a stream. Raises TextError when nothing is left to store; `path` is then
        unchanged.
        """
        with new_folder(path) as folder:
            writer = StoreWriter(folder, tokenizer.vocab_size, tokenizer.fingerprint)
            try:
                for document in tqdm(
                    documents, "encoding", unit=" documents", disable=not progress
                ):
                    sentences = encode_document(document, tokenizer)
                    if sentences:
                        ids = np.fromiter(chain.from_iterable(sentences), dtype=np.int64)
                        writer.append(ids, np.array([len(sentence) for sentence in sentences]))
                        writer.end_document()
                if writer.n_tokens == 0:
                    raise TextError(
                        f"There is no text to store in {path}: the documents are empty; check "
                        f"the folder or file that they were read from."
                    )
                writer.finish()
            finally:
                writer.close()
        return cls.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> TokenStore:
        """Open a store that `build` wrote.

        Raises StoreError when the folder is not a store, has another format version, one of its
        files has another size than store.json states, or offsets do not rise from 0 to the end.
        What takes longer, `verify` does: reading all bytes, and the offsets of a huge corpus.
        """
        folder = given_path(path)
        if not (folder / "store.json").is_file():
            raise StoreError(
                f"{folder} is not a token store (it has no store.json); build one with "
                f"TokenStore.build or python -m albert_lib build-corpus."
            )
        description = read_json(folder / "store.json", StoreError)
        try:
            version = description["format_version"]
            if version != STORE_FORMAT_VERSION:
                raise StoreError(
                    f"{folder / 'store.json'} states format version {version}, this albert_lib "
                    f"reads version {STORE_FORMAT_VERSION}; build the store again."
                )
            store = cls(
                folder,
                open_array(folder / "ids.bin", description["dtype"], description["n_tokens"]),
                open_array(folder / "sentences.bin", OFFSET_DTYPE, description["n_sentences"] + 1),
                open_array(folder / "documents.bin", OFFSET_DTYPE, description["n_documents"] + 1),
                description["vocab_size"],
                description["tokenizer_fingerprint"],
                description.get("crc32", {}),
            )
        except (KeyError, TypeError) as problem:
            raise StoreError(
                f"{folder / 'store.json'} does not describe a token store ({problem}); "
                f"build the store again."
            ) from None
        store._check_offsets(CHECKED_WHEN_OPENED)
        return store

    def verify(self) -> None:
        """Read the whole store; StoreError naming the file unless it is what was written.

        Takes about a second a gigabyte. A store of an earlier version has no checksums: then
        every offset is looked at and every id, which finds most damage and not all.
        """
        for name, checksum in self.checksums.items():
            check_bytes(self.folder / name, checksum)
        self._check_offsets(None)
        for start in range(0, self.n_tokens, COUNTED_AT_ONCE):
            block = self.ids[start : start + COUNTED_AT_ONCE]
            check_ids(self.folder / "ids.bin", block, self.vocab_size)
            self.release_pages()

    def _check_offsets(self, at_most: int | None) -> None:
        """Raise StoreError unless offsets rise from 0 to the end; look at so many, or at all."""
        check_offsets(self.folder / "sentences.bin", self.sentence_starts, self.n_tokens, at_most)
        check_offsets(
            self.folder / "documents.bin", self.document_starts, self.n_sentences, at_most
        )
        self.release_pages()

    @property
    def n_tokens(self) -> int:
        """Number of tokens in the whole store."""
        return len(self.ids)

    @property
    def n_sentences(self) -> int:
        """Number of sentences in the whole store."""
        return len(self.sentence_starts) - 1

    @property
    def n_documents(self) -> int:
        """Number of documents."""
        return len(self.document_starts) - 1

    def sentence(self, index: int) -> Integer[np.ndarray, " pieces"]:
        """The ids of sentence `index` of the whole store; IndexError past the end."""
        if not 0 <= index < self.n_sentences:
            raise IndexError(
                f"sentence {index} of a store with {counted(self.n_sentences, 'sentence')}"
            )
        return self.ids[self.sentence_starts[index] : self.sentence_starts[index + 1]]

    def unigram_counts(self) -> Int[np.ndarray, " vocab"]:
        """How often each token of the vocabulary occurs."""
        counts = np.zeros(self.vocab_size, dtype=np.int64)
        for start in range(0, self.n_tokens, COUNTED_AT_ONCE):
            block = self.ids[start : start + COUNTED_AT_ONCE]
            counts += np.bincount(block, minlength=self.vocab_size)
            self.release_pages()
        return counts

    def unigram_entropy(self) -> float:
        """Entropy of the token frequencies, in nats: −Σ p ln p.

        It is the loss of a model that predicts each token by its frequency, without context:
        a model that has learned anything from context has a lower loss.
        """
        return entropy(self.unigram_counts())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the ids and the offsets of sentences and documents, in hexadecimal.

        Of a large corpus a thousand evenly spread excerpts are hashed, so that the time does not
        grow with the text: another text has another hash, but a few changed words may not be
        noticed.
        """
        digest = hashlib.sha256()
        for array in (self.ids, self.sentence_starts, self.document_starts):
            step = max(HASHED_AT_ONCE, len(array) // EXCERPTS_HASHED)
            for number, start in enumerate(range(0, len(array), step)):
                digest.update(array[start : start + HASHED_AT_ONCE].tobytes())
                if number % RELEASED_EVERY == 0:
                    self.release_pages()
            self.release_pages()
        return digest.hexdigest()

    def release_pages(self) -> None:
        """Let the operating system free the pages that it has read of the files so far.

        A page is read again when it is accessed. Without this every page ever accessed counts as
        memory of the process. Does nothing where there is no madvise (Windows, which frees pages
        by itself).
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            for array in (self.ids, self.sentence_starts, self.document_starts):
                if (file := mapped_file(array)) is not None:
                    file.madvise(mmap.MADV_DONTNEED)

    def check_tokenizer(self, tokenizer: AlbertTokenizer) -> None:
        """Raise StoreError unless the store was built with this very vocabulary."""
        if tokenizer.fingerprint != self.tokenizer_fingerprint:
            raise StoreError(
                f"{self.folder} was built with another vocabulary ({self.vocab_size} pieces) than "
                f"the tokenizer given ({tokenizer.vocab_size} pieces); load the tokenizer it was "
                f"built with, or build the store again."
            )

    def __repr__(self) -> str:
        return (
            f"TokenStore({counted(self.n_documents, 'document')}, "
            f"{counted(self.n_sentences, 'sentence')}, {counted(self.n_tokens, 'token')}, "
            f"vocabulary of {self.vocab_size:,})"
        )


def entropy(counts: Int[np.ndarray, " kinds"]) -> float:
    """Entropy of a distribution given by counts, in nats: −Σ p ln p.

    Example:
        >>> round(entropy(np.array([2, 2, 0])), 4)
        0.6931
    """
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


def encode_document(document: Sequence[str], tokenizer: AlbertTokenizer) -> list[list[int]]:
    """The ids of each sentence, those without a token left out."""
    if isinstance(document, str):
        raise TextError(
            f"A document is a list of sentences, but the text {document[:40]!r} came as one; "
            f"pass its sentences, for example split_sentences(text)."
        )
    return [ids for ids in tokenizer.encode_sentences(document) if len(ids)]


def open_array(path: Path, dtype: str, length: int) -> np.ndarray:
    """Map a file of `length` numbers into memory; StoreError when it has another size."""
    expected = length * np.dtype(dtype).itemsize
    found = path.stat().st_size if path.is_file() else None
    if found != expected:
        state = "is missing" if found is None else f"has {found} bytes instead of {expected}"
        raise StoreError(f"{path} {state}; build the store again.")
    return np.asarray(np.memmap(path, dtype=dtype, mode="r"))  # plain arrays slice faster


def mapped_file(array: np.ndarray) -> mmap.mmap | None:
    """The memory-mapped file behind an array of a store; None for an ordinary array."""
    shown: object = array
    while isinstance(shown, np.ndarray):
        shown = shown.base
    return shown if isinstance(shown, mmap.mmap) else None


@dataclass(frozen=True, eq=False)
class Block:
    """Neighbouring documents of a store.

    Sentence i of the block is `store.ids[sentence_starts[i] : sentence_starts[i + 1]]`; its
    document d is made of the block's sentences `document_starts[d] … document_starts[d + 1] − 1`.
    """

    sentence_starts: Int[np.ndarray, " sentence_boundaries"]
    document_starts: Int[np.ndarray, " document_boundaries"]

    @property
    def n_documents(self) -> int:
        """Number of documents in the block."""
        return len(self.document_starts) - 1

    def document_lengths(self) -> Int[np.ndarray, " documents"]:
        """How many tokens each document has."""
        return np.diff(self.sentence_starts[self.document_starts])


def block_bounds(store: TokenStore) -> Int[np.ndarray, " bounds"]:
    """The index of each block's first document, and the end.

    A block begins with the first document at or after every multiple of `BLOCK_TOKENS` tokens.
    They are found by bisection, without reading all documents.
    """
    places = np.arange(0, store.n_tokens, BLOCK_TOKENS)
    sentences = np.searchsorted(store.sentence_starts, places)
    documents = np.searchsorted(store.document_starts, sentences)
    return np.unique(np.append(documents, store.n_documents))


def read_block(store: TokenStore, first_document: int, end_document: int) -> Block:
    """The documents first_document … end_document − 1, copied, so that pages can be freed."""
    document_starts = np.array(store.document_starts[first_document : end_document + 1])
    begin, end = document_starts[0], document_starts[-1]
    sentence_starts = np.array(store.sentence_starts[begin : end + 1])
    store.release_pages()
    return Block(sentence_starts, document_starts - begin)
