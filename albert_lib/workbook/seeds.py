"""Which inputs a check draws: new ones every time, by a seed that is named."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
from collections.abc import Iterator

import numpy as np
import torch

from albert_lib.errors import AlbertLibError

SEED_VARIABLE = "ALBERT_LIB_CHECK_SEED"  # a whole number: the seed of every check
MOST = 100_000  # seeds are short enough to be typed again


class SeedError(AlbertLibError, ValueError):
    """A seed that is no whole number from 0 to 2³² - 1."""


def chosen_seed(seed: int | None = None) -> int:
    """The seed asked for, else that of ALBERT_LIB_CHECK_SEED, else a new one.

    A new one comes from the operating system, so that what a notebook seeds makes no difference.
    Raises SeedError for what is no whole number from 0 to 2³² - 1.

    >>> chosen_seed(12345)
    12345
    """
    given = os.environ.get(SEED_VARIABLE) if seed is None else seed
    if given is None or given == "":
        return secrets.randbelow(MOST)
    try:
        number = int(given)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < 2**32 or str(number) != str(given):
        source = SEED_VARIABLE if seed is None else "The seed"
        raise SeedError(f"{source} is {given!r}; it has to be a whole number from 0 to 2³² - 1.")
    return number


def seed_everything(seed: int) -> None:
    """Set the global generators that a function could draw from: torch's, NumPy's, Python's."""
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


@contextlib.contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave the global generators behind the block as they were before it."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])
