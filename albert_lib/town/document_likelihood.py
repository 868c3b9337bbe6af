"""How well a whole pair of segments fits each hypothesis of how it has come about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain

import numpy as np
import torch
from jaxtyping import Float64, Int
from torch import Tensor

from albert_lib.town.event_likelihood import EventLikelihood, Evidence
from albert_lib.town.hypotheses import REMARK, Hypothesis
from albert_lib.town.polynomials import Polynomial, one, times
from albert_lib.town.town import Town

REMARKS = "remarks"
NO_ATTRIBUTE = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """The hypotheses that fit one pair of lengths, with their sentences sorted by topic.

    A topic is an attribute, "" for events without one, or "remarks". `sentences[topic]` has a row
    (offset, event, is_first) for each different sentence; `numbers[topic]` says which of these
    rows each hypothesis has, −1 where it has no more.
    """

    prior: Float64[np.ndarray, " hypotheses"]
    swapped: Float64[np.ndarray, " hypotheses"]
    sentences: dict[str, Int[np.ndarray, "sentences 3"]]
    numbers: dict[str, Int[np.ndarray, "hypotheses most"]]


def make_plan(hypotheses: Sequence[Hypothesis], topics: dict[int, str]) -> Plan:
    """Sort the sentences of some hypotheses; `topics` gives the topic of each event's number.

    Example:
        >>> from albert_lib.town.document_likelihood import make_plan
        >>> from albert_lib.town.hypotheses import Hypothesis, PlacedSentence
        >>> work, lunch = PlacedSentence(1, 0, True), PlacedSentence(6, 1, False)
        >>> plan = make_plan([Hypothesis(1.0, False, (work, lunch))], {0: "occupation", 1: ""})
        >>> plan.sentences["occupation"].tolist(), plan.numbers["occupation"].tolist()
        ([[1, 0, 1]], [[0]])
    """
    sentences, numbers = {}, {}
    for topic in set(topics.values()):
        on_topic = [[s for s in each.sentences if topics[s.event] == topic] for each in hypotheses]
        different = {sentence: i for i, sentence in enumerate(dict.fromkeys(chain(*on_topic)))}
        most = max(map(len, on_topic))
        rows = [[different[s] for s in each] + [-1] * (most - len(each)) for each in on_topic]
        numbers[topic] = np.array(rows, dtype=np.int64).reshape(len(hypotheses), most)
        columns = [(s.offset, s.event, s.is_first) for s in different]
        sentences[topic] = np.array(columns, dtype=np.int64).reshape(-1, 3)
    return Plan(
        np.array([each.probability for each in hypotheses]),
        np.array([each.swapped for each in hypotheses], dtype=np.float64),
        sentences,
        numbers,
    )


class DocumentLikelihood:
    """P(what is visible, hypothesis) for the sequences of a batch, summed over people and words."""

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

    def plan(self, hypotheses: Sequence[Hypothesis]) -> Plan:
        """Sort the sentences of some hypotheses by this town's topics."""
        return make_plan(hypotheses, self.topics)

    def __call__(
        self, evidence: Evidence, plans: Sequence[Plan]
    ) -> Float64[Tensor, "hypotheses degrees"]:
        """The polynomials of all plans' hypotheses, one plan a sequence, in a row."""
        prior = torch.from_numpy(np.concatenate([plan.prior for plan in plans]))
        people: Polynomial | None = None  # (hypotheses, genders, names, degrees)
        for topic, probabilities in self.values.items():
            product = self._product(evidence, plans, topic)
            if product is None:
                continue
            product = (product * probabilities[None, :, None, :, None]).sum(dim=3)
            people = product if people is None else times(people, product)
        remarks = self._product(evidence, plans, REMARKS)
        factors = [people.mean(dim=(1, 2))] if people is not None else []
        factors += [remarks] if remarks is not None else []
        return reduce(times, factors) * prior[:, None]

    def _product(self, evidence: Evidence, plans: Sequence[Plan], topic: str) -> Polynomial | None:
        """The product of a topic's sentences in every hypothesis; None if none has any."""
        rows = self._rows(evidence, plans, topic)
        if rows is None:
            return None
        nothing = one(evidence.degrees).expand(1, *rows.shape[1:])
        rows = torch.cat([rows, nothing])
        columns = concatenate_numbers([p.numbers[topic] for p in plans], len(rows) - 1)
        return reduce(times, [rows.index_select(0, column) for column in columns.unbind(dim=1)])

    def _rows(self, evidence: Evidence, plans: Sequence[Plan], topic: str) -> Polynomial | None:
        """The sentences of a topic in all plans, in a row."""
        sentences = np.concatenate([plan.sentences[topic] for plan in plans])
        if not len(sentences):
            return None
        sequence = np.repeat(np.arange(len(plans)), [len(p.sentences[topic]) for p in plans])
        begin = torch.from_numpy(evidence.begin(sequence, sentences[:, 0]))
        if topic == REMARKS:
            return self.events[-1].remarks(evidence, begin)
        parts, places = [], []
        for event in np.unique(sentences[:, 1]):
            rows = np.flatnonzero(sentences[:, 1] == event)
            different, which = torch.unique(begin[rows], return_inverse=True)
            named_or_either = self.events[event](evidence, different)
            either = torch.from_numpy(1 - sentences[rows, 2])  # 0 where the name must be given
            parts.append(named_or_either.flatten(0, 1).index_select(0, 2 * which + either))
            places.append(rows)
        back = torch.from_numpy(np.argsort(np.concatenate(places)))
        return torch.cat(parts).index_select(0, back)


def concatenate_numbers(
    numbers: Sequence[Int[np.ndarray, "_ _"]], nothing: int
) -> Int[Tensor, "all_hypotheses most"]:
    """Tables of sentence numbers under one another, counted on from plan to plan; −1: `nothing`.

    Example:
        >>> import numpy as np
        >>> from albert_lib.town.document_likelihood import concatenate_numbers
        >>> tables = [np.array([[0, 1], [1, -1]]), np.array([[0]])]
        >>> concatenate_numbers(tables, nothing=3).tolist()
        [[0, 1], [1, 3], [2, 3]]
    """
    most = max(each.shape[1] for each in numbers)
    counted, first = [], 0
    for each in numbers:
        padded = np.full((len(each), most), nothing)
        padded[:, : each.shape[1]] = np.where(each < 0, nothing, each + first)
        counted.append(padded)
        first += int(each.max(initial=-1)) + 1
    return torch.from_numpy(np.concatenate(counted))
