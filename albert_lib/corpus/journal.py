"""How far a build has got, on disk: what makes it go on after a kill."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from albert_lib.corpus.encoding import Place
from albert_lib.errors import StoreError
from albert_lib.files import read_json, write_json

SOURCES, COUNTS = "sources.json", "counts.json"
ANEW = "--start-over"
NOTHING: dict[str, Any] = {"place": [0, 0], "stores": {}, "sources": {}, "n_unknown": 0}


class Journal:
    """What sources.json and counts.json of an unfinished corpus say.

    Attributes:
        content: The last state written: the place reached in the sources, the states of the
            stores' files, documents, words and pieces of each source, unknown pieces.
        earlier: The last state from before the unit that is being read, to go back to if that
            unit is found to be another one: a damaged file, say, that was mended.
        effort: Seconds and peak memory so far, and in how many runs of the command ("sittings").
    """

    def __init__(self, folder: Path, sources: Mapping[str, Any], *, anew: bool = False) -> None:
        """Go on from what the folder holds, or begin.

        Raises StoreError when it was begun from other sources or with other settings.
        """
        self.folder = folder
        self.content = NOTHING
        self.earlier: dict[str, Any] | None = None
        self.effort: dict[str, Any] = {"seconds": 0.0, "peak_memory": 0, "sittings": 0}
        if not anew and (folder / COUNTS).is_file():
            self._go_on(sources)
        else:
            remove_content(folder)
        self.effort["sittings"] += 1
        write_json(folder / SOURCES, sources)

    @property
    def place(self) -> Place:
        """How far the sources have been read."""
        return Place(*self.content["place"])

    def save(self, content: dict[str, Any]) -> None:
        """Write a new state; whatever it speaks of must be on disk already."""
        if content["place"][0] > self.place.unit:
            self.earlier = self.content
        self.content = content
        state = {"content": content, "earlier": self.earlier, "effort": self.effort}
        write_json(self.folder / COUNTS, state)

    def _go_on(self, sources: Mapping[str, Any]) -> None:
        begun = read_json(self.folder / SOURCES, StoreError)
        state = read_json(self.folder / COUNTS, StoreError)
        self.content, self.earlier, self.effort = (
            state["content"],
            state["earlier"],
            state["effort"],
        )
        if begun["settings"] != sources["settings"]:
            raise StoreError(self._begun_otherwise(differences(begun, sources)))
        place = self.place
        now = [*sources["units"], *[None] * len(begun["units"])]
        for before, after in zip(begun["units"][: place.unit], now, strict=False):
            if before != after:
                raise StoreError(self._begun_otherwise(what_became_of(before, sources["units"])))
        reading = begun["units"][place.unit : place.unit + 1]
        if reading != sources["units"][place.unit : place.unit + 1]:
            self.content = self.earlier or NOTHING

    def _begun_otherwise(self, how: str) -> str:
        return (
            f"{self.folder} was begun otherwise ({how}); run the command that it was begun with, "
            f"on the same files, or begin anew: build-corpus with {ANEW}, or delete that folder."
        )


def differences(begun: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Name the settings that differ."""
    before, after = begun["settings"], now["settings"]
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"{name} was {before.get(name)}, is {after.get(name)}" for name in names)


def what_became_of(unit: Mapping[str, Any], units: list[Mapping[str, Any]]) -> str:
    """Say why a unit that was read is not there as it was."""
    name = f"{unit['source']}, {unit['name']}" if unit["name"] != unit["source"] else unit["name"]
    names = [(each["source"], each["name"]) for each in units]
    if (unit["source"], unit["name"]) not in names:
        return f"{name} was read, and is gone or no longer asked for"
    if unit in units:
        return f"{name} was read, and now others come before it"
    return f"{name} has changed since it was read"


def remove_content(folder: Path) -> None:
    """Empty an unfinished folder."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
