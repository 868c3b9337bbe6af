"""The Town's probability model: who lives there, what happens in a day, how it is written.

`data/town/town.toml` is the Town of the course; tests build smaller worlds of the same kind, so
small that every possible document can be listed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from albert_lib.errors import AlbertLibError
from albert_lib.files import data_folder, read_toml
from albert_lib.objectives.segments import N_SPECIAL

WOMAN, MAN = 0, 1
"""The genders of the Town's people, as indices."""

GENDER_NAMES = ("woman", "man")
PRONOUNS = {"he": ("she", "he"), "his": ("her", "his"), "him": ("her", "him")}
NAME = "name"  # the placeholder of the person, who is named or called he or she
WORD = re.compile("[A-Za-z]+")
TOKEN = re.compile(r"\{(\w+)\}|([A-Za-z]+)|([,.])")


class WorldError(AlbertLibError, ValueError):
    """A world's description contradicts itself."""


@dataclass(frozen=True)
class FormToken:
    """One token of a form: a word as it is, or a placeholder."""

    text: str
    is_place: bool = False  # a placeholder; text is then what fills it: name, he, a key or a slot


Form = tuple[FormToken, ...]


@dataclass(frozen=True)
class Event:
    """What may happen at one point of the day, in sentence forms that all have the same length.

    One length an event is what makes the ideal reader quick: where one sentence ends and the
    next begins follows from the events alone, whatever is masked.

    Example:
        >>> from albert_lib.town.world import Event, read_form
        >>> forms = (read_form("{name} eats soup."), read_form("Soup pleases {him}."))
        >>> Event("lunch", forms).n_tokens
        4
    """

    name: str
    forms: tuple[Form, ...]
    attribute: str | None = None  # the one thing about a person that it may mention

    @property
    def n_tokens(self) -> int:
        """Words, commas and the full stop of each of its sentences."""
        return len(self.forms[0])


@dataclass(frozen=True)
class Attribute:
    """Something about a person, such as the occupation, that takes one of several values."""

    name: str
    words: Mapping[str, tuple[str, ...]]  # by key, such as "title": one word a value
    weights: Float64[np.ndarray, " values"]
    leans: Float64[np.ndarray, " values"]  # log-odds of man over woman at bias 1, in nats

    def probabilities(self, bias: float) -> Float64[np.ndarray, "genders values"]:
        """P(value | gender) ∝ weight · exp(± bias · lean / 2): − for women, + for men.

        Example:
            >>> import numpy as np
            >>> from albert_lib.town.world import Attribute
            >>> words = {"title": ("baker", "smith")}
            >>> work = Attribute("work", words, weights=np.ones(2), leans=np.array([2.0, -2.0]))
            >>> work.probabilities(bias=1.0).round(2).tolist()
            [[0.12, 0.88], [0.88, 0.12]]
        """
        return leaning_probabilities(self.weights, self.leans, bias=bias)


def leaning_probabilities(
    weights: Float64[np.ndarray, " values"],
    leans: Float64[np.ndarray, " values"],
    *,
    bias: float,
) -> Float64[np.ndarray, "genders values"]:
    """P(value | gender) ∝ weight · exp(± bias · lean / 2): − for women (row 0), + for men (1).

    Half of the lean on either side makes the log-odds of man over woman bias · lean, as far as
    both normalisers are equal.

    Example:
        >>> import numpy as np
        >>> from albert_lib.town.world import leaning_probabilities
        >>> leaning_probabilities(np.ones(2), np.array([2.0, -2.0]), bias=1.0).round(2).tolist()
        [[0.12, 0.88], [0.88, 0.12]]
    """
    sides = np.array([[-0.5], [0.5]])
    unscaled = weights * np.exp(bias * sides * leans)
    probabilities: Float64[np.ndarray, "genders values"]
    probabilities = unscaled / unscaled.sum(axis=1, keepdims=True)
    return probabilities


@dataclass(frozen=True)
class World:
    """A whole world. Raises WorldError, saying what is wrong, for one that contradicts itself.

    A document has `shortest` to `longest` consecutive events of one person's day; every such
    range is equally likely. A remark takes an event's place with `remark_probability`. The
    first sentence about the person gives the name, a later one does so with
    `name_probability` and says he or she otherwise.

    Example:
        >>> from albert_lib.town import load_world
        >>> world = load_world()
        >>> world.shortest, world.longest, world.remark_probability
        (3, 5, 0.15)
    """

    names: tuple[tuple[str, ...], tuple[str, ...]]  # of women, of men; equally likely
    attributes: Mapping[str, Attribute]
    slots: Mapping[str, tuple[str, ...]]  # words that fill a place, equally likely
    events: tuple[Event, ...]
    remarks: Event
    shortest: int = 3
    longest: int = 5
    remark_probability: float = 0.15
    name_probability: float = 0.25

    def __post_init__(self) -> None:
        self._check_words()
        for event in (*self.events, self.remarks):
            self._check_event(event)
        for name in ("remark_probability", "name_probability"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise WorldError(f"{name} is {value!r}; make it a number between 0 and 1.")
        if len(self.names[WOMAN]) != len(self.names[MAN]):
            raise WorldError("There are more names of one gender; give as many of women as of men.")
        if not 2 <= self.shortest <= self.longest <= len(self.events):
            raise WorldError(
                f"Documents of {self.shortest} to {self.longest} events do not fit a day of "
                f"{len(self.events)}; use 2 events or more, and no more than the day has."
            )

    def _check_words(self) -> None:
        """Raise WorldError unless all that fills a place is there, and is one word each."""
        fills = {"names of women": self.names[WOMAN], "names of men": self.names[MAN], **self.slots}
        for attribute in self.attributes.values():
            fills |= {f"{attribute.name} {key}": words for key, words in attribute.words.items()}
        for place, words in fills.items():
            if not words:
                raise WorldError(f"There are no words for {place}; write at least one.")
            if odd := [each for each in words if not WORD.fullmatch(each)]:
                raise WorldError(
                    f"{odd[0]!r} among the words for {place} is not one word of letters; write "
                    f"one, since every word is one token here."
                )

    def _check_event(self, event: Event) -> None:
        if event.attribute and event.attribute not in self.attributes:
            raise WorldError(
                f"{event.name} has attribute {event.attribute!r}, which is not defined; use one of "
                f"{', '.join(self.attributes)}."
            )
        if event is self.remarks and event.attribute:
            raise WorldError("Remarks have an attribute, but are about nobody; take it out.")
        key_words = self.attributes[event.attribute].words if event.attribute else {}
        for form in event.forms:
            written = form_text(form)
            if len(form) != event.n_tokens:
                raise WorldError(
                    f"{event.name}: {written!r} has {len(form)} tokens and the form before it "
                    f"{event.n_tokens}; all forms of an event need the same number."
                )
            places = [token.text for token in form if token.is_place]
            known = {NAME, *PRONOUNS, *key_words, *self.slots}
            if unknown := [place for place in places if place not in known]:
                raise WorldError(
                    f"{event.name}: nothing fills {{{unknown[0]}}} in {written!r}; use "
                    f"{', '.join(sorted(known))}."
                )
            if places.count(NAME) > 1:
                raise WorldError(f"{event.name}: {written!r} names the person twice; use {{he}}.")
            if event is self.remarks and {NAME, *PRONOUNS} & set(places):
                raise WorldError(f"A remark is about nobody, but {written!r} mentions a person.")

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word that a document may hold, lower-case, in alphabetical order."""
        found = {word for side in self.names for word in side}
        found |= {word for pair in PRONOUNS.values() for word in pair}
        found |= {word for fills in self.slots.values() for word in fills}
        for attribute in self.attributes.values():
            found |= {word for column in attribute.words.values() for word in column}
        for event in (*self.events, self.remarks):
            found |= {token.text for form in event.forms for token in form if not token.is_place}
        return tuple(sorted({word.lower() for word in found} - {",", "."}))

    @property
    def longest_document(self) -> int:
        """Tokens of the longest document, without special ones."""
        lengths = [max(event.n_tokens, self.remarks.n_tokens) for event in self.events]
        starts = range(len(lengths) - self.longest + 1)
        return max(sum(lengths[start : start + self.longest]) for start in starts)

    @property
    def sequence_length(self) -> int:
        """Positions that hold any document whole, as a pair with [CLS] and two [SEP]."""
        return self.longest_document + N_SPECIAL


def form_text(form: Form) -> str:
    """A form as its author wrote it, for messages.

    Example:
        >>> from albert_lib.town.world import form_text, read_form
        >>> form_text(read_form("{name} eats soup."))
        '{name} eats soup .'
    """
    return " ".join(f"{{{token.text}}}" if token.is_place else token.text for token in form)


def read_form(text: str) -> Form:
    """Split a sentence with placeholders, such as "{name} feeds the {pet}.", into its tokens.

    Raises WorldError for anything but words, placeholders, commas and full stops.

    Example:
        >>> from albert_lib.town.world import read_form
        >>> [(token.text, token.is_place) for token in read_form("{name} sleeps.")]
        [('name', True), ('sleeps', False), ('.', False)]
    """
    if rest := TOKEN.sub("", text).strip():
        raise WorldError(
            f"{text!r} holds {rest!r}; use letters, placeholders, commas and full stops."
        )
    return tuple(
        FormToken(place, is_place=True) if place else FormToken(word.lower() or mark)
        for place, word, mark in TOKEN.findall(text)
    )


def load_world(path: str | os.PathLike[str] | None = None) -> World:
    """Read a world's description; without a path, the Town's own.

    Raises WorldError naming the file when it cannot be read or contradicts itself.

    Example:
        >>> from albert_lib.town import load_world
        >>> "occupation" in load_world().attributes
        True
    """
    file = data_folder() / "town" / "town.toml" if path is None else Path(path)
    content = read_toml(file, WorldError)
    try:
        return world_from(content)
    except KeyError as problem:
        raise WorldError(f"{file} lacks {problem}; data/town/README.md lists the keys.") from None
    except (TypeError, IndexError, AttributeError, ValueError) as problem:
        if isinstance(problem, WorldError):
            raise WorldError(f"{file}: {problem}") from None
        raise WorldError(
            f"{file} is not laid out like a world ({problem}); data/town/README.md lists the keys."
        ) from None


def world_from(content: Mapping[str, Any]) -> World:
    """Make a world of a description as TOML gives it.

    Example:
        >>> from albert_lib.town.world import world_from
        >>> events = [{"name": "meal", "forms": ["{name} eats."]}] * 2
        >>> names = {"women": ["Ada"], "men": ["Carl"]}
        >>> content = {"names": names, "attributes": {}, "events": events}
        >>> content["remarks"] = {"forms": ["It rains."]}
        >>> content["telling"] = {"shortest": 2, "longest": 2}
        >>> world_from(content).words
        ('ada', 'carl', 'eats', 'he', 'her', 'him', 'his', 'it', 'rains', 'she')
    """
    return World(
        names=(tuple(content["names"]["women"]), tuple(content["names"]["men"])),
        attributes={
            name: attribute_from(name, values) for name, values in content["attributes"].items()
        },
        slots={name: tuple(words) for name, words in content.get("slots", {}).items()},
        events=tuple(event_from(each) for each in content["events"]),
        remarks=event_from({"name": "remarks", **content["remarks"]}),
        **content.get("telling", {}),
    )


def attribute_from(name: str, values: Sequence[Mapping[str, Any]]) -> Attribute:
    """Make an attribute of its values; weight is 1 and lean 0 unless they are given.

    Example:
        >>> from albert_lib.town.world import attribute_from
        >>> attribute_from("pet", [{"pet": "cat"}, {"pet": "dog", "lean": 1.0}]).leans.tolist()
        [0.0, 1.0]
    """
    keys = [key for key in values[0] if key not in ("weight", "lean")]
    return Attribute(
        name,
        {key: tuple(value[key] for value in values) for key in keys},
        np.array([value.get("weight", 1.0) for value in values], dtype=np.float64),
        np.array([value.get("lean", 0.0) for value in values], dtype=np.float64),
    )


def event_from(content: Mapping[str, Any]) -> Event:
    """Make an event of its description.

    Example:
        >>> from albert_lib.town.world import event_from
        >>> event_from({"name": "meal", "forms": ["{name} eats soup."]}).n_tokens
        4
    """
    forms = tuple(read_form(text) for text in content["forms"])
    if not forms:
        raise WorldError(f"{content['name']} has no forms; write at least one.")
    return Event(content["name"], forms, content.get("attribute"))
