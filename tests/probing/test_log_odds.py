"""Gaps worked out by hand from probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from albert_lib.probing import log_odds, log_odds_gap, log_probability_gap

# Two templates over a vocabulary of three, as probabilities; any constant may be added to logits.
IN_A = torch.tensor([[0.5, 0.3, 0.2], [0.25, 0.25, 0.5]]).log() + torch.tensor([[3.0], [-7.0]])
IN_B = torch.tensor([[0.25, 0.6, 0.15], [0.5, 0.1, 0.4]]).log() + torch.tensor([[11.0], [0.5]])


def test_log_probability_gap_by_hand() -> None:
    gaps = log_probability_gap(IN_A, IN_B, 0)
    assert gaps.tolist() == pytest.approx([math.log(2), -math.log(2)], abs=1e-5)
    assert float(log_probability_gap(IN_A[0], IN_B[0], 1)) == pytest.approx(-math.log(2), abs=1e-5)


def test_log_odds_by_hand() -> None:
    assert log_odds(IN_A, 0, 2).tolist() == pytest.approx([math.log(2.5), -math.log(2)], abs=1e-5)


def test_log_odds_gap_by_hand_and_as_a_difference_of_gaps() -> None:
    gap = log_odds_gap(IN_A, IN_B, 0, 1)
    expected = [math.log(0.5 / 0.3) - math.log(0.25 / 0.6), math.log(1.0) - math.log(5.0)]
    assert gap.tolist() == pytest.approx(expected, abs=1e-5)
    difference = log_probability_gap(IN_A, IN_B, 0) - log_probability_gap(IN_A, IN_B, 1)
    assert gap.tolist() == pytest.approx(difference.tolist(), abs=1e-5)


def test_extreme_logits_stay_finite() -> None:
    certain, hopeless = torch.tensor([0.0, 2000.0]), torch.tensor([2000.0, 0.0])
    assert float(log_probability_gap(certain, hopeless, 0)) == -2000.0


def test_swapping_the_contexts_changes_the_sign() -> None:
    logits_a, logits_b = torch.randn(2, 4, 50, generator=torch.Generator().manual_seed(0))
    forward = log_probability_gap(logits_a, logits_b, 9)
    assert torch.equal(forward, -log_probability_gap(logits_b, logits_a, 9))
