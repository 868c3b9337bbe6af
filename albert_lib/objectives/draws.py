"""Random numbers that belong to an example, not to the order in which examples are asked for.

A generator that is simply drawn from gives an example other numbers when a batch has another
size, when a worker joins, or when a run resumes in the middle. Here every example of a run has
an address, its number, and its draws can be looked up like a row of an endless table. Philox
makes that cheap: it computes its n-th block of numbers from n alone (Salmon et al., 2011).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from jaxtyping import Float64

from albert_lib.errors import ConfigError

PHILOX_BLOCK = 4  # one step of Philox's counter yields four 64-bit numbers


class Purpose(IntEnum):
    """What the draws are for; each purpose has a stream of its own under the same seed."""

    PAIRS = 1
    ORDER = 2
    MASKING = 3


def generator(seed: int, purpose: Purpose, epoch: int) -> np.random.Generator:
    """A fresh generator for one purpose in one epoch; other epochs and purposes do not touch it."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, purpose, epoch))))


def example_uniforms(
    seed: int, purpose: Purpose, first_example: int, n_examples: int, n_draws: int
) -> Float64[np.ndarray, "examples draws"]:
    """Rows first_example … first_example + n_examples − 1 of the table of uniforms in [0, 1).

    Row i depends on (seed, purpose, n_draws, i) alone, so the rows 0–7 asked for at once are the
    rows 0–3 and 4–7 asked for separately, by whomever.
    """
    blocks = -(-n_draws // PHILOX_BLOCK)  # rounded up: every row begins on a block of its own
    key = np.random.SeedSequence((seed, purpose)).generate_state(2, np.uint64)
    philox = np.random.Philox(key=key, counter=first_example * blocks)
    return np.random.Generator(philox).random((n_examples, blocks * PHILOX_BLOCK))[:, :n_draws]


def check_seed(seed: int) -> None:
    """Raise ConfigError unless `seed` can seed a generator."""
    if seed < 0:
        raise ConfigError(f"seed is {seed}, but a seed must not be negative; use 0 or more.")
