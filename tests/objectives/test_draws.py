from __future__ import annotations

import numpy as np
import pytest

from albert_lib.errors import ConfigError
from albert_lib.objectives.draws import Purpose, check_seed, example_uniforms, generator


@pytest.mark.parametrize("n_draws", [1, 4, 6, 512])
def test_a_row_does_not_depend_on_what_was_asked_for_with_it(n_draws):
    together = example_uniforms(3, Purpose.MASKING, [0], 8, n_draws)
    apart = [example_uniforms(3, Purpose.MASKING, [first], 4, n_draws) for first in (0, 4)]
    np.testing.assert_array_equal(together, np.concatenate(apart))
    strewn = example_uniforms(3, Purpose.MASKING, [5, 1], 2, n_draws)
    np.testing.assert_array_equal(together[[5, 6, 1, 2]], strewn)


def test_rows_seeds_and_purposes_share_no_number():
    tables = [
        example_uniforms(seed, purpose, [0], 50, 6)
        for seed in (0, 1)
        for purpose in (Purpose.PAIRS, Purpose.MASKING)
    ]
    values = np.concatenate([table.ravel() for table in tables])
    assert len(np.unique(values)) == len(values)


def test_the_draws_are_uniform():
    values = example_uniforms(0, Purpose.MASKING, [1_000_000], 1000, 100)
    counts = np.histogram(values, bins=10, range=(0, 1))[0]
    assert counts.sum() == 100_000
    np.testing.assert_allclose(counts, 10_000, atol=5 * np.sqrt(10_000 * 0.9))


def test_a_generator_belongs_to_seed_purpose_epoch_and_part():
    first = generator(0, Purpose.PAIRS, 0).random(4)
    np.testing.assert_array_equal(first, generator(0, Purpose.PAIRS, 0, 0).random(4))
    others = [generator(1, Purpose.PAIRS, 0), generator(0, Purpose.PAIRS, 1)]
    others += [generator(0, purpose, 0) for purpose in Purpose if purpose != Purpose.PAIRS]
    others += [generator(0, Purpose.PAIRS, 0, 1)]
    for other in others:
        assert not np.intersect1d(first, other.random(4)).size


def test_a_negative_seed_is_refused():
    with pytest.raises(ConfigError, match="seed is -1"):
        check_seed(-1)
