"""Look for a smaller input that fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable

from albert_lib.workbook.attempt import Attempt
from albert_lib.workbook.exercise import Trial
from albert_lib.workbook.size import size

DRAWS = 400
SECONDS_TO_SHRINK = 0.5  # of computing


def shrunk(attempt: Attempt, trial: Trial, alike: Callable[[Trial], bool]) -> Trial:
    """The smallest of many further inputs on which the function fails alike, or the trial itself.

    Only inputs smaller than the smallest so far are tried at all.
    """
    rng = attempt.exercise.generator(attempt.seed, 1)
    smallest, measure = trial, size(trial.arguments)
    deadline = time.process_time() + SECONDS_TO_SHRINK
    for _ in range(DRAWS):
        if time.process_time() > deadline:
            break
        arguments = attempt.exercise.draw(rng)
        if size(arguments) >= measure:
            continue
        tried = attempt.tried(arguments)
        if tried is not None and alike(tried):
            smallest, measure = tried, size(arguments)
    return smallest
