"""The Town: a generated world whose probability model is known, and the reader who knows it."""

from __future__ import annotations

from albert_lib.town.floor import Floor, Score, find_floor
from albert_lib.town.ideal_reader import IdealReader, Reading
from albert_lib.town.town import Tale, Town
from albert_lib.town.world import MAN, WOMAN, World, WorldError, load_world

__all__ = [
    "MAN",
    "WOMAN",
    "Floor",
    "IdealReader",
    "Reading",
    "Score",
    "Tale",
    "Town",
    "World",
    "WorldError",
    "find_floor",
    "load_world",
]
