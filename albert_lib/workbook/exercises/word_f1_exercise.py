"""Exercise 7.5: F1 over the words of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from albert_lib.finetuning.squad_scoring import word_f1
from albert_lib.workbook.exercise import Exercise, Misconception, Trial, apart

WORDS = ("denver", "broncos", "new", "york", "city")


def draw_two_answers(rng: np.random.Generator) -> dict[str, Any]:
    """Two lists of few words, so that some are shared and some come twice."""
    sizes = rng.integers(1, 6, size=2)
    predicted, gold = (rng.choice(WORDS, size=int(size)).tolist() for size in sizes)
    return {"predicted": predicted, "gold": gold}


def edges(rng: np.random.Generator) -> list[dict[str, Any]]:
    """No words on either side, the same words, and nothing in common."""
    one, other = ["denver", "broncos"], ["new", "york"]
    pairs: Sequence[tuple[list[str], list[str]]] = (
        ([], []),
        ([], one),
        (one, []),
        (one, one),
        (one, other),
        (one[:1], one),
    )
    return [{"predicted": predicted, "gold": gold} for predicted, gold in pairs]


def shared(predicted: Sequence[str], gold: Sequence[str]) -> int:
    """How many words two lists share, each as often as in both."""
    return (Counter(predicted) & Counter(gold)).total()


def of_sets(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Each word once, however often it comes."""
    return word_f1(sorted(set(predicted)), sorted(set(gold)))


def precision_alone(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The fraction of the prediction that is gold."""
    return shared(predicted, gold) / max(1, len(predicted))


def recall_alone(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The fraction of the gold answer that is predicted."""
    return shared(predicted, gold) / max(1, len(gold))


def plain_mean(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Precision and recall added and halved."""
    return (precision_alone(predicted, gold) + recall_alone(predicted, gold)) / 2


def each_occurrence(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Every predicted word that the gold answer has somewhere, however often."""
    found = sum(word in gold for word in predicted)
    if not found:
        return 0.0
    precision, recall = found / len(predicted), found / len(gold)
    return 2 * precision * recall / (precision + recall)


def of_the_union(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Shared words over all words of both."""
    n = shared(predicted, gold)
    return n / max(1, len(predicted) + len(gold) - n)


def in_place(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Words that stand at the same place."""
    n = sum(one == other for one, other in zip(predicted, gold, strict=False))
    return 2 * n / max(1, len(predicted) + len(gold))


def f1_like(
    predicted: Sequence[str],
    gold: Sequence[str],
    *,
    nothing: float = 0.0,
    counts: Literal["neither", "precision", "recall"] = "neither",
    whole: Literal["nothing", "precision", "recall", "answer"] = "nothing",
    above: Literal["both", "precision", "recall"] = "both",
    factor: float = 2.0,
    inverted: bool = False,
) -> float:
    """F1 with one part exchanged."""
    n = shared(predicted, gold)
    if not n:
        return nothing
    precision = n / (1 if counts == "precision" else len(predicted))
    recall = n / (1 if counts == "recall" else len(gold))
    precision = float(precision // 1) if whole == "precision" else precision
    recall = float(recall // 1) if whole == "recall" else recall
    product = {"precision": precision**2, "recall": recall**2}.get(above, precision * recall)
    answer = factor * product / (precision + recall)
    answer = float(answer // 1) if whole == "answer" else answer
    return 1 / answer if inverted else answer


def never_shared(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Nothing is ever found."""
    return 0.0


def product_doubled(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Twice the product of precision and recall, over nothing."""
    return 2 * precision_alone(predicted, gold) * recall_alone(predicted, gold)


def geometric_mean(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The root of precision times recall."""
    return float(np.sqrt(precision_alone(predicted, gold) * recall_alone(predicted, gold)))


def above_one(trials: Sequence[Trial]) -> bool:
    """Whether an answer is more than all."""
    return any(each.answer > 1 + 1e-9 for each in trials)


def how_much_above(trials: Sequence[Trial]) -> str:
    """The largest answer."""
    largest = max(each.answer for each in trials)
    return (
        f"Your F1 comes to as much as {largest:.3g}. Precision and recall are fractions, and F1 is "
        "a mean of the two: it lies between them and never above 1. Is each count divided by its "
        "length, and the doubled product by the sum?"
    )


def right_where_both_are_equal(trials: Sequence[Trial]) -> bool:
    """Whether those answers alone are wrong whose precision and recall differ."""
    wrong = apart(trials, 1e-9)
    right = [each for each in trials if not any(each is other for other in wrong)]
    return any(0 < each.expected < 1 for each in right) and all(
        each.expected > 0 and len(each.arguments["predicted"]) != len(each.arguments["gold"])
        for each in wrong
    )


F1 = Exercise(
    id="7.5",
    title="Half right",
    difficulty=1,
    minutes=10,
    points=2,
    solution=word_f1,
    draw=draw_two_answers,
    borders=edges,
    leaves_inputs=True,
    tolerance=1e-9,
    misconceptions=(
        Misconception(
            "sets of words",
            of_sets,
            "You count each word once, however often it comes. “new new york” against “new york” "
            "shares two words of three: the second “new” has no partner, and costs.",
        ),
        Misconception(
            "precision alone",
            precision_alone,
            "That is precision: which part of the prediction is gold. A single right word would "
            "get everything.",
        ),
        Misconception(
            "recall alone",
            recall_alone,
            "That is recall: which part of the gold answer was predicted. The whole passage as an "
            "answer would get everything.",
        ),
        Misconception(
            "plain mean",
            plain_mean,
            "You average precision and recall. F1 is their harmonic mean, 2pr/(p + r): it stays "
            "near the lower of the two, so that neither can make up for the other.",
        ),
        Misconception(
            "partners used twice",
            each_occurrence,
            "You count every predicted word that the gold answer has somewhere, so one gold word "
            "serves several. Each word of either side has one partner at most.",
        ),
        Misconception(
            "of the union",
            of_the_union,
            "Shared words over all words of both is the Jaccard index; it is below F1 wherever F1 "
            "is neither 0 nor 1.",
        ),
        Misconception(
            "word by word",
            in_place,
            "You compare the words place by place, so one word too many in front costs "
            "everything. F1 does not look at their order.",
        ),
        Misconception(
            "factor 2 left out",
            partial(f1_like, factor=1.0),
            "Your answers are half of F1. A mean of two equal numbers is that number: of precision "
            "1 and recall 1, 2 · 1 · 1 / (1 + 1).",
        ),
        Misconception(
            "nothing shared counts 1",
            partial(f1_like, nothing=1.0),
            "Where no word is shared you return 1, which is what a perfect answer gets. Nothing "
            "right is 0.",
        ),
        Misconception(
            "always 0",
            never_shared,
            "Yours is 0 whatever is compared. 0 is for answers that share no word; for all others "
            "there is something to count.",
        ),
        Misconception(
            "precision is a count",
            partial(f1_like, counts="precision"),
            "Your precision is how many words are shared. It is a fraction: divide by the length "
            "of the prediction.",
        ),
        Misconception(
            "recall is a count",
            partial(f1_like, counts="recall"),
            "Your recall is how many words are shared. It is a fraction: divide by the length of "
            "the gold answer.",
        ),
        Misconception(
            "precision rounded down",
            partial(f1_like, whole="precision"),
            "You round the precision down, as // does: all right is 1, and anything less is 0. "
            "Divide with /.",
        ),
        Misconception(
            "recall rounded down",
            partial(f1_like, whole="recall"),
            "You round the recall down, as // does: all found is 1, and anything less is 0. "
            "Divide with /.",
        ),
        Misconception(
            "rounded down",
            partial(f1_like, whole="answer"),
            "You round F1 down to 0 or 1, as // does, which leaves of it the exact match. Divide "
            "with /.",
        ),
        Misconception(
            "precision twice",
            partial(f1_like, above="precision"),
            "You multiply precision with precision, so that recall stands below the fraction line "
            "alone: the more was found, the less you give. Above stands 2 · precision · recall.",
        ),
        Misconception(
            "recall twice",
            partial(f1_like, above="recall"),
            "You multiply recall with recall, so that precision stands below the fraction line "
            "alone: the more is right, the less you give. Above stands 2 · precision · recall.",
        ),
        Misconception(
            "upside down",
            partial(f1_like, inverted=True),
            "Your fraction is upside down, so that poor answers get the most. The doubled product "
            "stands above, the sum below.",
        ),
        Misconception(
            "sum left out",
            product_doubled,
            "You do not divide by precision + recall: twice the product comes to 2 for a perfect "
            "answer, and is far too little for a poor one.",
        ),
        Misconception(
            "above 1",
            partial(f1_like, factor=3.0),
            how_much_above,
            above_one,
            broad=True,
        ),
        Misconception(
            "another mean",
            geometric_mean,
            "You are right wherever precision and recall are equal, and wrong where they differ: "
            "what goes astray is how the two come together. Their harmonic mean is 2pr/(p + r).",
            right_where_both_are_equal,
            broad=True,
        ),
    ),
    hints=(
        "One number from 0 to 1 comes back. Both arguments are lists of words, normalised already.",
        "Count the shared words, each as often as it is in both. Precision divides by the length "
        "of the prediction, recall by that of the gold answer; nothing shared is 0.",
        "`(Counter(predicted) & Counter(gold)).total()` keeps the smaller of two counts; then "
        "`2 * precision * recall / (precision + recall)`.",
    ),
)
