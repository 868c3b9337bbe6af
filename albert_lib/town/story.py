"""How well a whole pair of segments fits each way in which it may have come about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain

import numpy as np
import torch
from jaxtyping import Float64, Int
from torch import Tensor

from albert_lib.town.likelihood import EventLikelihood, Evidence
from albert_lib.town.polynomials import Polynomial, one, times
from albert_lib.town.structures import REMARK, Structure
from albert_lib.town.town import Town

REMARKS = "remarks"
NO_ATTRIBUTE = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """The structures that fit one pair of lengths, with their sentences sorted by topic.

    A topic is an attribute, "" for events without one, or "remarks". `sentences[topic]` has a row
    (offset, event, is_first) for each different sentence; `numbers[topic]` says which of these
    rows each structure tells, −1 where it tells no more.
    """

    prior: Float64[np.ndarray, " structures"]
    swapped: Float64[np.ndarray, " structures"]
    sentences: dict[str, Int[np.ndarray, "sentences 3"]]
    numbers: dict[str, Int[np.ndarray, "structures most"]]


def make_plan(structures: Sequence[Structure], topics: dict[int, str]) -> Plan:
    """Sort the sentences of some structures; `topics` gives the topic of each event's number."""
    sentences, numbers = {}, {}
    for topic in set(topics.values()):
        told = [[s for s in each.sentences if topics[s.event] == topic] for each in structures]
        different = {sentence: i for i, sentence in enumerate(dict.fromkeys(chain(*told)))}
        most = max(map(len, told))
        rows = [[different[s] for s in each] + [-1] * (most - len(each)) for each in told]
        numbers[topic] = np.array(rows, dtype=np.int64).reshape(len(structures), most)
        columns = [(s.offset, s.event, s.is_first) for s in different]
        sentences[topic] = np.array(columns, dtype=np.int64).reshape(-1, 3)
    return Plan(
        np.array([each.probability for each in structures]),
        np.array([each.swapped for each in structures], dtype=np.float64),
        sentences,
        numbers,
    )


class StoryLikelihood:
    """P(what is shown, structure), summed over people and words, for all sequences of a batch."""

    def __init__(self, town: Town) -> None:
        """Prepare the tables of every event."""
        world, words = town.world, town.words
        self.vocab_size = town.tokenizer.vocab_size
        self.words = words
        self.events = [
            EventLikelihood(table, words, self.vocab_size, world.name_probability)
            for table in town.tables
        ]
        self.topics = {
            number: event.attribute or NO_ATTRIBUTE for number, event in enumerate(world.events)
        } | {REMARK: REMARKS}
        self.values = {  # what no event speaks of does not matter
            name: torch.from_numpy(town.probabilities(name))
            for name in world.attributes
            if name in self.topics.values()
        }
        if NO_ATTRIBUTE in self.topics.values():
            self.values[NO_ATTRIBUTE] = torch.ones((2, 1), dtype=torch.float64)

    def plan(self, structures: Sequence[Structure]) -> Plan:
        """Sort the sentences of some structures by this town's topics."""
        return make_plan(structures, self.topics)

    def __call__(
        self, evidence: Evidence, plans: Sequence[Plan]
    ) -> Float64[Tensor, "structures degrees"]:
        """The polynomials of all plans' structures, one plan a sequence, in a row."""
        prior = torch.from_numpy(np.concatenate([plan.prior for plan in plans]))
        people: Polynomial | None = None  # (structures, genders, names, degrees)
        for topic, shares in self.values.items():
            told = self._told(evidence, plans, topic)
            if told is None:
                continue
            told = (told * shares[None, :, None, :, None]).sum(dim=3)
            people = told if people is None else times(people, told)
        remarks = self._told(evidence, plans, REMARKS)
        factors = [people.mean(dim=(1, 2))] if people is not None else []
        factors += [remarks] if remarks is not None else []
        return reduce(times, factors) * prior[:, None]

    def _told(self, evidence: Evidence, plans: Sequence[Plan], topic: str) -> Polynomial | None:
        """The product of a topic's sentences in every structure; None if none tells of it."""
        rows = self._rows(evidence, plans, topic)
        if rows is None:
            return None
        nothing = one(evidence.degrees).expand(1, *rows.shape[1:])
        rows = torch.cat([rows, nothing])
        columns = numbers_in_a_row([p.numbers[topic] for p in plans], len(rows) - 1).unbind(dim=1)
        return reduce(times, [rows.index_select(0, column) for column in columns])

    def _rows(self, evidence: Evidence, plans: Sequence[Plan], topic: str) -> Polynomial | None:
        """The sentences of a topic in all plans, in a row."""
        told = np.concatenate([plan.sentences[topic] for plan in plans])
        if not len(told):
            return None
        sequence = np.repeat(np.arange(len(plans)), [len(p.sentences[topic]) for p in plans])
        begin = torch.from_numpy(evidence.begin(sequence, told[:, 0]))
        if topic == REMARKS:
            return self.events[-1].remarks(evidence, begin)
        parts, places = [], []
        for event in np.unique(told[:, 1]):
            rows = np.flatnonzero(told[:, 1] == event)
            different, which = torch.unique(begin[rows], return_inverse=True)
            readings = self.events[event](evidence, different)
            must_name = torch.from_numpy(1 - told[rows, 2])  # the first reading gives the name
            parts.append(readings.flatten(0, 1).index_select(0, 2 * which + must_name))
            places.append(rows)
        back = torch.from_numpy(np.argsort(np.concatenate(places)))
        return torch.cat(parts).index_select(0, back)


def numbers_in_a_row(
    numbers: Sequence[Int[np.ndarray, "_ _"]], nothing: int
) -> Int[Tensor, "all_structures most"]:
    """Count the sentences of several plans, (structures, most) each, through; −1: `nothing`."""
    most = max(each.shape[1] for each in numbers)
    counted, first = [], 0
    for each in numbers:
        padded = np.full((len(each), most), nothing)
        padded[:, : each.shape[1]] = np.where(each < 0, nothing, each + first)
        counted.append(padded)
        first += int(each.max(initial=-1)) + 1
    return torch.from_numpy(np.concatenate(counted))
