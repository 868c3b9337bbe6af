"""Events as arrays of token ids, for drawing documents and for the ideal reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Int

from albert_lib.town.world import NAME, PRONOUNS, Event, FormToken, World

MISSING = -1
PRONOUN_PLACES = tuple(PRONOUNS)


class EventTable:
    """One event's forms, a row a form and a column a token; −1 where there is something else.

    `fixed` holds token ids, `pronoun`, `key` and `slot` the numbers of rows in `Words`.
    """

    def __init__(self, event: Event, words: Words) -> None:
        """Look up every token of the event's forms."""
        self.event = event
        keys = tuple(words.keys.get(event.attribute or "", {}))
        self.key_words: Int[np.ndarray, "keys values"] = np.array(
            [words.keys[event.attribute][key] for key in keys] if event.attribute else [],
            dtype=np.int64,
        )
        self.fixed = self._numbers(lambda token: MISSING if token.is_place else words.id(token))
        self.pronoun = self._numbers(place_in(PRONOUN_PLACES))
        self.key = self._numbers(place_in(keys))
        self.slot = self._numbers(place_in(tuple(words.slots)))
        self.is_name: Bool[np.ndarray, "forms tokens"] = self._numbers(place_in((NAME,))) == 0

    def _numbers(self, number: Callable[[FormToken], int]) -> Int[np.ndarray, "forms tokens"]:
        return np.array([[number(token) for token in form] for form in self.event.forms])


class Words:
    """The token ids of everything that can fill a placeholder."""

    def __init__(self, world: World, token_id: Callable[[str], int]) -> None:
        """`token_id` gives the id of a lower-case word or mark."""
        self.token_id = token_id
        self.names: Int[np.ndarray, "genders names"] = self._ids(world.names)
        self.pronouns: Int[np.ndarray, "places genders"] = self._ids(PRONOUNS.values())
        self.he: Int[np.ndarray, " genders"] = self.pronouns[PRONOUN_PLACES.index("he")]
        self.keys: dict[str, dict[str, Int[np.ndarray, " values"]]] = {
            name: {key: self._ids([column])[0] for key, column in attribute.words.items()}
            for name, attribute in world.attributes.items()
        }
        self.slots: dict[str, Int[np.ndarray, " fills"]] = {
            name: self._ids([fills])[0] for name, fills in world.slots.items()
        }
        self.slot_sizes = np.array([len(fills) for fills in self.slots.values()])
        self.slot_words = np.full((len(self.slots), max([1, *self.slot_sizes])), MISSING)
        for row, fills in zip(self.slot_words, self.slots.values(), strict=True):
            row[: len(fills)] = fills

    def id(self, token: FormToken) -> int:
        """The token id of a word or mark of a form that is no placeholder."""
        return self.token_id(token.text)

    def _ids(self, rows: Iterable[Sequence[str]]) -> Int[np.ndarray, "rows words"]:
        return np.array([[self.token_id(word.lower()) for word in row] for row in rows])


def place_in(names: Sequence[str]) -> Callable[[FormToken], int]:
    """A function from a token to its number among the placeholders with these names, or −1.

    Example:
        >>> from albert_lib.town.tables import place_in
        >>> from albert_lib.town.world import FormToken
        >>> number = place_in(("name", "he"))
        >>> number(FormToken("he", is_place=True)), number(FormToken("he"))
        (1, -1)
    """
    numbers = {name: number for number, name in enumerate(names)}
    return lambda token: numbers.get(token.text, MISSING) if token.is_place else MISSING
