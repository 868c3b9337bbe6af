"""The Town tells its days: documents drawn from a stated probability model, as many as wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int

from albert_lib.errors import ConfigError
from albert_lib.text import AlbertTokenizer
from albert_lib.town.tables import NOTHING, EventTable, Words
from albert_lib.town.tokenizer import town_tokenizer
from albert_lib.town.world import GENDERS, MAN, WOMAN, World, load_world

TALES_AT_ONCE = 2048  # drawn together, by a generator of their own


@dataclass(frozen=True)
class Tale:
    """One document, and whom it is about."""

    sentences: tuple[str, ...]
    name: str
    gender: str  # "woman" or "man"
    attributes: Mapping[str, int]  # the number of the value of each


@dataclass(frozen=True, eq=False)
class Draws:
    """Everything that chance decides about some tales; the telling follows from it."""

    start: Int[np.ndarray, " tales"]  # the first event
    length: Int[np.ndarray, " tales"]  # how many events
    gender: Int[np.ndarray, " tales"]
    name: Int[np.ndarray, " tales"]
    values: Mapping[str, Int[np.ndarray, " tales"]]
    is_remark: Bool[np.ndarray, "tales sentences"]
    form: Float64[np.ndarray, "tales sentences"]  # uniform; times the number of forms
    name_again: Bool[np.ndarray, "tales sentences"]
    slots: Float64[np.ndarray, "tales sentences pieces"]  # uniform; times the number of words

    def __len__(self) -> int:
        return len(self.start)

    def twins(self) -> Draws:
        """The same days of people who differ in their gender alone: other name, other pronouns."""
        return replace(self, gender=MAN + WOMAN - self.gender)


class Town:
    """A town with a dial: `bias` says how far the occupation hangs on the gender, from 0 to 1.

    Everything else about a person is drawn the same way for all. Tale i depends on (bias, seed,
    i) alone. Raises ConfigError for a bias outside 0 … 1.
    """

    def __init__(self, bias: float = 0.0, *, seed: int = 0, world: World | None = None) -> None:
        if not 0 <= bias <= 1:
            raise ConfigError(f"bias is {bias}; turn the dial between 0 (none) and 1 (full).")
        if seed < 0:
            raise ConfigError(f"seed is {seed}, but a seed must not be negative; use 0 or more.")
        self.bias = bias
        self.seed = seed
        self.world = load_world() if world is None else world
        self.tokenizer: AlbertTokenizer = town_tokenizer(self.world.words)

    def probabilities(self, attribute: str) -> Float64[np.ndarray, "genders values"]:
        """P(value | gender) of an attribute: women's row first."""
        return self.world.attributes[attribute].probabilities(self.bias)

    def gaps(self, attribute: str = "occupation") -> Float64[np.ndarray, " values"]:
        """The true log P(value | man) − log P(value | woman), in nats."""
        women, men = np.log(self.probabilities(attribute))
        return np.asarray(men - women)

    # -- telling

    def documents(self, n: int, *, with_twins: bool = False) -> Iterator[list[str]]:
        """Yield `n` documents, each a list of sentences, as any other corpus gives them.

        `with_twins` follows each with the same day of its person's twin of the other gender:
        counterfactual augmentation, 2 n documents in all.
        """
        for draws in self._draw(n):
            told = [self._write(draws)]
            if with_twins:
                told.append(self._write(draws.twins()))
            for versions in zip(*told, strict=True):
                yield from map(list, versions)

    def tales(self, n: int) -> Iterator[Tale]:
        """Yield `n` documents together with the person each is about."""
        for draws in self._draw(n):
            for i, sentences in enumerate(self._write(draws)):
                gender = int(draws.gender[i])
                yield Tale(
                    tuple(sentences),
                    self.world.names[gender][draws.name[i]],
                    GENDERS[gender],
                    {name: int(values[i]) for name, values in draws.values.items()},
                )

    def _draw(self, n: int) -> Iterator[Draws]:
        for first in range(0, n, TALES_AT_ONCE):
            rng = np.random.default_rng((self.seed, first // TALES_AT_ONCE))
            drawn = self._draw_some(rng, TALES_AT_ONCE)
            yield drawn if first + len(drawn) <= n else shortened(drawn, n - first)

    def _draw_some(self, rng: np.random.Generator, n: int) -> Draws:
        world = self.world
        stretches = np.array(list(all_stretches(world)))
        start, length = stretches[rng.integers(len(stretches), size=n)].T
        gender = rng.integers(2, size=n)
        values = {}
        for name in world.attributes:
            bounds = self.probabilities(name).cumsum(axis=1)[gender, :-1]
            values[name] = (rng.random((n, 1)) >= bounds).sum(axis=1)
        shape = (n, world.longest)
        return Draws(
            start=start,
            length=length,
            gender=gender,
            name=rng.integers(len(world.names[WOMAN]), size=n),
            values=values,
            is_remark=rng.random(shape) < world.remark_probability,
            form=rng.random(shape),
            name_again=rng.random(shape) < world.name_probability,
            slots=rng.random((*shape, self._most_pieces)),
        )

    @cached_property
    def words(self) -> Words:
        """The piece ids of everything that can fill a place."""
        return Words(self.world, self.piece_id)

    def piece_id(self, word: str) -> int:
        """The id of the piece that a lower-case word, a comma or a full stop is."""
        return self.tokenizer.piece_id(word if word in ".," else f"▁{word}")

    @cached_property
    def tables(self) -> list[EventTable]:
        """One an event, and one of the remarks last."""
        told = (*self.world.events, self.world.remarks)
        return [EventTable(event, self.words) for event in told]

    @property
    def _most_pieces(self) -> int:
        return max(event.pieces for event in (*self.world.events, self.world.remarks))

    @cached_property
    def _written(self) -> list[str]:
        """How every piece is written inside a sentence, the space before it included."""
        written = [piece.replace("▁", " ") for piece in self.tokenizer.vocabulary.pieces]
        for name in (name for side in self.world.names for name in side):
            written[self.piece_id(name.lower())] = f" {name}"
        return written

    def _write(self, draws: Draws) -> list[list[str]]:
        documents: list[list[str]] = [[""] * int(length) for length in draws.length]
        is_told = np.arange(self.world.longest) < draws.length[:, None]
        names_first = is_first(~draws.is_remark & is_told)
        event = np.where(
            draws.is_remark,
            len(self.world.events),
            draws.start[:, None] + np.arange(self.world.longest),
        )
        for number, table in enumerate(self.tables):
            tale, place = np.nonzero(is_told & (event == number))
            says_name = (names_first | draws.name_again)[tale, place]
            ids = self._sentences(table, draws, tale, place, says_name)
            for i, j, pieces in zip(tale.tolist(), place.tolist(), ids.tolist(), strict=True):
                sentence = "".join([self._written[piece] for piece in pieces])
                documents[i][j] = sentence[1].upper() + sentence[2:]
        return documents

    def _sentences(
        self,
        table: EventTable,
        draws: Draws,
        tale: Int[np.ndarray, " sentences"],
        place: Int[np.ndarray, " sentences"],
        says_name: Bool[np.ndarray, " sentences"],
    ) -> Int[np.ndarray, "sentences pieces"]:
        """The pieces of some sentences that all tell one event."""
        words, gender = self.words, draws.gender[tale]
        form = (draws.form[tale, place] * len(table.fixed)).astype(np.int64)
        ids = np.array(table.fixed[form])
        name = np.where(says_name, words.names[gender, draws.name[tale]], words.he[gender])
        ids = np.where(table.is_name[form], name[:, None], ids)
        row, column = np.nonzero(table.pronoun[form] != NOTHING)
        ids[row, column] = words.pronouns[table.pronoun[form[row], column], gender[row]]
        row, column = np.nonzero(table.slot[form] != NOTHING)
        slot = table.slot[form[row], column]
        drawn = draws.slots[tale[row], place[row], column] * words.slot_sizes[slot]
        ids[row, column] = words.slot_words[slot, drawn.astype(np.int64)]
        if table.event.attribute is not None:
            row, column = np.nonzero(table.key[form] != NOTHING)
            value = draws.values[table.event.attribute][tale[row]]
            ids[row, column] = table.key_words[table.key[form[row], column], value]
        return ids


def all_stretches(world: World) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a day that a document may tell: first event, number of events."""
    for length in range(world.shortest, world.longest + 1):
        for start in range(len(world.events) - length + 1):
            yield start, length


def is_first(flags: Bool[np.ndarray, "rows places"]) -> Bool[np.ndarray, "rows places"]:
    """Of the flags that are set in each row, the first one alone."""
    return np.asarray(flags & (flags.cumsum(axis=1) == 1))


def shortened(draws: Draws, n: int) -> Draws:
    """The first `n` of some draws."""
    values = {name: value[:n] for name, value in draws.values.items()}
    rest = {
        name: getattr(draws, name)[:n] for name in Draws.__dataclass_fields__ if name != "values"
    }
    return Draws(values=values, **rest)
