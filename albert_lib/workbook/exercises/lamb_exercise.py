"""Exercise 5.1: one step of LAMB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.training.lamb import lamb_update
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception
from albert_lib.workbook.exercises import lamb_steps
from albert_lib.workbook.exercises.lamb_steps import shown_mean, step

SHAPES = ((1,), (2,), (5,), (1, 3), (2, 2), (4, 1), (3, 4), (2, 3, 2))


def draw_step(rng: np.random.Generator) -> dict[str, Any]:
    """A small variable, a vector or a matrix, in the middle of training or at its first step.

    Sometimes its length is 0, or its update's.
    """
    shape = SHAPES[int(rng.integers(len(SHAPES)))]
    dtype = torch.float64 if rng.random() < 0.2 else torch.float32

    def normal(scale: float) -> Tensor:
        return torch.from_numpy(rng.normal(scale=scale, size=shape)).to(dtype)

    parameter, gradient = normal(float(rng.choice([0.02, 1.0, 30.0]))), normal(1.0)
    exp_avg, exp_avg_sq = normal(0.5), normal(0.5).square() + 0.01
    weight_decay = float(rng.choice([0.0, 0.01, 0.1, 0.5]))
    zero, kind = torch.zeros(shape, dtype=dtype), rng.random()
    if kind < 0.3:  # the first step
        exp_avg, exp_avg_sq = zero, zero
    if kind < 0.05 or 0.3 <= kind < 0.4:
        parameter = zero
    if 0.05 <= kind < 0.1:  # no gradient has ever arrived, and nothing decays
        gradient, weight_decay = zero, 0.0
    return {
        "parameter": parameter.clone(),
        "gradient": gradient.clone(),
        "exp_avg": exp_avg.clone(),
        "exp_avg_sq": exp_avg_sq.clone(),
        "lr": float(rng.choice([0.001, 0.01, 0.1])),
        "betas": (float(rng.choice([0.8, 0.9, 0.95])), float(rng.choice([0.97, 0.99, 0.999]))),
        "eps": float(rng.choice([1e-6, 1e-3, 0.1])),
        "weight_decay": weight_decay,
    }


def edges_of_a_step(rng: np.random.Generator) -> Sequence[Arguments]:
    """A variable of zeros, and one that gets no gradient: lengths of 0 on either side."""
    settings = {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.0}
    one, zero = torch.tensor([3.0, 4.0]), torch.zeros(2)
    found = []
    for parameter, gradient in ((zero, one), (one, zero), (zero, zero)):
        tensors = (parameter, gradient, zero, zero)
        names = ("parameter", "gradient", "exp_avg", "exp_avg_sq")
        found.append({name: each.clone() for name, each in zip(names, tensors, strict=True)})
    return [{**tensors, **settings} for tensors in found]


# What is said where no one mistake explains everything: which part is wrong, and which are right.
PARTS = (
    Misconception(
        "another order",
        partial(step, returned="means first"),
        "All three are right, in another order. Return the new parameter, then exp_avg, then "
        "exp_avg_sq.",
        lamb_steps.in_another_order,
    ),
    Misconception(
        "other means returned",
        partial(step, returned="old means"),
        "Your new parameter is right, but what you return beside it isn't what you used: return "
        "both running means with the new gradient in them. The next step begins there.",
        lamb_steps.other_means_returned,
    ),
    Misconception(
        "exp_avg",
        partial(step, means="first sum"),
        lambda trials: (
            f"Only exp_avg is wrong, and what follows from it. {shown_mean(trials, 1)}The new mean "
            "is beta1 times the old one plus (1 - beta1) times the gradient."
        ),
        lamb_steps.first_mean_off,
    ),
    Misconception(
        "exp_avg_sq",
        partial(step, means="second sum"),
        lambda trials: (
            f"Only exp_avg_sq is wrong, and what follows from it. {shown_mean(trials, 2)}The new "
            "mean is beta2 times the old one plus (1 - beta2) times the gradient's square."
        ),
        lamb_steps.second_mean_off,
    ),
    Misconception(
        "lengths of 0",
        partial(step, ratio=lamb_steps.zero_ratio),
        "Your step is right but where a length is 0. Where the parameter's length is 0, or the "
        "update's, the ratio is 1, so that a variable of zeros takes a plain step.",
        lamb_steps.only_at_zero,
    ),
    Misconception(
        "length of the step",
        partial(step, rate=False),
        "Both means are right, and your step goes the right way but not as far as it should: look "
        "at the trust ratio and at lr. It is lr × ratio × update, and lr times as long as the "
        "parameter.",
        lamb_steps.length_off,
    ),
    Misconception(
        "direction of the step",
        partial(step, divisor="none"),
        "Both means are right, and so is the length of your step, lr times that of the parameter. "
        "Its direction isn't: look at the update, exp_avg / (exp_avg_sq.sqrt() + eps) + "
        "weight_decay × parameter.",
        lamb_steps.direction_off,
    ),
    Misconception(
        "the step behind the means",
        partial(step, divisor="none", ratio=lamb_steps.no_ratio),
        "Both means are right, and the new parameter is not. Take the rest one at a time: the "
        "update out of the means and the decay, its length, the ratio, and parameter - lr × "
        "ratio × update.",
        lamb_steps.means_right,
    ),
)

LAMB = Exercise(
    id="5.1",
    title="One step of LAMB",
    difficulty=3,
    minutes=25,
    points=4,
    solution=lamb_update,
    draw=draw_step,
    borders=edges_of_a_step,
    leaves_inputs=True,
    tolerance=1e-5,
    misconceptions=(
        Misconception(
            "bias-corrected",
            partial(step, bias_correction=True),
            "You correct the moments' bias, as Adam does; ALBERT's LAMB does not. With the usual "
            f"betas its first raw update is {0.1 / 0.001**0.5:.1f} times as long as yours, and "
            "the trust ratio sets the length of the step anyway.",
        ),
        Misconception(
            "decay outside the ratio",
            partial(step, decay="outside"),
            "You add the weight decay when the update has already been scaled. In LAMB it is "
            "part of the update: add it first, then measure the update's length.",
        ),
        Misconception(
            "decay in the gradient",
            partial(step, decay="in the gradient"),
            "You add the weight decay to the gradient, so it enters both moments and is "
            "divided by the root of the second. LAMB's decay is decoupled, as AdamW's: add "
            "weight_decay × parameter to the finished update.",
        ),
        Misconception(
            "no decay",
            partial(step, decay="none"),
            "Your step leaves weight_decay out. Add weight_decay × parameter to the update, "
            "before you measure its length.",
        ),
        Misconception(
            "no ratio",
            partial(step, ratio=lamb_steps.no_ratio),
            "That is AdamW's step: the trust ratio is missing. LAMB multiplies the update by "
            "the length of the parameter over the length of the update.",
        ),
        Misconception(
            "ratio inverted",
            partial(step, ratio=lamb_steps.inverted),
            "Your trust ratio is upside down. A large variable may take a large step: the "
            "parameter's length goes on top, the update's below.",
        ),
        Misconception(
            "zero unguarded",
            partial(step, ratio=lamb_steps.unguarded),
            "A variable that is all zeros never leaves zero: its length is 0, so your ratio "
            "is 0 and its step too. Where either length is 0 the ratio is 1.",
        ),
        Misconception(
            "update of zeros unguarded",
            partial(step, ratio=lamb_steps.half_guarded),
            "You guard against a parameter of zeros, not against an update of zeros: where no "
            "gradient has arrived and nothing decays, you divide by its length of 0, and "
            "infinity times 0 is nan. Where either length is 0 the ratio is 1.",
        ),
        Misconception(
            "ratio limited",
            partial(step, ratio=lamb_steps.limited),
            "You cut the trust ratio off at 10. Some implementations of LAMB do; ALBERT's "
            "leaves it as it comes.",
        ),
        Misconception(
            "ratio per element",
            partial(step, ratio=lamb_steps.per_element),
            "You take a ratio for every element. It is one for the whole variable: the "
            "length of all its elements together, √(sum of squares).",
        ),
        Misconception(
            "ratio of squares",
            partial(step, ratio=lamb_steps.squared),
            "Your ratio is the square of the trust ratio: you divide the sums of squares. A "
            "length is the root of that sum.",
        ),
        Misconception(
            "shares exchanged",
            partial(step, means="shares exchanged"),
            "Your running means keep 1 - beta of the past and take beta of the new gradient. It "
            "is the other way round: with 0.9 the mean remembers some ten gradients, with yours "
            "hardly one.",
        ),
        Misconception(
            "means of before",
            partial(step, means_of_before=True),
            "Your update is made of the running means as they came in. Take the gradient into "
            "both means first, and divide the new ones; at the first step the old are zeros.",
        ),
        Misconception(
            "root left out",
            partial(step, divisor="square"),
            "You divide by exp_avg_sq itself. It is a mean of squares, and its root has the "
            "size of a gradient: only with the root does the gradient's size cancel.",
        ),
        Misconception(
            "eps in the root",
            partial(step, divisor="eps in root"),
            "You add eps under the root. ALBERT's LAMB adds it to the root: "
            "exp_avg_sq.sqrt() + eps. Under the root 10⁻⁶ counts as 10⁻³ does outside.",
        ),
        Misconception(
            "uphill",
            partial(step, uphill=True),
            "You add the step, and the loss goes up: the gradient points uphill. Subtract "
            "lr × ratio × update.",
        ),
        *PARTS,
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
)
