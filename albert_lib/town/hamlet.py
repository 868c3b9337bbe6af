"""The Hamlet: a small part of the Town, which a model learns to read in seconds."""

from __future__ import annotations

from dataclasses import replace

from albert_lib.town.world import Event, Form, World, load_world

EVENTS = ("pet", "way_to_work", "morning_work", "lunch")
FORMS, NAMES = 8, 6  # of each event, of each gender
LENGTH = 3  # events of every document


def load_hamlet() -> World:
    """Return the Town's world cut down: four events, eight forms each, twelve names.

    Forms that speak of the event's attribute are kept before others, those that speak of it in
    one word first: they are the ones that a probe can ask.
    """
    world = load_world()
    return replace(
        world,
        names=(world.names[0][:NAMES], world.names[1][:NAMES]),
        events=tuple(fewer_forms(world, e) for e in world.events if e.name in EVENTS),
        remarks=fewer_forms(world, world.remarks),
        shortest=LENGTH,
        longest=LENGTH,
    )


def fewer_forms(world: World, event: Event) -> Event:
    """The same event with the first eight forms, told most plainly of its attribute first."""
    keys = world.attributes[event.attribute].words if event.attribute else {}

    def telling(form: Form) -> int:
        told = sum(token.is_place and token.text in keys for token in form)
        return told if told else len(form)

    return replace(event, forms=tuple(sorted(event.forms, key=telling)[:FORMS]))
