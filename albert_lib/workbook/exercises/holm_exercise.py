"""Exercise 6.6: the p-values of many questions at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.probing.corrections import holm
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception

Values = np.ndarray


def draw_p_values(rng: np.random.Generator) -> dict[str, Any]:
    """A few p-values, some of them small, some equal, in no order."""
    n = int(rng.integers(1, 9))
    values = rng.random(n) * rng.choice([0.02, 0.2, 1.0], size=n)
    return {"p_values": rng.permutation(values.round(3))}


def certain_and_equal(rng: np.random.Generator) -> Sequence[Arguments]:
    """One test alone, the two ends of the scale, equal ones, and one that would pass a smaller."""
    cases = ([0.04], [0.0, 1.0], [1.0, 0.0, 0.5], [0.3, 0.3], [0.02, 0.021, 0.022], [0.9, 0.1, 0.8])
    return [{"p_values": np.array(case)} for case in cases]


def holm_like(
    p_values: Values,
    *,
    factors: Literal["falling", "all", "rising", "divided", "below", "none"] = "falling",
    in_order: Literal["from the smallest", "not", "from the largest"] = "from the smallest",
    capped: bool = True,
    placed: Literal["back", "sorted", "by order"] = "back",
    descending: bool = False,
) -> Values:
    """Holm's p-values with one part exchanged."""
    n = len(p_values)
    order = np.argsort(-p_values if descending else p_values)
    many = {
        "falling": np.arange(n, 0, -1),
        "all": np.full(n, n),
        "rising": np.arange(1, n + 1),
        "divided": n / np.arange(1, n + 1),
        "below": 1 / np.arange(n, 0, -1),
        "none": np.ones(n),
    }[factors]
    stepped = p_values[order] * many
    if in_order == "from the smallest":
        stepped = np.maximum.accumulate(stepped)
    elif in_order == "from the largest":
        stepped = np.minimum.accumulate(stepped[::-1])[::-1]
    if capped:
        stepped = np.minimum(1.0, stepped)
    if placed == "sorted":
        return stepped
    if placed == "by order":
        return np.asarray(stepped[order])
    found = np.empty(n)
    found[order] = stepped
    return found


HOLM = Exercise(
    id="6.6",
    title="Many questions at once",
    difficulty=2,
    minutes=12,
    points=3,
    solution=holm,
    draw=draw_p_values,
    borders=certain_and_equal,
    leaves_inputs=True,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "Bonferroni",
            partial(holm_like, factors="all"),
            "You multiply every p-value by the number of tests: that is Bonferroni's way. It keeps "
            "the promise and finds less. Holm multiplies the smallest by n, the next by n - 1, "
            "and so on.",
        ),
        Misconception(
            "factors the wrong way round",
            partial(holm_like, factors="rising"),
            "You multiply the smallest p-value by 1 and the largest by n. It is the other way "
            "round: the smallest stands out of n tests and has to pass the hardest.",
        ),
        Misconception(
            "not multiplied",
            partial(holm_like, factors="none"),
            "You multiply nothing, and the p-values come back as they were. The smallest was the "
            "smallest of n: multiply it by n, the next by n - 1, and so on.",
        ),
        Misconception(
            "divided by the factors",
            partial(holm_like, factors="below"),
            "You divide by n, n - 1, and so on: the more questions, the more you would find. "
            "Among many questions a small p-value is no wonder: multiply.",
        ),
        Misconception(
            "largest first",
            partial(holm_like, descending=True),
            "You begin with the largest p-value. Begin with the smallest: it is multiplied by n, "
            "and all that follow must not come out below it.",
        ),
        Misconception(
            "Benjamini and Hochberg",
            partial(holm_like, factors="divided", in_order="from the largest"),
            "That is Benjamini and Hochberg's way: it bounds the share of false findings among all "
            "findings. Holm bounds the chance of even one.",
        ),
        Misconception(
            "from the largest",
            partial(holm_like, in_order="from the largest"),
            "You go from the largest p-value down and take minima: Hochberg's way, whose promise "
            "needs an assumption about how the tests depend on one another. Holm's needs none: go "
            "up from the smallest, and let none come out below one that was smaller before.",
        ),
        Misconception(
            "not kept in order",
            partial(holm_like, in_order="not"),
            "Some of your values come out below one that was smaller before: its factor is lower. "
            "Holm stops at the first test that fails, so all that follow fail too: take the "
            "largest so far (np.maximum.accumulate).",
        ),
        Misconception(
            "above 1",
            partial(holm_like, capped=False),
            "Some of your values are above 1, and a p-value is a probability: cut them off there.",
        ),
        Misconception(
            "left sorted",
            partial(holm_like, placed="sorted"),
            "You return the values sorted, so they belong to other tests than they stand for. Put "
            "each back where its p-value came from.",
        ),
        Misconception(
            "sorted back with order",
            partial(holm_like, placed="by order"),
            "You go back with stepped[order], which sorts a second time. order says where each "
            "sorted value came from: assign, found[order] = stepped.",
        ),
    ),
    hints=(
        "An array of p-values comes in and one of the same length goes out, in the same order.",
        "Sort them. The smallest is multiplied by n, the next by n - 1, the largest by 1; none may "
        "come out below one before it, nor above 1. Then put each back in its place.",
        "`order = np.argsort(p_values)`, `stepped = np.maximum.accumulate(p_values[order] * "
        "np.arange(n, 0, -1))`, `found = np.empty(n)`, `found[order] = np.minimum(1.0, stepped)`.",
    ),
)
