"""A world so small that every document it can tell may be listed."""

from __future__ import annotations

import tomllib

import pytest

from albert_lib.town.world import World, world_from

TINY = """
[names]
women = ["Ada", "Bea"]
men = ["Carl", "Dov"]
[[attributes.occupation]]
title = "baker"
place = "bakery"
weight = 1.0
lean = 2.0
[[attributes.occupation]]
title = "smith"
place = "forge"
weight = 2.0
lean = -1.0
[[attributes.pet]]
pet = "cat"
[[attributes.pet]]
pet = "dog"
[slots]
food = ["bread", "soup", "rice"]
[[events]]
name = "meal"
forms = ["{name} eats {food}.", "{food} pleases {him}."]
[[events]]
name = "work"
attribute = "occupation"
forms = ["{name} , {title} of {place}.", "In {his} {place} {he} eats."]
[[events]]
name = "petting"
attribute = "pet"
forms = ["The {pet} eats."]
[remarks]
forms = ["Soup cools.", "{food} cools."]
[telling]
shortest = 2
longest = 3
remark_probability = 0.25
name_probability = 0.3
"""


@pytest.fixture(scope="session")
def tiny_world() -> World:
    """Three events, two occupations, two pets, four names."""
    return world_from(tomllib.loads(TINY))


@pytest.fixture(scope="session")
def tiny_description() -> str:
    """The same world as its file."""
    return TINY
