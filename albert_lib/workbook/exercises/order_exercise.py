"""Exercise 2.5: a pair for sentence-order prediction. Its answers are random, a judge decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from albert_lib.objectives.pair_objective import order_pair
from albert_lib.workbook.exercise import Exercise, Fault, Misconception, Trial

ERROR = 1e-6  # each test refuses a right answer so often
Ids = list[int]
Pair = tuple[Ids, Ids, int]


def draw_segments(rng: np.random.Generator) -> dict[str, Any]:
    """Two segments of different ids, of one to nine tokens each, and a generator."""
    lengths = rng.integers(1, 10, size=2)
    ids = rng.permutation(np.arange(5, 30))[: lengths.sum()].tolist()
    return pair_of(ids[: lengths[0]], ids[lengths[0] :], int(rng.integers(2**31)))


def pair_of(first: Ids, second: Ids, seed: int) -> dict[str, Any]:
    """The arguments of `order_pair`."""
    return {"first": first, "second": second, "rng": np.random.default_rng(seed)}


def small_segments(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Segments of one token, of unequal and of equal length, with twelve generators each.

    Three of the twelve come twice.
    """
    segments = [([7], [8]), ([7], [8, 9, 10, 11, 12]), ([7, 8, 9, 10, 11], [12]), ([7, 8], [9, 10])]
    seeds = rng.integers(2**31, size=12).tolist()
    return [
        pair_of(list(one), list(other), seed)
        for one, other in segments
        for seed in [*seeds, *seeds[:3]]
    ]


def ordered(
    first: Ids,
    second: Ids,
    rng: np.random.Generator,
    *,
    probability: float = 0.5,
    by_length: bool = False,
    inverted: bool = False,
    label_apart: bool = False,
    own_seed: bool = False,
    no_seed: bool = False,
    equalised: bool = False,
) -> Pair:
    """`order_pair` with one part exchanged."""
    if own_seed or no_seed:
        rng = np.random.default_rng(0 if own_seed else None)
    swapped = rng.random() < probability
    if by_length:
        swapped = len(second) > len(first)
    label = int(rng.random() < 0.5) if label_apart else int(swapped)
    a, b = (second, first) if swapped else (first, second)
    if equalised and swapped:
        shorter = min(len(a), len(b))
        a, b = a[:shorter], b[:shorter]
    return a, b, 1 - label if inverted else label


def not_the_segments(trial: Trial) -> str | None:
    """Other tokens than those of the two segments."""
    first, second = trial.arguments["first"], trial.arguments["second"]
    a, b, label = trial.answer
    if label not in (0, 1):
        return f"Your label is {label!r:.20}. It is 0, in order, or 1, swapped."
    if (a, b) in ((first, second), (second, first)):
        return None
    return (
        f"Your segments are {a!s:.60} and {b!s:.60}; they should be {first} and {second}, one way "
        "round or the other, with nothing added and nothing lost."
    )


def is_swapped(trial: Trial) -> bool:
    """Whether the segments of an answer are swapped."""
    return bool(trial.answer[0] != trial.arguments["first"])


def mislabelled(trials: Sequence[Trial]) -> int:
    """How many answers have a label that does not fit their order."""
    return sum(is_swapped(trial) != bool(trial.answer[2]) for trial in trials)


def uneven(trials: Sequence[Trial]) -> bool:
    """Whether the swapped answers are not about one half, by an exact binomial test."""
    swapped = sum(map(is_swapped, trials))
    return bool(trials) and bool(stats.binomtest(swapped, len(trials), 0.5).pvalue < ERROR)


def in_lengths(trials: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """The pairs whose first segment is the longer one, and those whose first is the shorter."""
    gaps = [len(t.arguments["first"]) - len(t.arguments["second"]) for t in trials]
    pairs = list(zip(trials, gaps, strict=True))
    return [trial for trial, gap in pairs if gap > 0], [trial for trial, gap in pairs if gap < 0]


def told_by_length(trials: Sequence[Trial]) -> bool:
    """Whether pairs whose first segment is the longer, or the shorter, are swapped unevenly."""
    return any(map(uneven, in_lengths(trials)))


def repeats(trials: Sequence[Trial]) -> bool:
    """Whether the same generator gives the same answer to the same segments."""
    seen: dict[Any, Any] = {}
    for trial in trials:
        state = trial.arguments["rng"].bit_generator.state["state"]["state"]
        if seen.setdefault((state, *segments_of(trial)), trial.answer) != trial.answer:
            return False
    return True


def segments_of(trial: Trial) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The two segments of an input."""
    return tuple(trial.arguments["first"]), tuple(trial.arguments["second"])


def never_varies(trials: Sequence[Trial]) -> bool:
    """Whether no two generators give another order for the same segments."""
    orders: dict[Any, set[bool]] = defaultdict(set)
    for trial in trials:
        orders[segments_of(trial)].add(is_swapped(trial))
    return all(len(found) == 1 for found in orders.values())


def of_the_segments(trials: Sequence[Trial]) -> bool:
    """Whether every answer consists of its two segments and a label."""
    return all(not_the_segments(trial) is None for trial in trials)


def trimmed_when_swapped(trials: Sequence[Trial]) -> bool:
    """Whether segments come back whole in order, and shortened when they are swapped."""
    wrong = [trial for trial in trials if not_the_segments(trial) is not None]
    beginnings = all(
        trial.arguments[name][: len(part)] == part and trial.answer[2] == 1
        for trial in wrong
        for name, part in zip(("second", "first"), trial.answer[:2], strict=True)
    )
    return bool(wrong) and beginnings


def one_way(trials: Sequence[Trial]) -> bool:
    """Whether all pairs are swapped, or none."""
    return len(set(map(is_swapped, trials))) == 1


def by_length(trials: Sequence[Trial]) -> bool:
    """Whether the two kinds of pairs are swapped unlike, as no coin would do, however bent."""
    counts = [(sum(map(is_swapped, kind)), len(kind)) for kind in in_lengths(trials)]
    table = [[swapped, n - swapped] for swapped, n in counts]
    return bool(stats.fisher_exact(table).pvalue < ERROR)


def by_a_bent_coin(trials: Sequence[Trial]) -> bool:
    """Whether one order is more frequent than the other, but not alone, and not by lengths."""
    return uneven(trials) and not one_way(trials) and not by_length(trials)


def symptom(holds: Callable[[Sequence[Trial]], bool]) -> Callable[[Sequence[Trial]], bool]:
    """A symptom of answers that have the right segments and labels and can be repeated."""
    return lambda trials: (
        of_the_segments(trials) and not mislabelled(trials) and repeats(trials) and holds(trials)
    )


def share_swapped(trials: Sequence[Trial]) -> str:
    """How many answers are swapped, as a clause."""
    return f"{sum(map(is_swapped, trials))} of {len(trials)} pairs are swapped"


def judge_pairs(trials: Sequence[Trial]) -> Fault | None:
    """Rules for each answer, then labels, repeatability, halves, and what lengths tell."""
    for trial in trials:
        sentence = not_the_segments(trial)
        if sentence is not None:
            return Fault(sentence, trial)
    for trial in trials:
        if mislabelled([trial]):
            return Fault("Your label does not say what was done: 0 in order, 1 swapped.", trial)
    if not repeats(trials):
        return Fault("The same generator gives different answers: draw from rng alone.")
    if one_way(trials):
        return Fault(f"{share_swapped(trials)}; it should be one half.")
    if told_by_length(trials):
        return Fault("Which segment is longer tells whether you swapped: draw, whatever they are.")
    if never_varies(trials):
        return Fault("Calls with different generators gave the same order: draw from rng.")
    if uneven(trials):
        return Fault(f"{share_swapped(trials)}; it should be one half.")
    return None


ORDER = Exercise(
    id="2.5",
    title="In order or swapped",
    difficulty=1,
    minutes=6,
    points=1,
    solution=order_pair,
    draw=draw_segments,
    borders=small_segments,
    trials=1000,
    judge=judge_pairs,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "label the other way",
            partial(ordered, inverted=True),
            "Your labels are the other way round: 0 means in order and 1 swapped, as in the "
            "published models. A loss would not notice; whoever loads your model would.",
            symptom=lambda trials: of_the_segments(trials) and mislabelled(trials) == len(trials),
        ),
        Misconception(
            "label drawn apart",
            partial(ordered, label_apart=True),
            lambda trials: (
                f"The label contradicts the order in {mislabelled(trials)} of {len(trials)} pairs: "
                "you draw one number for the swap and another one for the label. Draw once and use "
                "it for both."
            ),
            symptom=lambda trials: (
                of_the_segments(trials) and 0 < mislabelled(trials) < len(trials)
            ),
        ),
        Misconception(
            "always one way",
            partial(ordered, probability=0.0),
            lambda trials: (
                f"{share_swapped(trials)}. A model that always gives the same answer would then be "
                "right every time and learn nothing. Swap when rng.random() < 0.5."
            ),
            symptom=symptom(one_way),
        ),
        Misconception(
            "the longer one first",
            partial(ordered, by_length=True),
            "Whether you swap depends on which segment is longer, so that lengths tell the label: "
            "a model would count positions and read nothing. Swap by a draw from rng alone.",
            symptom=symptom(by_length),
        ),
        Misconception(
            "not one half",
            partial(ordered, probability=0.15),
            lambda trials: (
                f"{share_swapped(trials)}. Both answers should be equally frequent, or saying the "
                "more frequent one is right more often than a coin. Swap when rng.random() < 0.5."
            ),
            symptom=symptom(by_a_bent_coin),
        ),
        Misconception(
            "swapped ones trimmed",
            partial(ordered, equalised=True),
            "You shorten the pairs that you swap and no others, so that their length tells the "
            "label. Both segments come back whole; what is too long was cut before.",
            symptom=trimmed_when_swapped,
        ),
        Misconception(
            "no seed",
            partial(ordered, no_seed=True),
            "The same generator gave different answers: draw from rng and from nothing else, or "
            "nobody can repeat your experiment.",
            symptom=lambda trials: (
                of_the_segments(trials) and not mislabelled(trials) and not repeats(trials)
            ),
        ),
    ),
    hints=(
        "Three things come out, as a tuple: what is written first, what is written second, and "
        "the label, a whole number.",
        "One draw from the generator decides about both, the order and the label. It must not "
        "depend on the segments, and they come back as they are.",
        "`swapped = rng.random() < 0.5`, then `return (second, first, 1) if swapped else (first, "
        "second, 0)`.",
    ),
)
