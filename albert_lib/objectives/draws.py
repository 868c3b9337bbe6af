"""Random numbers that belong to an example, not to the order in which examples are asked for.

A generator that is simply drawn from gives an example other numbers when a batch has another
size, when a worker joins, or when a run resumes in the middle. Here every example of a run has
an address, its number, and its draws can be looked up like a row of an endless table. Philox
makes that cheap: it computes its n-th block of numbers from n alone (Salmon et al., 2011).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

import numpy as np
from jaxtyping import Float64

from albert_lib.errors import ConfigError

PHILOX_BLOCK = 4  # one step of Philox's counter yields four 64-bit numbers


class Purpose(IntEnum):
    """What the draws are for; each purpose has a stream of its own under the same seed."""

    PAIRS = 1
    PAIR_ORDER = 2
    MASKING = 3
    TARGETS = 4
    BLOCK_ORDER = 5


def generator(seed: int, purpose: Purpose, epoch: int, part: int = 0) -> np.random.Generator:
    """A fresh generator for one purpose in one part of an epoch; no other touches it."""
    entropy = np.random.SeedSequence((seed, purpose, epoch, part))
    return np.random.Generator(np.random.Philox(entropy))


def example_uniforms(
    seed: int, purpose: Purpose, first_examples: Iterable[int], n_examples: int, n_draws: int
) -> Float64[np.ndarray, "examples draws"]:
    """Rows of the table of uniforms in [0, 1): from each first example on, n_examples rows.

    Row i depends on (seed, purpose, n_draws, i) alone, so the rows 0–7 asked for at once are the
    rows 0–3 and 4–7 asked for separately, by whomever.
    """
    blocks = -(-n_draws // PHILOX_BLOCK)  # rounded up: every row begins on a block of its own
    key = np.random.SeedSequence((seed, purpose)).generate_state(2, np.uint64)
    firsts = list(first_examples)
    table = np.empty((len(firsts), n_examples, blocks * PHILOX_BLOCK))
    for part, first in zip(table, firsts, strict=True):
        philox = np.random.Philox(key=key, counter=first * blocks)
        np.random.Generator(philox).random(out=part)
    return table.reshape(-1, blocks * PHILOX_BLOCK)[:, :n_draws]


def check_seed(seed: int) -> None:
    """Raise ConfigError unless `seed` can seed a generator."""
    if seed < 0:
        raise ConfigError(f"seed is {seed}, but a seed must not be negative; use 0 or more.")
