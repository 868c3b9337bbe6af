"""What batches of like lengths must keep, and by what their usual faults show."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from albert_lib.workbook.exercise import Fault, Trial

Key = tuple[bytes, int]  # the lengths and the batch size of a trial


def judge_batches(trials: Sequence[Trial]) -> Fault | None:
    """The first rule that is broken."""
    if broken := [trial for trial in trials if not is_valid(trial)]:
        return Fault("A row stands in your batches twice, or is no row at all.", broken[0])
    if wild := [trial for trial in trials if not is_sorted(trial)]:
        return Fault("A batch mixes rows that a sort by length would part.", wild[0])
    if not_repeatable(trials):
        return Fault("Two calls with equal generators gave other batches: draw from rng alone.")
    for symptom, sentence in SYMPTOMS.items():
        if symptom(trials):
            return Fault(sentence)
    return None


def is_valid(trial: Trial) -> bool:
    """Whether no row comes twice, and all are rows."""
    rows = np.asarray(trial.answer).ravel()
    n_rows = len(trial.arguments["lengths"])
    return len(np.unique(rows)) == len(rows) and bool(((rows >= 0) & (rows < n_rows)).all())


def is_sorted(trial: Trial) -> bool:
    """Whether no batch reaches into the lengths of another."""
    lengths = trial.arguments["lengths"][trial.answer]
    ends = sorted(zip(lengths.min(axis=1).tolist(), lengths.max(axis=1).tolist(), strict=True))
    return all(one[1] <= other[0] for one, other in itertools.pairwise(ends))


def unsorted(trials: Sequence[Trial]) -> bool:
    """Whether rows are valid and their batches mixed."""
    return all(map(is_valid, trials)) and not all(map(is_sorted, trials))


def in_order(trials: Sequence[Trial]) -> bool:
    """Whether the batches come in order of length every time."""
    if not well_made(trials):
        return False
    steps = [np.diff(trial.arguments["lengths"][trial.answer].sum(axis=1)) for trial in trials]
    return all((step >= 0).all() for step in steps) or all((step <= 0).all() for step in steps)


def always_the_same(trials: Sequence[Trial]) -> bool:
    """Whether the generator makes no difference."""
    return well_made(trials) and no_difference(trials, lambda answer: answer.tolist())


def longest_left_out(trials: Sequence[Trial]) -> bool:
    """Whether the rows without a place are the longest, every time."""
    left = [left_over(trial) for trial in trials]
    some = [
        (trial, rows)
        for trial, rows in zip(trials, left, strict=True)
        if len(rows) and len(trial.answer)
    ]
    return (
        well_made(trials)
        and bool(some)
        and all(
            trial.arguments["lengths"][rows].min() >= trial.arguments["lengths"][trial.answer].max()
            for trial, rows in some
        )
    )


def same_rows_together(trials: Sequence[Trial]) -> bool:
    """Whether, where all rows have a place, a batch's rows never change."""
    full = [trial for trial in trials if not len(left_over(trial))]
    return (
        well_made(trials)
        and bool(full)
        and no_difference(full, lambda answer: sorted(sorted(batch) for batch in answer.tolist()))
    )


SYMPTOMS = {
    in_order: "The batches come in order of their length, every time.",
    always_the_same: "Other generators give the same batches.",
    longest_left_out: "The rows without a place are the longest, every time.",
    same_rows_together: "Batches hold the same rows, whatever the generator.",
}


def not_repeatable(trials: Sequence[Trial]) -> bool:
    """Whether equal arguments gave different answers."""
    return any(
        not np.array_equal(one.answer, other.answer)
        for group in alike(trials)
        for one in group
        for other in group
        if state(one) == state(other)
    )


def no_difference(trials: Sequence[Trial], view: Callable[[Any], object]) -> bool:
    """Whether trials that differ in their generator alone look the same, all of them."""
    groups = [group for group in alike(trials) if len({str(state(each)) for each in group}) > 1]
    return bool(groups) and all(
        view(one.answer) == view(group[0].answer) for group in groups for one in group
    )


def well_made(trials: Sequence[Trial]) -> bool:
    """Whether rows are valid and sorted, so that other faults can be seen."""
    return all(is_valid(trial) and is_sorted(trial) for trial in trials)


def left_over(trial: Trial) -> np.ndarray:
    """The rows that are in no batch."""
    return np.setdiff1d(np.arange(len(trial.arguments["lengths"])), trial.answer)


def alike(trials: Sequence[Trial]) -> Iterable[list[Trial]]:
    """The trials of one list of lengths and one batch size."""
    groups: dict[Key, list[Trial]] = defaultdict(list)
    for trial in trials:
        key = trial.arguments["lengths"].tobytes(), trial.arguments["batch_size"]
        groups[key].append(trial)
    return groups.values()


def state(trial: Trial) -> Any:
    """Where the trial's generator stands before the call."""
    return trial.arguments["rng"].bit_generator.state
