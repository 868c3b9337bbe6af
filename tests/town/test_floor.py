"""The floor's means and standard errors, each by another computation and by repeated draws."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from albert_lib.corpus import TokenStore
from albert_lib.errors import InputError
from albert_lib.objectives import MaskingConfig, PretrainingBatches
from albert_lib.town import Estimate, IdealReader, Town, find_floor
from albert_lib.town.floor import expected_accuracy, ratio_estimate

MASKING = MaskingConfig(max_ngram=1)


@pytest.fixture
def batches(tiny_world, tmp_path: Path) -> PretrainingBatches:
    town = Town(0.7, seed=3, world=tiny_world)
    store = TokenStore.build(tmp_path / "store", town.documents(300), town.tokenizer)
    return PretrainingBatches(
        store,
        town.tokenizer,
        batch_size=20,
        sequence_length=tiny_world.sequence_length,
        masking=MASKING,
        short_sequence_probability=0.0,
    )


def test_a_plain_mean_has_the_plain_standard_error():
    values = np.array([1.0, 2.0, 3.0, 6.0])
    found = ratio_estimate(values, np.ones(4))
    assert found.mean == 3.0
    # squared distances 4 + 1 + 0 + 9 = 14, over n − 1 and over n
    assert found.error == pytest.approx(math.sqrt(14 / 3 / 4))
    # two values: 1 + 1 = 2, over 1 and over 2
    assert ratio_estimate(np.array([1.0, 3.0]), np.ones(2)).error == pytest.approx(1.0)


def test_a_ratio_of_unequal_counts_has_the_error_of_the_jackknife():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 8, size=400).astype(np.float64)
    sums = counts * rng.normal(2.0, 0.4, size=400) + rng.normal(size=400)
    found = ratio_estimate(sums, counts)
    assert found.mean == pytest.approx(sums.sum() / counts.sum())
    without = (sums.sum() - sums) / (counts.sum() - counts)  # each pair left out in turn
    jackknife = math.sqrt(399 / 400 * ((without - without.mean()) ** 2).sum())
    assert found.error == pytest.approx(jackknife, rel=0.02)


def test_the_error_is_the_spread_of_the_ratio_over_repeated_draws():
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 8, size=(3000, 60)).astype(np.float64)
    sums = counts * (1.0 + rng.normal(scale=0.5, size=counts.shape))
    found = [ratio_estimate(*each) for each in zip(sums, counts, strict=True)]
    means, errors = np.array([(each.mean, each.error) for each in found]).T
    assert errors.mean() == pytest.approx(means.std(ddof=1), rel=0.05)
    held = abs(means - 1.0) < 1.96 * errors
    assert 0.93 < held.mean() < 0.96  # 60 pairs: a little below 0.95


def test_every_score_of_the_floor_by_a_plain_loop(tiny_world, batches):
    reader = IdealReader(Town(0.7, world=tiny_world), MASKING)
    floor = find_floor(reader, batches, 3)
    rows = []  # a pair each: predictions, losses, right ones; loss and right of order
    for number in range(3):
        batch = batches.batch(number)
        posterior = reader.read(batch)
        for pair in range(20):
            row = [0.0] * 3
            for i, position in enumerate(batch.masked_positions.tolist()):
                if position // batch.input_ids.shape[1] != pair:
                    continue
                chances, label = posterior.tokens[i].tolist(), int(batch.masked_labels[i])
                best = [t for t, p in enumerate(chances) if p > max(chances) - 1e-9]
                row[0] += 1
                row[1] -= math.log(chances[label])
                row[2] += (label in best) / len(best)
            right = posterior.in_order[pair].item()
            swapped = int(batch.sop_labels[pair]) == 1
            chance = 1 - right if swapped else right
            row.append(-math.log(chance))
            row.append(1.0 if chance > 0.5 + 1e-9 else 0.5 if chance > 0.5 - 1e-9 else 0.0)
            rows.append(row)
    count, loss, hits, order_loss, order_hits = np.array(rows).T
    n = len(rows)
    assert (floor.pairs, floor.predictions) == (60, int(count.sum()))
    for found, sums, counts in (
        (floor.mlm_loss, loss, count),
        (floor.mlm_accuracy, hits, count),
        (floor.sop_loss, order_loss, np.ones(n)),
        (floor.sop_accuracy, order_hits, np.ones(n)),
    ):
        mean = sums.sum() / counts.sum()
        assert found.mean == pytest.approx(mean, abs=1e-9)
        # the variance of Σ(sums − mean·counts), which is n times that of one, over (Σ counts)²
        variance = n * (sums - mean * counts).var(ddof=1) / counts.sum() ** 2
        assert found.error == pytest.approx(math.sqrt(variance), abs=1e-9)


def test_ties_count_as_their_fraction_and_only_ties():
    chances = torch.tensor(
        [[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]],
        dtype=torch.float64,
    )
    found = expected_accuracy(chances, torch.tensor([0, 2, 1, 2]))
    assert found.tolist() == pytest.approx([0.5, 0.0, 1.0, 1 / 3])


def test_an_estimate_is_written_with_its_error():
    assert str(Estimate(0.5, 0.025)) == "0.500 ± 0.025"


def test_no_batches_are_refused(tiny_world, batches):
    reader = IdealReader(Town(0.7, world=tiny_world), MASKING)
    with pytest.raises(InputError, match="n_batches is 0; read at least 1"):
        find_floor(reader, batches, 0)
    assert find_floor(reader, batches, 1).pairs == 20


def test_a_second_best_answer_is_not_right():
    chances = torch.tensor([[0.49, 0.51], [0.4999, 0.5001]], dtype=torch.float64)
    assert expected_accuracy(chances, torch.tensor([0, 0])).tolist() == [0.0, 0.0]
