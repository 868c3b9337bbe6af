"""The progress of a build, stored on disk so that a killed build resumes."""

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
    """The content of sources.json and counts.json of an unfinished corpus.

    Attributes:
        content: The last state written: the position in the sources, the lengths of the stores'
            files, the counts of documents, words and tokens by source, and of unknown tokens.
        earlier: The state before the unit that is being read; the build returns to it when that
            unit has changed, for example because a damaged file was replaced.
        effort: Seconds, peak memory, and how many times the build was started ("sittings").
    """

    def __init__(self, folder: Path, sources: Mapping[str, Any], *, anew: bool = False) -> None:
        """Resume the build in the folder, or start a new one.

        Raises StoreError when it was started from other sources or with other settings.
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
        """The position up to which the sources have been read."""
        return Place(*self.content["place"])

    def save(self, content: dict[str, Any]) -> None:
        """Write a new state; the data that it counts must be on disk already."""
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
            f"{self.folder} was started from other sources or settings ({how}); repeat the "
            f"original command on the same files, or start over: build-corpus with {ANEW}, or "
            f"delete that folder."
        )


def differences(begun: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """List the settings that differ, with both values."""
    before, after = begun["settings"], now["settings"]
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"{name} was {before.get(name)}, is {after.get(name)}" for name in names)


def what_became_of(unit: Mapping[str, Any], units: list[Mapping[str, Any]]) -> str:
    """Say what has changed about a unit that was read: removed, moved or edited."""
    name = f"{unit['source']}, {unit['name']}" if unit["name"] != unit["source"] else unit["name"]
    names = [(each["source"], each["name"]) for each in units]
    if (unit["source"], unit["name"]) not in names:
        return f"{name} was read, and is gone or no longer among the sources"
    if unit in units:
        return f"{name} was read, and now others come before it in the sources"
    return f"{name} has changed since it was read"


def remove_content(folder: Path) -> None:
    """Delete everything in an unfinished folder."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
