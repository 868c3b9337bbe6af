"""The Town: a generated world whose probability model is known, and its Bayes-optimal reader."""

from __future__ import annotations

from albert_lib.town.floor import Estimate, Floor, find_floor
from albert_lib.town.ideal_reader import IdealReader, Posterior
from albert_lib.town.town import Town, TownDocument
from albert_lib.town.world import MAN, WOMAN, World, WorldError, load_world

__all__ = [
    "MAN",
    "WOMAN",
    "Floor",
    "IdealReader",
    "Posterior",
    "Estimate",
    "TownDocument",
    "Town",
    "World",
    "WorldError",
    "find_floor",
    "load_world",
]
