"""Exercise 5.1: one step of LAMB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from albert_lib.training.lamb import lamb_update
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception

Step = tuple[Tensor, Tensor, Tensor]  # the new parameter, exp_avg and exp_avg_sq
Ratio = Callable[[Tensor, Tensor], Tensor]
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


def trust_ratio(parameter: Tensor, update: Tensor) -> Tensor:
    """The length of the parameter over that of its update, 1 where either is 0."""
    lengths = parameter.norm(), update.norm()
    return lengths[0] / lengths[1] if min(lengths) > 0 else torch.ones_like(lengths[0])


def no_ratio(parameter: Tensor, update: Tensor) -> Tensor:
    """No ratio: plain Adam with decoupled decay."""
    return torch.ones_like(parameter.norm())


def inverted(parameter: Tensor, update: Tensor) -> Tensor:
    """The update's length over the parameter's."""
    return trust_ratio(update, parameter)


def unguarded(parameter: Tensor, update: Tensor) -> Tensor:
    """The bare quotient of the lengths: 0 for a parameter of zeros."""
    return parameter.norm() / update.norm()


def half_guarded(parameter: Tensor, update: Tensor) -> Tensor:
    """The quotient, 1 for a parameter of zeros; infinite for an update of zeros."""
    return unguarded(parameter, update) if parameter.norm() > 0 else no_ratio(parameter, update)


def limited(parameter: Tensor, update: Tensor) -> Tensor:
    """The ratio cut off at 10, as in several implementations."""
    return trust_ratio(parameter, update).clamp(max=10)


def per_element(parameter: Tensor, update: Tensor) -> Tensor:
    """One ratio for each element instead of one for the variable."""
    both = (parameter != 0) & (update != 0)
    return torch.where(both, parameter.abs() / update.abs(), 1.0)


def squared(parameter: Tensor, update: Tensor) -> Tensor:
    """The quotient of the sums of squares, whose root was forgotten."""
    return trust_ratio(parameter, update).square()


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
    decay: Literal["in the update", "in the gradient", "outside", "none"] = "in the update",
    shares_exchanged: bool = False,
    eps_in_root: bool = False,
    root: bool = True,
    means_of_before: bool = False,
    uphill: bool = False,
) -> Step:
    """A LAMB step with one part exchanged."""
    decayed = weight_decay * parameter
    if decay == "in the gradient":
        gradient = gradient + decayed
    before = exp_avg, exp_avg_sq
    keep, keep_sq = (1 - beta if shares_exchanged else beta for beta in betas)
    exp_avg = keep * exp_avg + (1 - keep) * gradient
    exp_avg_sq = keep_sq * exp_avg_sq + (1 - keep_sq) * gradient.square()
    mean, square = before if means_of_before else (exp_avg, exp_avg_sq)
    if bias_correction:  # as at the first step: the step's number is not among the arguments
        mean, square = mean / (1 - betas[0]), square / (1 - betas[1])
    if eps_in_root:
        update = mean / (square + eps).sqrt()
    else:
        update = mean / ((square.sqrt() if root else square) + eps)
    if decay == "in the update":
        update = update + decayed
    update = ratio(parameter, update) * update
    if decay == "outside":
        update = update + decayed
    new = parameter + lr * update if uphill else parameter - lr * update
    return new, exp_avg, exp_avg_sq


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
            partial(step, ratio=no_ratio),
            "That is AdamW's step: the trust ratio is missing. LAMB multiplies the update by "
            "the length of the parameter over the length of the update.",
        ),
        Misconception(
            "ratio inverted",
            partial(step, ratio=inverted),
            "Your trust ratio is upside down. A large variable may take a large step: the "
            "parameter's length goes on top, the update's below.",
        ),
        Misconception(
            "zero unguarded",
            partial(step, ratio=unguarded),
            "A variable that is all zeros never leaves zero: its length is 0, so your ratio "
            "is 0 and its step too. Where either length is 0 the ratio is 1.",
        ),
        Misconception(
            "update of zeros unguarded",
            partial(step, ratio=half_guarded),
            "You guard against a parameter of zeros, not against an update of zeros: where no "
            "gradient has arrived and nothing decays, you divide by its length of 0, and "
            "infinity times 0 is nan. Where either length is 0 the ratio is 1.",
        ),
        Misconception(
            "ratio limited",
            partial(step, ratio=limited),
            "You cut the trust ratio off at 10. Some implementations of LAMB do; ALBERT's "
            "leaves it as it comes.",
        ),
        Misconception(
            "ratio per element",
            partial(step, ratio=per_element),
            "You take a ratio for every element. It is one for the whole variable: the "
            "length of all its elements together, √(sum of squares).",
        ),
        Misconception(
            "ratio of squares",
            partial(step, ratio=squared),
            "Your ratio is the square of the trust ratio: you divide the sums of squares. A "
            "length is the root of that sum.",
        ),
        Misconception(
            "shares exchanged",
            partial(step, shares_exchanged=True),
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
            partial(step, root=False),
            "You divide by exp_avg_sq itself. It is a mean of squares, and its root has the "
            "size of a gradient: only with the root does the gradient's size cancel.",
        ),
        Misconception(
            "eps in the root",
            partial(step, eps_in_root=True),
            "You add eps under the root. ALBERT's LAMB adds it to the root: "
            "exp_avg_sq.sqrt() + eps. Under the root 10⁻⁶ counts as 10⁻³ does outside.",
        ),
        Misconception(
            "uphill",
            partial(step, uphill=True),
            "You add the step, and the loss goes up: the gradient points uphill. Subtract "
            "lr × ratio × update.",
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
)
