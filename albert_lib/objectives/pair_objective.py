"""What a pair of segments is to teach: its order (SOP), that it belongs together (NSP), or nothing.

The paper's Table 5 compares the three. Sentence-order prediction is ALBERT's; next-sentence
prediction is BERT's (Devlin et al., 2018, section 3.1): half of the pairs have a second segment
from elsewhere, and the segments that belong together stand in order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from albert_lib.objectives.segments import PairPlan, trimmed_lengths

PairObjective = Literal["sop", "nsp", "none"]
"""What a model is asked about a pair: its order, whether it belongs together, or nothing."""


def order_pair(
    first: list[int], second: list[int], rng: np.random.Generator
) -> tuple[list[int], list[int], int]:
    """Two neighbouring stretches of text as a question of order: segment A, segment B, label.

    Label 0: in order, A is the stretch that comes first in the document. Label 1: swapped. Each
    has probability one half whatever the segments are, so neither their lengths nor their words
    tell the label; only their order does. `SegmentPairs` does the same for a whole block.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> [order_pair([14, 2517], [160, 5784], rng) for _ in range(2)]
        [([14, 2517], [160, 5784], 0), ([160, 5784], [14, 2517], 1)]
    """
    swapped = rng.random() < 0.5
    return (second, first, 1) if swapped else (first, second, 0)


def for_objective(plan: PairPlan, objective: PairObjective, max_tokens: int) -> PairPlan:
    """The same pairs as an objective wants them; `swapped` is its label.

    "sop": as they are, half of them swapped. "nsp": in order; where they were swapped the second
    segment is that of the next pair in the plan, cut at its end to fit, which presumes a plan in
    shuffled order. "none": in order, all labels 0.

    Example:
        >>> plan = PairPlan(*(np.array([n]) for n in (2, 5, 0, 2)), swapped=np.array([True]))
        >>> unswapped = for_objective(plan, "none", max_tokens=9)
        >>> unswapped.first_start.tolist(), unswapped.swapped.tolist()
        ([0], [False])
    """
    if objective == "sop" or not len(plan):
        return plan
    unswapped = in_order(plan)
    if objective == "none":
        return replace(unswapped, swapped=np.zeros_like(plan.swapped))
    elsewhere = np.roll(np.arange(len(plan)), -1)
    source = np.where(plan.swapped, elsewhere, np.arange(len(plan)))
    second_start = unswapped.second_start[source]
    first_length, second_length = trimmed_lengths(
        unswapped.first_end - unswapped.first_start,
        unswapped.second_end[source] - second_start,
        max_tokens,
    )
    return PairPlan(
        unswapped.first_end - first_length,
        unswapped.first_end,
        second_start,
        second_start + second_length,
        plan.swapped,
    )


def in_order(plan: PairPlan) -> PairPlan:
    """The pairs as they stand in their documents; `swapped` still says which were not.

    Example:
        >>> plan = PairPlan(*(np.array([n]) for n in (2, 5, 0, 2)), swapped=np.array([True]))
        >>> in_order(plan).first_start, in_order(plan).second_start
        (array([0]), array([2]))
    """
    swapped = plan.swapped
    return PairPlan(
        np.where(swapped, plan.second_start, plan.first_start),
        np.where(swapped, plan.second_end, plan.first_end),
        np.where(swapped, plan.first_start, plan.second_start),
        np.where(swapped, plan.first_end, plan.second_end),
        swapped,
    )
