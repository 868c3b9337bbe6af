"""Steps of LAMB with one part exchanged, and which part of a wrong step is the wrong one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Trial

Step = tuple[Tensor, Tensor, Tensor]  # the new parameter, exp_avg and exp_avg_sq
Ratio = Callable[[Tensor, Tensor], Tensor]
TOLERANCE = 1e-5


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


def zero_ratio(parameter: Tensor, update: Tensor) -> Tensor:
    """0 where either length is 0."""
    lengths = parameter.norm(), update.norm()
    return trust_ratio(parameter, update) if min(lengths) > 0 else torch.zeros_like(lengths[0])


def running_mean(old: Tensor, new: Tensor, beta: float, how: str) -> Tensor:
    """The mean with one gradient more, or one of the mistakes with it."""
    if how == "shares exchanged":
        beta = 1 - beta
    return beta * old + (new if how == "sum" else (1 - beta) * new)


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
    means: Literal["means", "shares exchanged", "first sum", "second sum"] = "means",
    bias_correction: bool = False,
    decay: Literal["in the update", "in the gradient", "outside", "none"] = "in the update",
    divisor: Literal["root", "square", "eps in root", "none"] = "root",
    means_of_before: bool = False,
    uphill: bool = False,
    rate: bool = True,
    returned: Literal["new", "old means", "means first"] = "new",
) -> Step:
    """A LAMB step with one part exchanged."""
    decayed, before = weight_decay * parameter, (exp_avg, exp_avg_sq)
    if decay == "in the gradient":
        gradient = gradient + decayed
    how = means.removeprefix("first "), means.removeprefix("second ")
    exp_avg = running_mean(exp_avg, gradient, betas[0], how[0])
    exp_avg_sq = running_mean(exp_avg_sq, gradient.square(), betas[1], how[1])
    mean, square = before if means_of_before else (exp_avg, exp_avg_sq)
    if bias_correction:  # as at the first step: the step's number is not among the arguments
        mean, square = mean / (1 - betas[0]), square / (1 - betas[1])
    divisors = {"root": square.sqrt() + eps, "square": square + eps, "none": torch.ones(())}
    update = mean / divisors.get(divisor, (square + eps).sqrt())
    if decay == "in the update":
        update = update + decayed
    update = ratio(parameter, update) * update
    if decay == "outside":
        update = update + decayed
    new = parameter - (lr if rate else 1.0) * (-update if uphill else update)
    kept = before if returned == "old means" else (exp_avg, exp_avg_sq)
    return (*kept, new) if returned == "means first" else (new, *kept)


# -- which part of an answer is wrong


def first_mean_off(trials: Sequence[Trial]) -> bool:
    """Only exp_avg is wrong, and what follows from it."""
    return _one_mean_off(trials, wrong=1, right=2)


def second_mean_off(trials: Sequence[Trial]) -> bool:
    """Only exp_avg_sq is wrong, and what follows from it."""
    return _one_mean_off(trials, wrong=2, right=1)


def _one_mean_off(trials: Sequence[Trial], *, wrong: int, right: int) -> bool:
    return all(
        same(each.expected[right], each.answer[right], TOLERANCE)
        and same(step_from_means(each), each.answer[0], TOLERANCE)
        for each in trials
    ) and not all(same(each.expected[wrong], each.answer[wrong], TOLERANCE) for each in trials)


def step_from_means(trial: Trial) -> Tensor:
    """The new parameter that follows from the two means of an answer."""
    given, (_, mean, square) = trial.arguments, trial.answer
    update = mean / (square.sqrt() + given["eps"]) + given["weight_decay"] * given["parameter"]
    update = trust_ratio(given["parameter"], update) * update
    new: Tensor = given["parameter"] - given["lr"] * update
    return new


def other_means_returned(trials: Sequence[Trial]) -> bool:
    """The new parameter is right, and the means beside it are not."""
    return all(same(each.expected[0], each.answer[0], TOLERANCE) for each in trials)


def in_another_order(trials: Sequence[Trial]) -> bool:
    """All three are right, and stand in other places."""
    return any(
        all(
            same(each.expected, tuple(each.answer[place] for place in order), TOLERANCE)
            for each in trials
        )
        for order in ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    )


def means_right(trials: Sequence[Trial]) -> bool:
    """Both means are right, and the new parameter is not."""
    return all(same(each.expected[1:], each.answer[1:], TOLERANCE) for each in trials)


def only_at_zero(trials: Sequence[Trial]) -> bool:
    """Everything is right but for steps in which a length is 0."""
    wrong = [each for each in trials if not same(each.expected, each.answer, TOLERANCE)]
    return means_right(trials) and all(
        not each.arguments["parameter"].any() or same(each.arguments["parameter"], each.expected[0])
        for each in wrong
    )


def length_off(trials: Sequence[Trial]) -> bool:
    """The new parameter lies in the right direction, and too near or too far."""
    return means_right(trials) and all(map(_same_direction, trials))


def direction_off(trials: Sequence[Trial]) -> bool:
    """Where there is a ratio, the new parameter is as far away as it should be, elsewhere."""
    scaled = [each for each in trials if each.arguments["parameter"].any()]
    return means_right(trials) and bool(scaled) and all(map(_same_length, scaled))


def _moves(trial: Trial) -> tuple[Tensor, Tensor]:
    before = trial.arguments["parameter"].double()
    return trial.expected[0].double() - before, trial.answer[0].double() - before


def _same_direction(trial: Trial) -> bool:
    right, made = _moves(trial)
    product = (right * made).sum()
    return bool(product >= 0 and product >= 0.999 * right.norm() * made.norm() - 1e-12)


def _same_length(trial: Trial) -> bool:
    right, made = (each.norm() for each in _moves(trial))
    return bool((right - made).abs() <= 1e-3 * right + 1e-5)


def shown_mean(trials: Sequence[Trial], place: int) -> str:
    """The first wrong number of a mean: what it was made of, and what should have come of it."""
    for trial in trials:
        right, made = trial.expected[place].flatten(), trial.answer[place].flatten()
        off = ~torch.isclose(right, made, rtol=TOLERANCE, atol=TOLERANCE)
        if off.any():
            n = int(off.nonzero()[0])
            name = ("exp_avg", "exp_avg_sq")[place - 1]
            old = trial.arguments[name].flatten()[n].item()
            gradient = trial.arguments["gradient"].flatten()[n].item()
            beta = trial.arguments["betas"][place - 1]
            return (
                f"From {old:.4g} and a gradient of {gradient:.4g}, with a beta of {beta:g}, you "
                f"make {made[n].item():.4g}; it is {right[n].item():.4g}. "
            )
    return ""
