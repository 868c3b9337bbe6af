"""Exercises of chapter 5: pretraining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.training.lamb import lamb_update
from albert_lib.workbook.exercise import Exercise, Misconception, Trial

Step = tuple[Tensor, Tensor, Tensor]  # the new parameter, exp_avg and exp_avg_sq
Ratio = Callable[[Tensor, Tensor], Tensor]


def draw_step(rng: np.random.Generator) -> dict[str, Any]:
    """A small variable in the middle of training, or at its first step, or still all zero."""
    shape = (int(rng.integers(2, 5)), int(rng.integers(2, 5)))

    def normal(scale: float) -> Tensor:
        return torch.from_numpy(rng.normal(scale=scale, size=shape)).float()

    parameter, gradient = normal(float(rng.choice([0.02, 1.0, 30.0]))), normal(1.0)
    exp_avg, exp_avg_sq = normal(0.5), normal(0.5).square() + 0.01
    if rng.random() < 0.3:
        exp_avg, exp_avg_sq = torch.zeros(shape), torch.zeros(shape)
    if rng.random() < 0.2:
        parameter = torch.zeros(shape)
    return {
        "parameter": parameter,
        "gradient": gradient,
        "exp_avg": exp_avg,
        "exp_avg_sq": exp_avg_sq,
        "lr": 0.1,
        "betas": (0.9, 0.999),
        "eps": 1e-6,
        "weight_decay": 0.1,
    }


def trust_ratio(parameter: Tensor, update: Tensor) -> Tensor:
    """The length of the parameter over that of its update, 1 where either is 0."""
    lengths = parameter.norm(), update.norm()
    return lengths[0] / lengths[1] if min(lengths) > 0 else torch.tensor(1.0)


def step(
    parameter: Tensor,
    gradient: Tensor,
    exp_avg: Tensor,
    exp_avg_sq: Tensor,
    *,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    ratio: Ratio = trust_ratio,
    bias_correction: bool = False,
    decay_in_gradient: bool = False,
    decay_outside: bool = False,
) -> Step:
    """A LAMB step with one part exchanged."""
    beta1, beta2 = betas
    if decay_in_gradient:
        gradient = gradient + weight_decay * parameter
    exp_avg = beta1 * exp_avg + (1 - beta1) * gradient
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * gradient.square()
    mean, square = exp_avg, exp_avg_sq
    if bias_correction:  # as at the first step: the step's number is not among the arguments
        mean, square = mean / (1 - beta1), square / (1 - beta2)
    update = mean / (square.sqrt() + eps)
    if decay_outside:
        update = ratio(parameter, update) * update + weight_decay * parameter
    else:
        if not decay_in_gradient:
            update = update + weight_decay * parameter
        update = ratio(parameter, update) * update
    return parameter - lr * update, exp_avg, exp_avg_sq


def bias_corrected(*tensors: Tensor, **settings: Any) -> Step:
    """With Adam's bias correction."""
    return step(*tensors, **settings, bias_correction=True)


def decay_outside_ratio(*tensors: Tensor, **settings: Any) -> Step:
    """Decay added when the update has been scaled."""
    return step(*tensors, **settings, decay_outside=True)


def decay_in_gradient(*tensors: Tensor, **settings: Any) -> Step:
    """Decay added to the gradient, so that it enters both moments."""
    return step(*tensors, **settings, decay_in_gradient=True)


def no_ratio(*tensors: Tensor, **settings: Any) -> Step:
    """Plain Adam with decoupled decay."""
    return step(*tensors, **settings, ratio=lambda parameter, update: torch.tensor(1.0))


def ratio_inverted(*tensors: Tensor, **settings: Any) -> Step:
    """The update's length over the parameter's."""
    return step(
        *tensors, **settings, ratio=lambda parameter, update: trust_ratio(update, parameter)
    )


def zero_unguarded(*tensors: Tensor, **settings: Any) -> Step:
    """The bare quotient of the lengths: 0 for a parameter of zeros."""
    return step(
        *tensors, **settings, ratio=lambda parameter, update: parameter.norm() / update.norm()
    )


def ratio_limited(*tensors: Tensor, **settings: Any) -> Step:
    """The ratio cut off at 10, as in several implementations."""
    return step(
        *tensors,
        **settings,
        ratio=lambda parameter, update: trust_ratio(parameter, update).clamp(max=10),
    )


def ratio_per_element(*tensors: Tensor, **settings: Any) -> Step:
    """One ratio for each element instead of one for the variable."""

    def ratio(parameter: Tensor, update: Tensor) -> Tensor:
        both = (parameter != 0) & (update != 0)
        return torch.where(both, parameter.abs() / update.abs(), 1.0)

    return step(*tensors, **settings, ratio=ratio)


def first_update_growth(trials: Sequence[Trial]) -> float:
    """How many times longer the first update is without bias correction: from the betas."""
    beta1, beta2 = trials[0].arguments["betas"]
    return float((1 - beta1) / (1 - beta2) ** 0.5)


EXERCISES = (
    Exercise(
        id="5.1",
        title="One step of LAMB",
        difficulty=3,
        minutes=25,
        points=4,
        solution=lamb_update,
        draw=draw_step,
        tolerance=1e-5,
        misconceptions=(
            Misconception(
                "bias-corrected",
                bias_corrected,
                lambda trials: (
                    "You correct the moments' bias, as Adam does; ALBERT's LAMB does not. Its "
                    f"first raw update is {first_update_growth(trials):.1f} times as long as "
                    "yours, and the trust ratio sets the length of the step anyway."
                ),
            ),
            Misconception(
                "decay outside the ratio",
                decay_outside_ratio,
                "You add the weight decay when the update has already been scaled. In LAMB it is "
                "part of the update: add it first, then measure the update's length.",
            ),
            Misconception(
                "decay in the gradient",
                decay_in_gradient,
                "You add the weight decay to the gradient, so it enters both moments and is "
                "divided by the root of the second. LAMB's decay is decoupled, as AdamW's: add "
                "weight_decay × parameter to the finished update.",
            ),
            Misconception(
                "no ratio",
                no_ratio,
                "That is AdamW's step: the trust ratio is missing. LAMB multiplies the update by "
                "the length of the parameter over the length of the update.",
            ),
            Misconception(
                "ratio inverted",
                ratio_inverted,
                "Your trust ratio is upside down. A large variable may take a large step: the "
                "parameter's length goes on top, the update's below.",
            ),
            Misconception(
                "zero unguarded",
                zero_unguarded,
                "A variable that is all zeros never leaves zero: its length is 0, so your ratio "
                "is 0 and its step too. Where either length is 0 the ratio is 1.",
            ),
            Misconception(
                "ratio limited",
                ratio_limited,
                "You cut the trust ratio off at 10. Some implementations of LAMB do; ALBERT's "
                "leaves it as it comes.",
            ),
            Misconception(
                "ratio per element",
                ratio_per_element,
                "You take a ratio for every element. It is one for the whole variable: the "
                "length of all its elements together, √(sum of squares).",
            ),
        ),
        hints=(
            "Four tensors of one shape come in and three go out: the new parameter and the two "
            "moments. The trust ratio is a single number for the whole variable.",
            "Moments as in Adam, without bias correction. The update is exp_avg over the root of "
            "exp_avg_sq (plus eps), plus weight_decay × parameter. Scale it by the parameter's "
            "length over its own; where either is 0, by 1. Then step against it by lr.",
            "`update = exp_avg / (exp_avg_sq.sqrt() + eps) + weight_decay * parameter`, "
            "`ratio = parameter.norm() / update.norm()` if both norms are above 0, else 1, and "
            "the new parameter is `parameter - lr * ratio * update`.",
        ),
    ),
)
