"""Writes a token store in steps, so that an interrupted build can resume.

The three files only grow. A writer's state is the length and checksum of each. A writer opened
with a stored state truncates the files to those lengths, and refuses files whose checksum differs.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Integer

from albert_lib.errors import StoreError
from albert_lib.files import flush_to_disk, write_json

STORE_FORMAT_VERSION = 1
OFFSET_DTYPE = "<i8"  # the "<" fixes the byte order, so that a store can be moved between machines
READ_AT_ONCE = 1 << 22  # bytes

State = dict[str, Any]


def ids_dtype(vocab_size: int) -> str:
    """The number format of the ids: two bytes where the vocabulary allows.

    Example:
        >>> ids_dtype(30_000), ids_dtype(100_000)
        ('<u2', '<u4')
    """
    return "<u2" if vocab_size <= 1 << 16 else "<u4"


class GrowingFile:
    """A file that is only appended to, with its length and checksum."""

    def __init__(self, path: Path, dtype: str, state: Mapping[str, int] | None = None) -> None:
        """Start a new file or, given its `state`, continue one; StoreError if it is damaged."""
        self.path = path
        self.dtype = dtype
        self.length = state["bytes"] if state else 0
        self.checksum = state["crc32"] if state else 0
        if state:
            self._go_back()
        self.file: BinaryIO = path.open("ab" if state else "wb")

    def append(self, numbers: Any) -> None:
        """Write numbers at the end."""
        content = np.asarray(numbers, dtype=self.dtype).tobytes()
        self.file.write(content)
        self.length += len(content)
        self.checksum = zlib.crc32(content, self.checksum)

    def cut_to(self, length: int) -> None:
        """Set a smaller length in bytes; the file is truncated when the store is finished.

        Do not append in between: the data would follow what is still to be cut off.
        """
        self.file.flush()
        self.length = length
        self.checksum = checksum_of(self.path, length)

    def state(self) -> dict[str, int]:
        """Length and checksum."""
        return {"bytes": self.length, "crc32": self.checksum}

    def _go_back(self) -> None:
        """Check the file up to the stored length, and truncate it there."""
        found = self.path.stat().st_size if self.path.is_file() else -1
        if found < self.length or checksum_of(self.path, self.length) != self.checksum:
            raise StoreError(
                f"{self.path} no longer holds what was written to it; start over with --start-over."
            )
        with self.path.open("r+b") as file:
            file.truncate(self.length)


class StoreWriter:
    """Appends sentences and documents to the files of a store.

    Sentences without a token and documents without a sentence must be left out by the caller.
    """

    def __init__(self, folder: Path, vocab_size: int, fingerprint: str, state: State | None = None):
        """Start a store in an existing folder or, given a `state`, continue it.

        Raises StoreError when the files differ from that state.
        """
        self.folder = folder
        self.vocab_size = vocab_size
        self.fingerprint = fingerprint
        self.n_tokens = state["n_tokens"] if state else 0
        self.n_sentences = state["n_sentences"] if state else 0
        self.n_documents = state["n_documents"] if state else 0
        self.document_start = state["document_start"] if state else 0
        kept = state["files"] if state else {}
        dtypes = (
            ("ids", ids_dtype(vocab_size)),
            ("sentences", OFFSET_DTYPE),
            ("documents", OFFSET_DTYPE),
        )
        self.files: dict[str, GrowingFile] = {}
        try:
            for name, dtype in dtypes:
                self.files[name] = GrowingFile(folder / f"{name}.bin", dtype, kept.get(name))
        except BaseException:
            self.close()
            raise
        if state is None:
            self.files["sentences"].append([0])
            self.files["documents"].append([0])

    @property
    def is_open(self) -> bool:
        """Whether the last document has sentences and has not ended."""
        return self.n_sentences > self.document_start

    def append(
        self, ids: Integer[np.ndarray, " tokens"], lengths: Integer[np.ndarray, " sentences"]
    ) -> None:
        """Add sentences, given their ids in a row and how many each has, to the open document."""
        self.files["ids"].append(ids)
        self.files["sentences"].append(self.n_tokens + np.cumsum(lengths))
        self.n_tokens += len(ids)
        self.n_sentences += len(lengths)

    def end_document(self) -> None:
        """End the open document."""
        self.files["documents"].append([self.n_sentences])
        self.document_start = self.n_sentences
        self.n_documents += 1

    def move_last_document(self, other: StoreWriter) -> None:
        """Take the last document out of this store and put it at the end of another."""
        self.flush()
        bounds = np.memmap(self.files["documents"].path, dtype=OFFSET_DTYPE, mode="r")
        first = int(bounds[self.n_documents - 1])
        all_starts = np.memmap(self.files["sentences"].path, dtype=OFFSET_DTYPE, mode="r")
        starts = all_starts[first : self.n_sentences + 1]
        ids = np.memmap(self.files["ids"].path, dtype=self.files["ids"].dtype, mode="r")
        step = 1 << 16  # sentences at once: a document may be as long as a corpus
        for begin in range(0, len(starts) - 1, step):
            part = starts[begin : begin + step + 1]
            other.append(ids[part[0] : part[-1]], np.diff(part))
        other.end_document()
        self.n_tokens = int(starts[0])
        self.n_sentences = self.document_start = first
        self.n_documents -= 1
        self.files["ids"].cut_to(self.n_tokens * ids.itemsize)
        self.files["sentences"].cut_to((self.n_sentences + 1) * 8)
        self.files["documents"].cut_to((self.n_documents + 1) * 8)

    def flush(self) -> None:
        """Flush everything written so far to the disk."""
        for each in self.files.values():
            each.file.flush()
            flush_to_disk(each.path)

    def state(self) -> State:
        """Counts, lengths and checksums; valid once `flush` has returned."""
        return {
            "n_tokens": self.n_tokens,
            "n_sentences": self.n_sentences,
            "n_documents": self.n_documents,
            "document_start": self.document_start,
            "files": {name: each.state() for name, each in self.files.items()},
        }

    def close(self) -> None:
        """Close the files."""
        for each in self.files.values():
            each.file.close()

    def finish(self) -> None:
        """Truncate and close the files, and write store.json, which completes the store."""
        self.close()
        for each in self.files.values():
            with each.path.open("r+b") as file:
                file.truncate(each.length)
        description = {
            "format_version": STORE_FORMAT_VERSION,
            "dtype": ids_dtype(self.vocab_size),
            "n_tokens": self.n_tokens,
            "n_sentences": self.n_sentences,
            "n_documents": self.n_documents,
            "vocab_size": self.vocab_size,
            "tokenizer_fingerprint": self.fingerprint,
            "crc32": {each.path.name: each.checksum for each in self.files.values()},
        }
        write_json(self.folder / "store.json", description)


def checksum_of(path: Path, length: int) -> int:
    """The CRC-32 of the first `length` bytes of a file."""
    checksum = 0
    with path.open("rb") as file:
        while length > 0 and (block := file.read(min(length, READ_AT_ONCE))):
            checksum = zlib.crc32(block, checksum)
            length -= len(block)
    return checksum
