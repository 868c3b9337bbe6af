"""The Hamlet: a small part of the Town, which a model learns to read in seconds."""

from __future__ import annotations

from dataclasses import replace

from albert_lib.town.world import Event, World, load_world

EVENTS = ("way_to_work", "morning_work", "lunch", "afternoon_work")
FORMS, NAMES = 4, 6
LENGTH = 3  # events of every document


def load_hamlet(remark_probability: float | None = None) -> World:
    """Return the Town's world cut down: the working day's four events, twelve names.

    Of each event's forms there remain the first four that mention the occupation in one word:
    they are the ones that a probe can ask about. `remark_probability`, the chance that a remark
    takes an event's place, is the Town's unless it is given.

    Example:
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> hamlet = load_hamlet(remark_probability=0.5)
        >>> len(hamlet.events), hamlet.shortest, hamlet.longest, hamlet.remark_probability
        (4, 3, 3, 0.5)
    """
    world = load_world()
    if remark_probability is None:
        remark_probability = world.remark_probability
    return replace(
        world,
        names=(world.names[0][:NAMES], world.names[1][:NAMES]),
        events=tuple(plain_forms(world, e) for e in world.events if e.name in EVENTS),
        shortest=LENGTH,
        longest=LENGTH,
        remark_probability=remark_probability,
    )


def plain_forms(world: World, event: Event) -> Event:
    """The same event with the first four forms that hold one word of its attribute.

    Example:
        >>> from albert_lib.town import load_world
        >>> from albert_lib.town.hamlet import plain_forms
        >>> world = load_world()
        >>> max(len(plain_forms(world, event).forms) for event in world.events)
        4
    """
    keys = world.attributes[event.attribute].words if event.attribute else {}
    mentions = [
        sum(token.is_place and token.text in keys for token in form) for form in event.forms
    ]
    plain = [form for form, n in zip(event.forms, mentions, strict=True) if n == 1]
    return replace(event, forms=tuple(plain[:FORMS]))
