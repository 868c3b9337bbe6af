"""Building a corpus of any size in several processes; a killed build resumes.

    corpus/
        train/ held-out/    token stores
        README.md           the data card, for people
        sources.json        its sources, and the settings that decide its content
        counts.json         its documents, words and tokens, and the time and memory it took

An unfinished corpus is the hidden folder `.corpus.unfinished` beside it. One process reads the
text in order and hands it out in batches; the encoded batches are appended to the stores in the
same order, and counts.json then records the position reached. So memory holds only a few batches,
whatever the size of the corpus; the stores are the same for any number of processes; and after a
kill the files are truncated to the lengths in counts.json and reading resumes there.
`.corpus.lock` keeps a second process out, and `.corpus.replaced` is the old corpus while a new
one takes its place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock
from tqdm.auto import tqdm

from albert_lib.corpus.data_card import data_card
from albert_lib.corpus.encoding import (
    Encoded,
    TextBatch,
    available_cores,
    encode_in_order,
    read_batches,
)
from albert_lib.corpus.journal import ANEW, COUNTS, SOURCES, Journal, remove_content
from albert_lib.corpus.same_files import as_recorded, with_checksums
from albert_lib.corpus.sources import Unit, cannot_split, is_whole
from albert_lib.corpus.store import TokenStore
from albert_lib.corpus.writing import StoreWriter
from albert_lib.errors import AlbertLibError, StoreError, TextError, WriteError
from albert_lib.files import new_file, read_json, replace_folder
from albert_lib.memory import peak_memory
from albert_lib.text import AlbertTokenizer

CORPUS_FORMAT_VERSION = 1
CARD = "README.md"
TRAIN, HELD_OUT = "train", "held-out"


class CorpusBuilder:
    """Builds one corpus: reads its sources, encodes them and writes the stores."""

    def __init__(
        self,
        units: Sequence[Unit],
        tokenizer: AlbertTokenizer,
        output: str | os.PathLike[str],
        held_out_every: int,
        *,
        settings: Mapping[str, Any] | None = None,
        command: str = "",
    ) -> None:
        """Describe the corpus; nothing is read or written yet.

        Args:
            units: What to read, in order.
            tokenizer: Turns sentences into ids.
            output: The folder of the corpus; it appears when the build is complete.
            held_out_every: With n, every n-th document goes into held-out/, or the last one if
                there are fewer than n; with 0, none does.
            settings: Other settings that decide how the units are read.
            command: The command that builds this corpus, for the data card.
        """
        if not is_whole(held_out_every) or held_out_every < 0 or held_out_every == 1:
            raise TextError(
                f"held_out_every is {held_out_every!r}; make it 0, or a whole number of at least 2."
            )
        self.units = units
        self.tokenizer = tokenizer
        self.output = Path(os.path.realpath(output))  # where a link leads there may be more room
        self.unfinished, self.replaced, self.locked = (
            self.output.parent / f".{self.output.name}.{what}"
            for what in ("unfinished", "replaced", "lock")
        )
        self.held_out_every = held_out_every
        self.command = command
        self.sources = describe_sources(units, tokenizer, held_out_every, settings or {})
        self.names = [TRAIN, HELD_OUT] if held_out_every else [TRAIN]
        self.writers: dict[str, StoreWriter] = {}
        self.by_source: dict[str, dict[str, int]] = {}
        self.n_unknown = 0

    def build(
        self, workers: int | None = None, *, start_over: bool = False, progress: bool = False
    ) -> list[TokenStore]:
        """Build the corpus, resume an unfinished build, or open a finished one; return its stores.

        `workers` is the number of processes that encode, by default one per core. `start_over`
        deletes an earlier build, finished or not. Raises StoreError when the folder holds
        something else or cannot be written, TextError when a source cannot be read or there is
        too little text; what was read until then is stored, and the same command resumes.
        """
        if workers is not None and not (is_whole(workers) and workers >= 1):
            raise TextError(f"workers is {workers!r}; make it a whole number of at least 1.")
        try:
            if self.replaced.exists() or not self._is_built(start_over):
                with self._alone():
                    if not self._is_built(start_over):  # another process may have built it
                        self._fill(workers or available_cores(), start_over, progress)
                        self._appear()
        except OSError as problem:
            if not isinstance(problem, WriteError) and isinstance(problem, AlbertLibError):
                raise
            raise StoreError(
                f"{self.unfinished} cannot be written ({problem.strerror or problem}); make room "
                f"or check the permissions, then run the same command again: it goes on from here; "
                f"or name another folder."
            ) from None
        return [TokenStore.open(self.output / name) for name in self.names]

    def counts(self) -> dict[str, Any]:
        """The content of the finished corpus's counts.json."""
        counts: dict[str, Any] = read_json(self.output / COUNTS, StoreError)
        return counts

    # -- the folders

    def _is_built(self, start_over: bool) -> bool:
        """Whether the output is this corpus, finished; StoreError if it must not be replaced."""
        if not self.output.exists() or (self.output.is_dir() and not any(self.output.iterdir())):
            return False
        if not any((self.output / name).is_file() for name in (SOURCES, f"{TRAIN}/store.json")):
            raise StoreError(
                f"{self.output} holds something other than a corpus; name another folder."
            )
        if start_over:
            return False
        file = self.output / SOURCES
        if file.is_file() and read_json(file, StoreError) == self._sources_beside(file):
            return True
        raise StoreError(
            f"{self.output} holds a corpus of other sources or settings; name another folder, or "
            f"replace it with {ANEW}."
        )

    def _sources_beside(self, file: Path | None) -> dict[str, Any]:
        """What sources.json is to say: of the same files what it said, if it is there."""
        units = self.sources["units"]
        if file is None or not file.is_file():
            return {**self.sources, "units": with_checksums(units, self.units)}
        before = read_json(file, StoreError)
        recorded = before.get("units", []) if isinstance(before, dict) else []
        return {**self.sources, "units": as_recorded(units, self.units, recorded)}

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock on the output folder; StoreError if another process holds it.

        The lock file is beside the folders and not in one of them: it is held while they are
        renamed, and Windows cannot rename a folder in which a file is open.
        """
        self.output.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.locked)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise StoreError(
                f"{self.output} is being built by another process; wait for it, or stop it."
            ) from None
        except (OSError, NotImplementedError):  # a disk without locks, such as some network disks
            pass  # one that cannot be written says so below
        try:
            shutil.rmtree(self.replaced, ignore_errors=True)  # a kill may have left it
            self.unfinished.mkdir(exist_ok=True)
            yield
        finally:
            if not (self.unfinished / SOURCES).exists():  # there is nothing to resume
                shutil.rmtree(self.unfinished, ignore_errors=True)
            with contextlib.suppress(OSError):  # Windows removes it when it is released
                self.locked.unlink()
            lock.release()

    def _appear(self) -> None:
        """Rename the finished folder to the output folder."""
        replace_folder(self.unfinished, self.output, aside=self.replaced)

    # -- the content

    def _fill(self, workers: int, start_over: bool, progress: bool) -> None:
        """Read, encode and write the remaining text, then complete the folder."""
        sources = self._sources_beside(None if start_over else self.unfinished / SOURCES)
        journal = Journal(self.unfinished, sources, anew=start_over)
        self.by_source = {name: {**counts} for name, counts in journal.content["sources"].items()}
        self.n_unknown = journal.content["n_unknown"]
        try:
            for name in self.names:
                folder = self.unfinished / name
                folder.mkdir(exist_ok=True)
                state = journal.content["stores"].get(name)
                self.writers[name] = StoreWriter(
                    folder, self.tokenizer.vocab_size, self.tokenizer.fingerprint, state
                )
            self._read_and_write(journal, workers, progress)
            self._complete(journal)
        finally:
            for writer in self.writers.values():
                writer.close()

    def _read_and_write(self, journal: Journal, workers: int, progress: bool) -> None:
        """Read the remaining text, encode it, and write it batch by batch."""
        began = time.monotonic() - journal.effort["seconds"]
        peaks: dict[int, int | None] = {}
        sizes = [unit.size for unit in self.units]
        in_bytes = None not in sizes
        total = sum(size or 0 for size in sizes) if in_bytes else None
        bar = tqdm(
            desc="building",
            total=total,
            unit="B" if in_bytes else " documents",
            unit_scale=in_bytes,
            disable=None if progress else True,  # None: off unless stderr is a terminal
        )
        batches = read_batches(self.units, journal.place, self.by_source)
        encoding = encode_in_order(batches, self.tokenizer, workers)
        with bar, contextlib.closing(encoding):
            for batch, encoded in encoding:
                self._write(batch, encoded)
                peaks |= {encoded.process: encoded.peak_memory, os.getpid(): peak_memory()}
                peak = sum(each or 0 for each in peaks.values())
                journal.effort["peak_memory"] = max(peak, journal.effort["peak_memory"])
                journal.effort["seconds"] = round(time.monotonic() - began, 3)
                self._save(journal, list(batch.end))
                bar.update((batch.bytes_read if in_bytes else self.n_documents) - bar.n)

    def _write(self, batch: TextBatch, encoded: Encoded) -> None:
        """Append a batch's sentences to the stores of their documents."""
        sentence = token = 0
        for part, unit, n_sentences, n_words in zip(
            batch.parts, batch.units, encoded.n_sentences.tolist(), encoded.n_words, strict=True
        ):
            lengths = encoded.lengths[sentence : sentence + n_sentences]
            n_tokens = int(lengths.sum())
            writer = self._writer()
            if n_sentences:
                writer.append(encoded.ids[token : token + n_tokens], lengths)
            is_whole = part.ends_document and writer.is_open
            if is_whole:
                writer.end_document()
            counts = self.by_source.setdefault(
                self.units[unit].source, {"n_documents": 0, "n_words": 0, "n_pieces": 0}
            )
            counts["n_documents"] += is_whole
            counts["n_words"] += n_words
            counts["n_pieces"] += n_tokens
            sentence += n_sentences
            token += n_tokens
        self.n_unknown += encoded.n_unknown

    def _writer(self) -> StoreWriter:
        """The store of the open document, or else of the next one."""
        for writer in self.writers.values():
            if writer.is_open:
                return writer
        every = self.held_out_every
        return self.writers[HELD_OUT if every and (self.n_documents + 1) % every == 0 else TRAIN]

    @property
    def n_documents(self) -> int:
        """Documents written so far."""
        return sum(writer.n_documents for writer in self.writers.values())

    def _save(self, journal: Journal, place: list[int]) -> None:
        """Flush the stores to disk, then record their lengths and the position reached."""
        for writer in self.writers.values():
            writer.flush()
        journal.save(
            {
                "place": place,
                "stores": {name: writer.state() for name, writer in self.writers.items()},
                "sources": {name: {**counts} for name, counts in self.by_source.items()},
                "n_unknown": self.n_unknown,
            }
        )

    def _complete(self, journal: Journal) -> None:
        """Finish the split, the stores and the card; TextError if there is too little text."""
        n_documents = self.n_documents
        if n_documents < (2 if self.held_out_every else 1):
            for writer in self.writers.values():
                writer.close()
            remove_content(self.unfinished)
            if n_documents:
                raise TextError(cannot_split(n_documents, self.held_out_every))
            raise TextError(
                f"There is no text to store in {self.output}: the documents are empty; check the "
                f"folder or file that they were read from."
            )
        if self.held_out_every and self.writers[HELD_OUT].n_documents == 0:
            self.writers[TRAIN].move_last_document(self.writers[HELD_OUT])
        self._save(journal, [len(self.units), 0])
        for writer in self.writers.values():
            writer.finish()
        stores = {name: TokenStore.open(self.unfinished / name) for name in self.names}
        with new_file(self.unfinished / CARD) as file:
            file.write_text(
                data_card(self.output.name, self.command, self.units, journal, stores),
                encoding="utf-8",
                errors="backslashreplace",  # names of files need not be UTF-8
            )


def describe_sources(
    units: Sequence[Unit],
    tokenizer: AlbertTokenizer,
    held_out_every: int,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of sources.json: everything that decides what the corpus contains."""
    return {
        "settings": {
            "format_version": CORPUS_FORMAT_VERSION,
            "tokenizer_fingerprint": tokenizer.fingerprint,
            "vocab_size": tokenizer.vocab_size,
            "do_lower_case": tokenizer.do_lower_case,
            "keep_accents": tokenizer.keep_accents,
            "replace_quotes": tokenizer.replace_quotes,
            "digit_comma_rule": tokenizer.digit_comma_rule,
            "held_out_every": held_out_every,
            **settings,
        },
        "units": [
            {"source": unit.source, "name": unit.name, **unit.identity, "licence": unit.licence}
            for unit in units
        ],
    }
