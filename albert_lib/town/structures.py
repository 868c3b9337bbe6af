"""Which events two segments may tell, and in which order, judged by their lengths alone.

A pair of segments is made by choosing a stretch of the day, which of its sentences are remarks,
where the stretch is cut in two, and whether the two are swapped. Every event's sentences have one
length, so of all these choices only a few fit the lengths of the segments in hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from albert_lib.town.town import all_stretches
from albert_lib.town.world import World

REMARK = -1  # in place of an event's number


@dataclass(frozen=True)
class Told:
    """One sentence of a pair: where it begins, what it tells, whether it must name the person."""

    offset: int  # pieces from the beginning of the sequence, [CLS] being 0
    event: int
    is_first: bool  # about the person


@dataclass(frozen=True)
class Structure:
    """One way a pair may have come about, and how likely it is before anything is read."""

    probability: float
    swapped: bool
    sentences: tuple[Told, ...]  # in the order of the document


def structures_by_lengths(world: World) -> dict[tuple[int, int], list[Structure]]:
    """Every structure there is, by the lengths of the segment written first and of the other."""
    found: dict[tuple[int, int], list[Structure]] = defaultdict(list)
    for events, probability in all_tellings(world):
        lengths = [
            world.remarks.pieces if event == REMARK else world.events[event].pieces
            for event in events
        ]
        for cut in range(1, len(events)):
            for swapped in (False, True):
                parts = [range(cut), range(cut, len(events))]
                first, second = reversed(parts) if swapped else parts
                offsets = {}
                position = 1  # after [CLS]
                for part in (first, second):
                    for number in part:
                        offsets[number] = position
                        position += lengths[number]
                    position += 1  # [SEP]
                sizes = sum(lengths[i] for i in first), sum(lengths[i] for i in second)
                share = probability / (len(events) - 1) / 2
                found[sizes].append(Structure(share, swapped, told(events, offsets)))
    return dict(found)


def all_tellings(world: World) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield every choice of events and remarks that a document may be made of, and its share."""
    stretches = list(all_stretches(world))
    of_remark = world.remark_probability
    for start, length in stretches:
        for is_remark in product((False, True), repeat=length):
            share = 1 / len(stretches)
            for each in is_remark:
                share *= of_remark if each else 1 - of_remark
            if share > 0:
                yield (
                    tuple(
                        REMARK if each else start + place for place, each in enumerate(is_remark)
                    ),
                    share,
                )


def told(events: tuple[int, ...], offsets: dict[int, int]) -> tuple[Told, ...]:
    """The sentences of a telling at their places."""
    about_person = [number for number, event in enumerate(events) if event != REMARK]
    return tuple(
        Told(offsets[number], event, about_person[:1] == [number])
        for number, event in enumerate(events)
    )
