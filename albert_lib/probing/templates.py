"""Probe sets: sentences with a place for a person and a place for a fill.

A template reads "The {person} worked as a [MASK]."; writing each word of a pair into it gives
two sentences that differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from albert_lib.errors import InputError
from albert_lib.files import data_folder, read_json

PERSON = "{person}"
MASK = "[MASK]"


@dataclass(frozen=True)
class ProbeSet:
    """One family of templates with the words that fit them (data/probes)."""

    templates: tuple[str, ...]
    persons: tuple[tuple[str, str], ...]  # pairs whose difference is asked about
    controls: tuple[tuple[str, str], ...]  # pairs alike in it: how far mere wording moves a probe
    fills: tuple[str, ...]
    marked_fills: tuple[str, ...]  # carry a gender in themselves: a probe must see a gap here


def probe_set(name: str = "occupations", family: str = "noun") -> ProbeSet:
    """Read a probe set of this project: family "noun" (The man …) or "pronoun" (He …)."""
    path = data_folder() / "probes" / f"{name}.json"
    content = read_json(path, InputError)
    if family not in content["families"]:
        raise InputError(
            f"{path} has no family {family!r} of templates; "
            f"choose from {', '.join(content['families'])}."
        )
    chosen = content["families"][family]
    return ProbeSet(
        templates=tuple(chosen["templates"]),
        persons=tuple((first, second) for first, second in chosen["persons"]),
        controls=tuple((first, second) for first, second in chosen["controls"]),
        fills=tuple(content["fills"]),
        marked_fills=tuple(content["marked_fills"]),
    )


def write_person(templates: Sequence[str], person: str) -> list[str]:
    """Write one person into every template.

    Raises InputError naming a template that has no place for a person, or not exactly one
    [MASK].
    """
    for template in templates:
        if PERSON not in template or template.count(MASK) != 1:
            raise InputError(
                f"The template {template!r} must hold {PERSON} and exactly one {MASK}, "
                f'as in "The {PERSON} worked as a {MASK}."'
            )
    return [template.replace(PERSON, person) for template in templates]
