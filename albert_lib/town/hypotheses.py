"""The hypotheses of the ideal reader: how a pair of segments of given lengths may have come about.

A pair of segments is made by choosing consecutive events of the day, which of its sentences are
remarks, where the document is split in two, and whether the two are swapped. Every event's
sentences have one length, so of all these choices only a few fit the lengths of the segments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from albert_lib.town.town import all_event_ranges
from albert_lib.town.world import World

REMARK = -1  # in place of an event's number


@dataclass(frozen=True)
class PlacedSentence:
    """One sentence of a pair: where it begins, its event, whether it must name the person."""

    offset: int  # tokens from the beginning of the sequence, [CLS] being 0
    event: int
    is_first: bool  # about the person


@dataclass(frozen=True)
class Hypothesis:
    """One way a pair may have come about, with its prior probability."""

    probability: float
    swapped: bool
    sentences: tuple[PlacedSentence, ...]  # in the order of the document


def hypotheses_by_lengths(world: World) -> dict[tuple[int, int], list[Hypothesis]]:
    """Every hypothesis, by the lengths of the first and the second segment in tokens.

    Example:
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> from albert_lib.town.hypotheses import hypotheses_by_lengths
        >>> found = hypotheses_by_lengths(load_hamlet())
        >>> round(sum(each.probability for some in found.values() for each in some), 9)
        1.0
    """
    found: dict[tuple[int, int], list[Hypothesis]] = defaultdict(list)
    for events, probability in event_sequences(world):
        lengths = [
            world.remarks.n_tokens if event == REMARK else world.events[event].n_tokens
            for event in events
        ]
        for cut in range(1, len(events)):
            for swapped in (False, True):
                parts = [range(cut), range(cut, len(events))]
                first, second = reversed(parts) if swapped else parts
                sizes = sum(lengths[i] for i in first), sum(lengths[i] for i in second)
                sentences = placed_sentences(events, sentence_offsets(lengths, first, second))
                prior = probability / (len(events) - 1) / 2
                found[sizes].append(Hypothesis(prior, swapped, sentences))
    return dict(found)


def event_sequences(world: World) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield every sequence of events and remarks that a document may have, and its probability.

    Example:
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> from albert_lib.town.hypotheses import event_sequences
        >>> dict(event_sequences(load_hamlet(remark_probability=0.0)))
        {(0, 1, 2): 0.5, (1, 2, 3): 0.5}
    """
    ranges = list(all_event_ranges(world))
    of_remark = world.remark_probability
    for start, length in ranges:
        for is_remark in product((False, True), repeat=length):
            probability = 1 / len(ranges)
            for each in is_remark:
                probability *= of_remark if each else 1 - of_remark
            if probability > 0:
                numbered = enumerate(is_remark, start)
                yield tuple(REMARK if each else event for event, each in numbered), probability


def sentence_offsets(
    lengths: Sequence[int], first: Sequence[int], second: Sequence[int]
) -> dict[int, int]:
    """Where each sentence begins, when [CLS] and two segments with a [SEP] each are in a row.

    Example:
        >>> from albert_lib.town.hypotheses import sentence_offsets
        >>> sentence_offsets([4, 5, 6], first=[1, 2], second=[0])
        {1: 1, 2: 6, 0: 13}
    """
    offsets = {}
    position = 1  # after [CLS]
    for segment in (first, second):
        for number in segment:
            offsets[number] = position
            position += lengths[number]
        position += 1  # [SEP]
    return offsets


def placed_sentences(events: Sequence[int], offsets: dict[int, int]) -> tuple[PlacedSentence, ...]:
    """The sentences of a document at their offsets; the first about the person must name them.

    Example:
        >>> from albert_lib.town.hypotheses import REMARK, placed_sentences
        >>> [each.is_first for each in placed_sentences([REMARK, 4, 5], {0: 1, 1: 6, 2: 12})]
        [False, True, False]
    """
    about_person = [number for number, event in enumerate(events) if event != REMARK]
    return tuple(
        PlacedSentence(offsets[number], event, about_person[:1] == [number])
        for number, event in enumerate(events)
    )
