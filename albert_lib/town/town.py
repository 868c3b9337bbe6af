"""The Town's documents, drawn from a stated probability model, as many as wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int

from albert_lib.errors import ConfigError
from albert_lib.text import AlbertTokenizer
from albert_lib.town.tables import MISSING, EventTable, Words
from albert_lib.town.tokenizer import town_tokenizer
from albert_lib.town.world import GENDER_NAMES, MAN, WOMAN, World, load_world

DOCUMENTS_AT_ONCE = 2048  # drawn together, by a generator of their own


@dataclass(frozen=True)
class TownDocument:
    """One document, and whom it is about.

    Example:
        >>> from albert_lib.town import Town
        >>> (document,) = Town(bias=1.0, seed=1).labelled_documents(1)
        >>> document.gender in ("woman", "man"), sorted(document.attributes)[0]
        (True, 'home')
    """

    sentences: tuple[str, ...]
    name: str
    gender: str  # "woman" or "man"
    attributes: Mapping[str, int]  # the number of the value of each


@dataclass(frozen=True, eq=False)
class Draws:
    """Everything that is random about some documents; their text follows from it."""

    start: Int[np.ndarray, " documents"]  # the first event
    length: Int[np.ndarray, " documents"]  # how many events
    gender: Int[np.ndarray, " documents"]
    name: Int[np.ndarray, " documents"]
    values: Mapping[str, Int[np.ndarray, " documents"]]
    is_remark: Bool[np.ndarray, "documents sentences"]
    form: Float64[np.ndarray, "documents sentences"]  # uniform; times the number of forms
    name_again: Bool[np.ndarray, "documents sentences"]
    slots: Float64[np.ndarray, "documents sentences tokens"]  # uniform; times the number of words

    def __len__(self) -> int:
        return len(self.start)

    def counterfactuals(self) -> Draws:
        """The same days of people who differ in gender alone: other names, other pronouns."""
        return replace(self, gender=MAN + WOMAN - self.gender)


class Town:
    """A town with a dial: `bias` says how far the occupation depends on the gender, from 0 to 1.

    Everything else about a person is drawn the same way for all. Document i depends on (bias,
    seed, i) alone. Raises ConfigError for a bias outside 0 … 1 or a negative seed.

    Example:
        >>> from albert_lib.town import Town
        >>> town = Town(bias=1.0, seed=6)
        >>> (document,) = town.documents(1)
        >>> 3 <= len(document) <= 5, all(sentence.endswith(".") for sentence in document)
        (True, True)
    """

    def __init__(self, bias: float = 0.0, *, seed: int = 0, world: World | None = None) -> None:
        if not 0 <= bias <= 1:
            raise ConfigError(f"bias is {bias}; set it between 0 (none) and 1 (full).")
        if seed < 0:
            raise ConfigError(f"seed is {seed}; use a whole number of at least 0.")
        self.bias = bias
        self.seed = seed
        self.world = load_world() if world is None else world
        self.tokenizer: AlbertTokenizer = town_tokenizer(self.world.words)

    def probabilities(self, attribute: str) -> Float64[np.ndarray, "genders values"]:
        """P(value | gender) of an attribute: women's row first.

        Example:
            >>> from albert_lib.town import Town
            >>> Town(bias=1.0).probabilities("occupation").sum(axis=1).round(9).tolist()
            [1.0, 1.0]
        """
        return self.world.attributes[attribute].probabilities(self.bias)

    def gaps(self, attribute: str = "occupation") -> Float64[np.ndarray, " values"]:
        """The true log P(value | man) − log P(value | woman), in nats.

        Example:
            >>> from albert_lib.town import Town
            >>> gaps = Town(bias=0.5).gaps()
            >>> float(gaps.max().round(9)), float(gaps.min().round(9))
            (1.5, -1.5)
        """
        women, men = np.log(self.probabilities(attribute))
        return np.asarray(men - women)

    def documents(self, n: int, *, with_counterfactuals: bool = False) -> Iterator[list[str]]:
        """Yield `n` documents, each a list of sentences, like any other corpus.

        With `with_counterfactuals` each is followed by its counterfactual, the same day of a person
        of the other gender: counterfactual data augmentation, 2 n documents in all.

        Example:
            >>> from albert_lib.town import Town
            >>> own, other = Town(seed=1).documents(1, with_counterfactuals=True)
            >>> len(own) == len(other), own != other
            (True, True)
        """
        for draws in self._draw(n):
            versions_of_all = [self._write(draws)]
            if with_counterfactuals:
                versions_of_all.append(self._write(draws.counterfactuals()))
            for versions in zip(*versions_of_all, strict=True):
                yield from map(list, versions)

    def labelled_documents(self, n: int) -> Iterator[TownDocument]:
        """Yield `n` documents together with the person each is about; texts as `documents`.

        Example:
            >>> from albert_lib.town import Town
            >>> town = Town(bias=1.0, seed=6)
            >>> document = next(town.labelled_documents(1))
            >>> list(document.sentences) == next(town.documents(1))
            True
        """
        for draws in self._draw(n):
            for i, sentences in enumerate(self._write(draws)):
                gender = int(draws.gender[i])
                yield TownDocument(
                    tuple(sentences),
                    self.world.names[gender][draws.name[i]],
                    GENDER_NAMES[gender],
                    {name: int(values[i]) for name, values in draws.values.items()},
                )

    def _draw(self, n: int) -> Iterator[Draws]:
        for first in range(0, n, DOCUMENTS_AT_ONCE):
            rng = np.random.default_rng((self.seed, first // DOCUMENTS_AT_ONCE))
            drawn = self._draw_some(rng, DOCUMENTS_AT_ONCE)
            yield drawn if first + len(drawn) <= n else first_draws(drawn, n - first)

    def _draw_some(self, rng: np.random.Generator, n: int) -> Draws:
        world = self.world
        ranges = np.array(list(all_event_ranges(world)))
        start, length = ranges[rng.integers(len(ranges), size=n)].T
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
            slots=rng.random((*shape, self._most_tokens)),
        )

    @cached_property
    def words(self) -> Words:
        """The token ids of everything that can fill a place."""
        return Words(self.world, self.token_id)

    def token_id(self, word: str) -> int:
        """The id of the token that a lower-case word, a comma or a full stop is.

        Example:
            >>> from albert_lib.town import Town
            >>> town = Town()
            >>> town.tokenizer.id_to_piece(town.token_id("baker"))
            '▁baker'
        """
        return self.tokenizer.piece_id(word if word in ".," else f"▁{word}")

    @cached_property
    def tables(self) -> list[EventTable]:
        """One for every event, and one for the remarks last."""
        events = (*self.world.events, self.world.remarks)
        return [EventTable(event, self.words) for event in events]

    @property
    def _most_tokens(self) -> int:
        return max(event.n_tokens for event in (*self.world.events, self.world.remarks))

    @cached_property
    def _written(self) -> list[str]:
        """How every token is written inside a sentence, the space before it included."""
        written = [token.replace("▁", " ") for token in self.tokenizer.vocabulary.pieces]
        for name in (name for side in self.world.names for name in side):
            written[self.token_id(name.lower())] = f" {name}"
        return written

    def _write(self, draws: Draws) -> list[list[str]]:
        documents: list[list[str]] = [[""] * int(length) for length in draws.length]
        is_used = np.arange(self.world.longest) < draws.length[:, None]
        names_first = is_first_true(~draws.is_remark & is_used)
        event = np.where(
            draws.is_remark,
            len(self.world.events),
            draws.start[:, None] + np.arange(self.world.longest),
        )
        for number, table in enumerate(self.tables):
            document, place = np.nonzero(is_used & (event == number))
            says_name = (names_first | draws.name_again)[document, place]
            ids = self._sentences(table, draws, document, place, says_name)
            for i, j, tokens in zip(document.tolist(), place.tolist(), ids.tolist(), strict=True):
                sentence = "".join([self._written[token] for token in tokens])
                documents[i][j] = sentence[1].upper() + sentence[2:]
        return documents

    def _sentences(
        self,
        table: EventTable,
        draws: Draws,
        document: Int[np.ndarray, " sentences"],
        place: Int[np.ndarray, " sentences"],
        says_name: Bool[np.ndarray, " sentences"],
    ) -> Int[np.ndarray, "sentences tokens"]:
        """The token ids of some sentences that all have one event."""
        words, gender = self.words, draws.gender[document]
        form = (draws.form[document, place] * len(table.fixed)).astype(np.int64)
        ids = np.array(table.fixed[form])
        name = np.where(says_name, words.names[gender, draws.name[document]], words.he[gender])
        ids = np.where(table.is_name[form], name[:, None], ids)
        row, column = np.nonzero(table.pronoun[form] != MISSING)
        ids[row, column] = words.pronouns[table.pronoun[form[row], column], gender[row]]
        row, column = np.nonzero(table.slot[form] != MISSING)
        slot = table.slot[form[row], column]
        drawn = draws.slots[document[row], place[row], column] * words.slot_sizes[slot]
        ids[row, column] = words.slot_words[slot, drawn.astype(np.int64)]
        if table.event.attribute is not None:
            row, column = np.nonzero(table.key[form] != MISSING)
            value = draws.values[table.event.attribute][document[row]]
            ids[row, column] = table.key_words[table.key[form[row], column], value]
        return ids


def all_event_ranges(world: World) -> Iterator[tuple[int, int]]:
    """Yield the consecutive events that a document may have: the first, and how many.

    Example:
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> from albert_lib.town.town import all_event_ranges
        >>> list(all_event_ranges(load_hamlet()))  # 3 of 4 events
        [(0, 3), (1, 3)]
    """
    for length in range(world.shortest, world.longest + 1):
        for start in range(len(world.events) - length + 1):
            yield start, length


def is_first_true(flags: Bool[np.ndarray, "rows places"]) -> Bool[np.ndarray, "rows places"]:
    """Of the flags that are set in each row, the first one alone.

    Example:
        >>> import numpy as np
        >>> from albert_lib.town.town import is_first_true
        >>> is_first_true(np.array([[False, True, True]])).tolist()
        [[False, True, False]]
    """
    return np.asarray(flags & (flags.cumsum(axis=1) == 1))


def first_draws(draws: Draws, n: int) -> Draws:
    """The first `n` of some draws."""
    values = {name: value[:n] for name, value in draws.values.items()}
    rest = {
        name: getattr(draws, name)[:n] for name in Draws.__dataclass_fields__ if name != "values"
    }
    return Draws(values=values, **rest)
