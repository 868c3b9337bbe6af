"""Units of text to batches of even size, from wherever reading was left."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from albert_lib.corpus.paragraphs import Part
from albert_lib.corpus.sources import Unit
from albert_lib.errors import AlbertLibError, TextError

BATCH_CHARACTERS = 1 << 22  # half a second of work; what a kill can cost a worker


class Place(NamedTuple):
    """How far the sources were read: units done with, and parts read of the one after them."""

    unit: int
    parts: int


class Batch(NamedTuple):
    """Parts of documents to encode together, where each comes from, and where they end."""

    parts: list[Part]
    units: list[int]
    is_cut: list[bool]
    end: Place
    bytes_read: int


def read_batches(units: Sequence[Unit], start: Place, not_empty: Container[str]) -> Iterator[Batch]:
    """Read units from a place on, and yield their parts in batches.

    Raises TextError at the end of a source that held no text, unless it is among `not_empty`
    (those that gave some before `start`). What was read before an error is yielded before it.
    """
    reader = BatchReader(units, start)
    found: set[str] = set()
    for index in range(start.unit, len(units)):
        source = units[index].source
        yield from reader.read(index)
        if reader.found_text or source in not_empty:
            found.add(source)
        is_last = index + 1 == len(units) or units[index + 1].source != source
        if is_last and source not in found:
            yield from reader.rest()
            raise TextError(f"{source} holds no text; pass one that does.")
    yield from reader.rest()


class BatchReader:
    """Reads units one after another and puts their parts into batches."""

    def __init__(self, units: Sequence[Unit], start: Place) -> None:
        """Begin at a place; what lies before it in its unit is read over."""
        self.units = units
        self.start = start
        self.found_text = False  # in the unit read last
        self.bytes_before = sum(unit.size or 0 for unit in units[: start.unit])
        self._begin()

    def read(self, index: int) -> Iterator[Batch]:
        """Read one unit; yield the batches that get full."""
        unit = self.units[index]
        n_known = self.start.parts if index == self.start.unit else 0
        self.found_text = False
        try:
            for n_read, part in enumerate(unit.parts(), start=1):
                self.found_text = True
                if n_read > n_known:
                    self._take(part, Place(index, n_read), unit.is_cut)
                if self.n_characters >= BATCH_CHARACTERS:
                    yield from self.rest()
        except AlbertLibError:
            yield from self.rest()
            raise
        self.bytes_before += unit.size or 0

    def rest(self) -> Iterator[Batch]:
        """Yield what is in hand, if anything."""
        if self.parts:
            yield Batch(self.parts, self.unit_numbers, self.is_cut, self.end, self.bytes_read)
            self._begin()

    def _begin(self) -> None:
        self.parts: list[Part] = []
        self.unit_numbers: list[int] = []
        self.is_cut: list[bool] = []
        self.n_characters = 0
        self.end = self.start
        self.bytes_read = self.bytes_before

    def _take(self, part: Part, end: Place, is_cut: bool) -> None:
        self.parts.append(part)
        self.unit_numbers.append(end.unit)
        self.is_cut.append(is_cut)
        self.n_characters += sum(map(len, part.paragraphs))
        self.end = end
        self.bytes_read = self.bytes_before + part.position
