"""Random numbers that belong to an example, not to the order in which examples are asked for.

An ordinary generator gives an example different numbers when the batch size changes, when a
worker is added, or when a run resumes in the middle. Here every example of a run has a number, by
which its random numbers are looked up like a row of an endless table. Philox makes that cheap: it
computes its n-th block of numbers from n alone (Salmon et al., 2011).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import numpy as np
from jaxtyping import Float64

from albert_lib.errors import ConfigError, quoted

PHILOX_BLOCK = 4  # one step of Philox's counter yields four 64-bit numbers


class Purpose(IntEnum):
    """What random numbers are for; each purpose has a stream of its own under the same seed.

    Example:
        >>> Purpose.MASKING.name, len(Purpose)
        ('MASKING', 5)
    """

    PAIRS = 1
    PAIR_ORDER = 2
    MASKING = 3
    TARGETS = 4
    BLOCK_ORDER = 5


def generator(seed: int, purpose: Purpose, epoch: int, part: int = 0) -> np.random.Generator:
    """A new generator for one purpose in one part of an epoch; nothing else draws from it.

    Example:
        >>> first = generator(7, Purpose.PAIRS, epoch=0).random()
        >>> first == generator(7, Purpose.PAIRS, epoch=0).random()
        True
        >>> first == generator(7, Purpose.PAIRS, epoch=1).random()
        False
    """
    entropy = np.random.SeedSequence((seed, purpose, epoch, part))
    return np.random.Generator(np.random.Philox(entropy))


def example_uniforms(
    seed: int, purpose: Purpose, first_examples: Iterable[int], n_examples: int, n_draws: int
) -> Float64[np.ndarray, "examples draws"]:
    """Rows of the table of uniforms in [0, 1): from each first example on, n_examples rows.

    Row i depends on (seed, purpose, n_draws, i) alone, so the rows 0–7 asked for at once are the
    rows 0–3 and 4–7 asked for separately, by whomever.

    Example:
        >>> whole = example_uniforms(7, Purpose.MASKING, [0], n_examples=8, n_draws=5)
        >>> halves = example_uniforms(7, Purpose.MASKING, [0, 4], n_examples=4, n_draws=5)
        >>> whole.shape, bool((whole == halves).all())
        ((8, 5), True)
    """
    blocks = -(-n_draws // PHILOX_BLOCK)  # rounded up: every row begins on a block of its own
    key = np.random.SeedSequence((seed, purpose)).generate_state(2, np.uint64)
    firsts = list(first_examples)
    table = np.empty((len(firsts), n_examples, blocks * PHILOX_BLOCK))
    for part, first in zip(table, firsts, strict=True):
        philox = np.random.Philox(key=key, counter=first * blocks)
        np.random.Generator(philox).random(out=part)
    return table.reshape(-1, blocks * PHILOX_BLOCK)[:, :n_draws]


def check_whole_number(value: Any, name: str, least: int, remedy: str = "") -> None:
    """Raise ConfigError unless `value` is a whole number of at least `least`.

    Example:
        >>> check_whole_number(2.5, "max_ngram", least=1)
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: max_ngram is 2.5; use a whole number of at least 1.
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least:
        raise ConfigError(
            f"{name} is {quoted(value)}; use a whole number of at least {least}{remedy}."
        )


def check_number(value: Any, name: str) -> None:
    """Raise ConfigError unless `value` is a finite number.

    Example:
        >>> check_number(float("nan"), "rate")
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: rate is nan; use a finite number.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool) or not math.isfinite(value):
        raise ConfigError(f"{name} is {quoted(value)}; use a finite number.")


def check_seed(seed: int) -> None:
    """Raise ConfigError unless `seed` can seed a generator.

    Example:
        >>> check_seed(0)
    """
    check_whole_number(seed, "seed", least=0)
