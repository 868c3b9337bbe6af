"""Exercises 5.4 and 5.5: what a loss means, as a perplexity and in bits a byte."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.training.held_out_scores import bits_per_byte, perplexity
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial

Column = np.ndarray


def draw_losses(rng: np.random.Generator) -> dict[str, Any]:
    """A few rows of text with unequally many predictions, in some of them none at all."""
    rows = int(rng.integers(1, 7))
    predictions = rng.choice([0, 1, 1, 2, 3, 5, 8], size=rows)
    if not predictions.any():
        predictions[int(rng.integers(rows))] = 1
    nats = np.array([rng.exponential(2.0, size=n).sum() for n in predictions])
    return {"nats": nats, "predictions": predictions}


def certain_and_clueless(rng: np.random.Generator) -> Sequence[Arguments]:
    """Always right, one in eight everywhere, and a row in which nothing was masked."""
    one_in_eight = np.array([1, 0, 3])
    return [
        {"nats": np.zeros(2), "predictions": np.array([1, 3])},
        {"nats": one_in_eight * math.log(8), "predictions": one_in_eight},
        {"nats": np.array([math.log(2)]), "predictions": np.array([1])},
    ]


def perplexity_like(
    nats: Column,
    predictions: Column,
    *,
    average: Literal[
        "predictions", "rows", "row means", "row perplexities", "mean count", "mean nats", "nothing"
    ] = "predictions",
    inverted: bool = False,
    whole: bool = False,
    base: float = math.e,
    sign: int = 1,
    exponential: bool = True,
) -> float:
    """The perplexity with one part exchanged."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = nats / predictions  # nan where nothing was predicted
        if average == "row perplexities":
            return float((base ** (sign * means) if exponential else means).mean())
        if average == "row means":
            mean = means.mean()
        else:
            counts = {"rows": len(nats), "mean count": predictions.mean(), "nothing": 1}
            total = nats.mean() if average == "mean nats" else nats.sum()
            mean = total / counts.get(average, predictions.sum())
        if inverted:
            mean = 1 / mean
        if whole:
            mean = np.floor(mean)
        return float(base ** (sign * mean) if exponential else sign * mean)


PERPLEXITY = Exercise(
    id="5.4",
    title="Among how many?",
    difficulty=1,
    minutes=8,
    points=2,
    solution=perplexity,
    draw=draw_losses,
    borders=certain_and_clueless,
    leaves_inputs=True,
    tolerance=1e-6,
    misconceptions=(
        Misconception(
            "mean of perplexities",
            partial(perplexity_like, average="row perplexities"),
            "You take a perplexity a row and average those. An exponential stretches what is "
            "large, so one hard row outweighs many easy ones, and a row without predictions makes "
            "it nan. First the mean over all predictions, then one exponential.",
        ),
        Misconception(
            "mean of row means",
            partial(perplexity_like, average="row means"),
            "You average within each row and then over rows, so a prediction in a row with few of "
            "them weighs more, and a row without any makes it nan. Every predicted token weighs "
            "the same: one sum of nats, one count.",
        ),
        Misconception(
            "mean over rows",
            partial(perplexity_like, average="rows"),
            "You divide by the number of rows. The nats of a row are a sum over its predictions; "
            "divide by how many predictions there are in all.",
        ),
        Misconception(
            "mean count",
            partial(perplexity_like, average="mean count"),
            "You divide all nats by the predictions of an average row. Sum over sum, or mean over "
            "mean: the number of rows then cancels.",
        ),
        Misconception(
            "mean nats",
            partial(perplexity_like, average="mean nats"),
            "You divide the nats of an average row by the predictions of all rows, which is too "
            "little by the number of rows. Sum over sum, or mean over mean.",
        ),
        Misconception(
            "upside down",
            partial(perplexity_like, inverted=True),
            "Your quotient is upside down: predictions a nat. The loss of a prediction has the "
            "nats on top.",
        ),
        Misconception(
            "rounded down",
            partial(perplexity_like, whole=True),
            "You round the mean loss down to whole nats, as // does, so that the perplexity jumps "
            "from 1 to 2.7 to 7.4. Divide with /.",
        ),
        Misconception(
            "not divided",
            partial(perplexity_like, average="nothing"),
            "You take the exponential of all nats together: one over the probability of the whole "
            "text, which grows with its length. Divide by the number of predictions first.",
        ),
        Misconception(
            "power of 2",
            partial(perplexity_like, base=2.0),
            "You raise 2 to the loss, which is right for a loss in bits. Ours is in nats, from a "
            "natural logarithm: take math.exp.",
        ),
        Misconception(
            "power of 10",
            partial(perplexity_like, base=10.0),
            "You raise 10 to the loss. It is in nats, from a natural logarithm: take math.exp.",
        ),
        Misconception(
            "no exponential",
            partial(perplexity_like, exponential=False),
            "That is the mean loss, in nats. The perplexity is its exponential: 2.08 nats are as "
            "hard as choosing among 8.",
        ),
        Misconception(
            "sign turned",
            partial(perplexity_like, sign=-1),
            "You return the exponential of minus the loss: the probability that the model gives "
            "to the right token, on (geometric) average. The perplexity is one over that, and "
            "never below 1.",
        ),
    ),
    hints=(
        "Two arrays with an entry a row of text: nats, summed over its predictions, and how many "
        "those are, perhaps 0. One float comes back, at least 1.",
        "Pool first: all nats over all predictions is the mean loss of a prediction. Its "
        "exponential, once, is the perplexity.",
        "`math.exp(nats.sum() / predictions.sum())`.",
    ),
)


def draw_bytes(rng: np.random.Generator) -> dict[str, Any]:
    """The same rows, with the bytes that their masked tokens stand for."""
    losses = draw_losses(rng)
    lengths = [int(rng.integers(1, 9, size=n).sum()) for n in losses["predictions"]]
    return {"nats": losses["nats"], "n_bytes": np.array(lengths)}


def one_byte_one_bit(rng: np.random.Generator) -> Sequence[Arguments]:
    """A single byte at one bit, and a row in which nothing was masked."""
    return [
        {"nats": np.array([math.log(2)]), "n_bytes": np.array([1])},
        {"nats": np.array([math.log(8), 0.0]), "n_bytes": np.array([4, 0])},
    ]


def bits_like(
    nats: Column,
    n_bytes: Column,
    *,
    conversion: Literal["divided", "multiplied", "none", "tens", "threes"] = "divided",
    average: Literal[
        "bytes", "row ratios", "rows", "mean length", "mean nats", "nothing", "multiplied"
    ] = "bytes",
    inverted: bool = False,
    whole: Literal["nothing", "bits", "answer"] = "nothing",
) -> float:
    """The bits a byte with one part exchanged."""
    factors = {"divided": 1 / math.log(2), "multiplied": math.log(2), "none": 1.0}
    factors |= {"tens": 1 / math.log(10), "threes": 1 / math.log(3)}
    bits = nats * factors[conversion]
    with np.errstate(invalid="ignore", divide="ignore"):
        if average == "row ratios":
            found = (bits / n_bytes).mean()
        else:
            counts = {"rows": len(nats), "mean length": n_bytes.mean(), "nothing": 1}
            total = bits.mean() if average == "mean nats" else bits.sum()
            total = np.floor(total) if whole == "bits" else total
            found = total / counts.get(average, n_bytes.sum())
            found = total * n_bytes.sum() if average == "multiplied" else found
            found = np.floor(found) if whole == "answer" else found
        return float(1 / found if inverted else found)


def one_factor(trials: Sequence[Trial]) -> float | None:
    """The factor, other than 1, by which every answer is off; None where there is no such one."""
    pairs = [(each.expected, each.answer) for each in trials if each.expected]
    factor = float(pairs[0][1] / pairs[0][0])
    fits = all(math.isclose(answer, factor * right, rel_tol=1e-6) for right, answer in pairs)
    known = 0 < factor < math.inf and not math.isclose(factor, 1, rel_tol=1e-6)
    return factor if fits and known else None


def another_unit(trials: Sequence[Trial]) -> str:
    """What a nat counts for in these answers."""
    factor = one_factor(trials)
    if factor is None:
        return ""
    return (
        f"Your answers are right but for one factor, {factor:.3g} everywhere: a nat counts for "
        f"{factor / math.log(2):.3g} in them. It is 1 / ln 2 = 1.44 bits: divide by math.log(2)."
    )


BITS = Exercise(
    id="5.5",
    title="Bits a byte",
    difficulty=1,
    minutes=7,
    points=1,
    solution=bits_per_byte,
    draw=draw_bytes,
    borders=one_byte_one_bit,
    leaves_inputs=True,
    tolerance=1e-6,
    misconceptions=(
        Misconception(
            "nats left",
            partial(bits_like, conversion="none"),
            "Your answer is in nats a byte. A bit is ln 2 = 0.69 nats: divide by math.log(2).",
        ),
        Misconception(
            "multiplied by ln 2",
            partial(bits_like, conversion="multiplied"),
            "You multiply by ln 2. A bit is smaller than a nat, so there are more of them: divide "
            "by math.log(2). A choice among 8 costs 2.08 nats and 3 bits.",
        ),
        Misconception(
            "logarithm to base 10",
            partial(bits_like, conversion="tens"),
            "You divide by ln 10, which gives decimal digits. A bit is a choice between two: "
            "divide by math.log(2).",
        ),
        Misconception(
            "mean of row ratios",
            partial(bits_like, average="row ratios"),
            "You take a ratio a row and average those: a byte of a short row weighs more than one "
            "of a long row, and a row without any byte makes it nan. One sum of bits, one sum of "
            "bytes.",
        ),
        Misconception(
            "bits a row",
            partial(bits_like, average="rows"),
            "You divide by the number of rows. Divide by the bytes that the predicted tokens "
            "stand for, of all rows together.",
        ),
        Misconception(
            "bits in all",
            partial(bits_like, average="nothing"),
            "Those are all bits of the text together. Divide by its bytes.",
        ),
        Misconception(
            "mean length",
            partial(bits_like, average="mean length"),
            "You divide all bits by the bytes of an average row. Sum over sum, or mean over mean: "
            "the number of rows then cancels.",
        ),
        Misconception(
            "mean nats",
            partial(bits_like, average="mean nats"),
            "You divide the bits of an average row by the bytes of all rows, which is too little "
            "by the number of rows. Sum over sum, or mean over mean.",
        ),
        Misconception(
            "multiplied by the bytes",
            partial(bits_like, average="multiplied"),
            "You multiply by the bytes, so a longer text comes out worse. Bits a byte is a "
            "quotient: divide by them.",
        ),
        Misconception(
            "rounded down",
            partial(bits_like, whole="answer"),
            "You round down to whole numbers, as // does. Most models need between 1 and 2 bits a "
            "byte, and all the difference is behind the point: divide with /.",
        ),
        Misconception(
            "whole bits",
            partial(bits_like, whole="bits"),
            "You round the bits down before you divide them by the bytes. An information content "
            "has fractions of a bit: divide with /, not with //.",
        ),
        Misconception(
            "upside down",
            partial(bits_like, inverted=True),
            "Yours is bytes a bit. Bits go on top: the better the model, the fewer it needs for "
            "a byte.",
        ),
        Misconception(
            "another unit",
            partial(bits_like, conversion="threes"),
            another_unit,
            lambda trials: one_factor(trials) is not None,
        ),
    ),
    hints=(
        "Two arrays with an entry a row come in, one float comes back.",
        "All nats together, turned into bits, over all bytes together. A nat is more than a bit: "
        "one bit is ln 2 nats.",
        "`nats.sum() / math.log(2) / n_bytes.sum()`.",
    ),
)
