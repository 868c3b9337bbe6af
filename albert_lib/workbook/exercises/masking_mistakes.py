"""Inputs and mistakes of 2.3 and 2.4: what a masked token shows, and the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_lib.objectives.masking import MaskingConfig
from albert_lib.workbook.exercise import Trial, apart


def draw_treatments(rng: np.random.Generator) -> dict[str, Any]:
    """Up to twelve masked tokens, and shares that are most often not 80/10/10."""
    n, vocab_size = int(rng.integers(1, 13)), int(rng.integers(8, 100))
    mask = 0.8 if rng.random() < 0.4 else float(rng.uniform(0.2, 0.8))
    random = 0.1 if mask == 0.8 else float(rng.uniform(0.05, 1 - mask))
    return {
        "tokens": rng.integers(5, vocab_size, size=n),
        "treatment": rng.random(n),
        "choice": rng.random(n),
        "config": MaskingConfig(mask_probability=mask, random_probability=random),
        "mask_token_id": int(rng.integers(5)),
        "vocab_size": vocab_size,
    }


def edges_of_shares(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Nothing masked, one token, treatments on the borders of the shares, choices at both ends."""
    quarters = np.arange(8) / 8  # exact in binary, so that the borders are met exactly
    choice = np.array([0.0, 0.999, 0.001, 0.5, 0.0, 0.999, 0.96, 0.25])
    nothing, one = np.array([], dtype=np.int64), np.array([7])
    cases: list[tuple[Any, Any, Any, float, float]] = [
        (nothing, np.array([]), np.array([]), 0.8, 0.1),
        (one, np.array([0.85]), np.array([0.999]), 0.8, 0.1),
        (np.arange(8) + 8, quarters, choice, 0.5, 0.25),
        (np.arange(8) + 8, quarters, choice, 0.0, 1.0),
        (np.arange(8) + 8, quarters, choice, 0.0, 0.0),
    ]
    return [
        {
            "tokens": tokens,
            "treatment": treatment,
            "choice": choice,
            "config": MaskingConfig(mask_probability=mask, random_probability=random),
            "mask_token_id": 4,
            "vocab_size": 30,
        }
        for tokens, treatment, choice, mask, random in cases
    ]


def shown(
    tokens: np.ndarray,
    treatment: np.ndarray,
    choice: np.ndarray,
    config: MaskingConfig,
    mask_token_id: int,
    vocab_size: int,
    *,
    never_random: bool = False,
    all_masked: bool = False,
    fixed_shares: bool = False,
    rounded: bool = False,
    without_specials: bool = False,
    once_for_all: bool = False,
    scaled: bool = True,
    borders_in: bool = False,
    turned: bool = False,
    order: tuple[int, int, int] = (0, 1, 2),
) -> np.ndarray:
    """`replace_tokens` with one part exchanged."""
    mask, random = config.mask_probability, config.random_probability
    if fixed_shares:
        mask, random = 0.8, 0.1
    if once_for_all:
        treatment = np.repeat(treatment[:1], len(tokens))
    lowest = 5 if without_specials else 0
    drawn = choice * (vocab_size - lowest) if scaled else choice
    random_tokens = lowest + (np.rint(drawn) if rounded else drawn).astype(np.int64)
    bound = random if never_random else mask + random
    below = np.less_equal if borders_in else np.less
    as_mask = treatment > mask if turned else below(treatment, mask)
    share = np.where(as_mask, 0, np.where(below(treatment, bound), 1, 2))
    if all_masked:
        share[:] = 0
    ways = np.full(len(tokens), mask_token_id), random_tokens, tokens
    result: np.ndarray = np.choose(share, [ways[which] for which in order])
    return result


def only_on_borders(trials: Sequence[Trial]) -> bool:
    """Whether only tokens are wrong whose treatment is a border of a share to the last digit."""
    for trial in apart(trials):
        config = trial.arguments["config"]
        bounds = config.mask_probability, config.mask_probability + config.random_probability
        wrong = trial.answer != trial.expected
        if not np.isin(trial.arguments["treatment"][wrong], bounds).all():
            return False
    return True


def draw_lengths(rng: np.random.Generator) -> dict[str, Any]:
    """Lengths of a few sequences, a rate and a limit that is often none."""
    longest = int(rng.choice([12, 60, 512]))
    return {
        "lengths": rng.integers(1, longest + 1, size=rng.integers(1, 9)),
        "rate": float(rng.choice([0.15, 0.15, 0.25, 0.3, 0.4])),
        "max_predictions": None if rng.random() < 0.5 else int(rng.integers(1, 25)),
    }


def short_lengths(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Lengths at which the rule's parts meet: halves, the least of one, the limit."""
    cases: list[tuple[list[int], float, int | None]]
    cases = [([1], 0.15, None), ([10], 0.15, None), ([30], 0.15, None), ([50], 0.15, None)]
    cases += [([2, 6, 10], 0.25, None), ([136, 137], 0.15, 20), ([1, 5], 0.15, 1)]
    return [
        {"lengths": np.array(lengths), "rate": rate, "max_predictions": most}
        for lengths, rate, most in cases
    ]


def budgets(
    lengths: np.ndarray,
    rate: float,
    max_predictions: int | None,
    *,
    rounding: str = "even",
    least: int = 1,
    limited: bool = True,
    specials_left_out: bool = False,
    rate_as: str = "it is",
    only_limit: bool = False,
) -> Any:
    """`masking_budget` with one part exchanged."""
    if only_limit and max_predictions is not None:
        return max_predictions
    rate = {"it is": rate, "whole": float(int(rate)), "left out": 1.0}[rate_as]
    exact = rate * (np.maximum(lengths - 3, 0) if specials_left_out else lengths)
    if rounding == "half up":
        exact = np.floor(exact + 0.5)
    elif rounding == "down":
        exact = np.floor(exact)
    elif rounding == "up":
        exact = np.ceil(exact)
    budget = np.maximum(least, np.rint(exact).astype(np.int64))
    if max_predictions is not None and limited:
        budget = np.minimum(budget, max_predictions)
    return budget
