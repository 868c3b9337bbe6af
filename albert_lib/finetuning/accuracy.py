"""The fraction of right answers, which SST-2, MNLI and RACE are scored by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from albert_lib.errors import InputError
from albert_lib.finetuning.race import LEVELS, ChoiceQuestion

Label = TypeVar("Label", str, int)


def accuracy(predicted: Sequence[Label], gold: Sequence[Label | None]) -> float:
    """The fraction of predictions that are the gold label, from 0 to 1.

    Raises InputError where there are not as many of both, there are none, or a gold label is
    not told.

    Example:
        >>> from albert_lib.finetuning import accuracy
        >>> accuracy(["1", "0", "0", "0"], ["1", "0", "1", "0"])
        0.75
    """
    if len(predicted) != len(gold) or not gold:
        raise InputError(
            f"{len(predicted)} predictions cannot be compared with {len(gold)} labels; give one "
            f"prediction for each of at least one example."
        )
    for number, label in enumerate(gold):
        if label is None:
            raise InputError(
                f"Example {number} (from 0) stands in its file without a label; score with a file "
                f"that has them."
            )
    return sum(a == b for a, b in zip(predicted, gold, strict=True)) / len(gold)


def race_accuracy(
    questions: Sequence[ChoiceQuestion], predicted: Sequence[int]
) -> dict[str, float]:
    """The accuracy over all questions, and apart over those of each level that occurs.

    `predicted` is the number of an option, from 0, for each question. Errors are `accuracy`'s.

    Example:
        >>> from albert_lib.finetuning import ChoiceQuestion, race_accuracy
        >>> abcd = ("A", "B", "C", "D")
        >>> easy = ChoiceQuestion("1-0", "It rains.", "Does it?", abcd, 0, "middle")
        >>> hard = ChoiceQuestion("2-0", "It snows.", "Does it?", abcd, 1, "high")
        >>> race_accuracy([easy, hard], [0, 0])
        {'accuracy': 0.5, 'middle': 1.0, 'high': 0.0}
    """
    gold = [question.answer for question in questions]
    found = {"accuracy": accuracy(predicted, gold)}
    for level in LEVELS:
        chosen = [n for n, question in enumerate(questions) if question.level == level]
        if chosen:
            found[level] = accuracy([predicted[n] for n in chosen], [gold[n] for n in chosen])
    return found
