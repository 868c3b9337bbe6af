"""Exercise 5.3: the training step, many times over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from albert_lib.training.lamb import Lamb
from albert_lib.training.plain_loop import training_steps
from albert_lib.workbook.exercise import Arguments, Exercise, Fault, Misconception, Trial, apart

Batch = tuple[Tensor, Tensor]  # inputs and targets, in float64: nothing is lost to rounding
TOLERANCE = 1e-7


def squared_error(model: nn.Module, batch: Batch) -> Tensor:
    """The mean squared difference of a model's answers from the targets of a batch."""
    inputs, targets = batch
    return (model(inputs) - targets).square().mean()


def a_model(rng: np.random.Generator, width: int) -> nn.Sequential:
    """A linear map, or two with a tanh between; all weights drawn from `rng`."""
    inside = int(rng.integers(0, 3))
    if inside == 0:
        model = nn.Sequential(skip_init(nn.Linear, width, 1))
    else:
        first, last = skip_init(nn.Linear, width, inside), skip_init(nn.Linear, inside, 1)
        model = nn.Sequential(first, nn.Tanh(), last)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(size=parameter.shape)))
    return model


def an_optimizer(rng: np.random.Generator, model: nn.Module) -> torch.optim.Optimizer:
    """One of four, with the weights in one group and the biases in another, at other rates."""
    weights = [each for each in model.parameters() if each.ndim == 2]
    biases = [each for each in model.parameters() if each.ndim == 1]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": biases, "weight_decay": 0.0}]
    kind = int(rng.integers(4))
    if kind == 0:
        return torch.optim.SGD(groups, lr=0.7)
    if kind == 1:
        return torch.optim.SGD(groups, lr=0.7, momentum=0.5)
    if kind == 2:
        return torch.optim.AdamW(groups, lr=0.7, weight_decay=0.1)
    return Lamb(groups, lr=0.7, weight_decay=0.1)


def draw_run(rng: np.random.Generator, steps: int | None = None) -> dict[str, Any]:
    """A tiny model, its optimizer, and up to four batches, each with a rate of its own."""
    steps = int(rng.integers(1, 5)) if steps is None else steps
    width, rows = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    model = a_model(rng, width)
    batches = [
        tuple(torch.from_numpy(rng.normal(scale=2.0, size=(rows, n))) for n in (width, 1))
        for _ in range(steps)
    ]
    return {
        "model": model,
        "batches": batches,
        "loss_function": squared_error,
        "optimizer": an_optimizer(rng, model),
        "learning_rates": [float(rng.choice([0.0, 0.05, 0.1, 0.2, 0.4])) for _ in range(steps)],
        "max_grad_norm": float(rng.choice([0.1, 1.0, 1000.0])),
    }


def no_batch_and_one(rng: np.random.Generator) -> Sequence[Arguments]:
    """Runs of no step at all and of a single one."""
    return [draw_run(rng, steps) for steps in (0, 1)]


def steps_like(
    model: nn.Module,
    batches: Sequence[Batch],
    loss_function: Callable[[nn.Module, Batch], Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    learning_rates: Sequence[float],
    max_grad_norm: float,
    clear: Literal["before", "never", "too late"] = "before",
    clip: Literal["together", "not", "each", "values"] = "together",
    rate: Literal["in time", "too late", "first group", "never"] = "in time",
    order: Literal["backward first", "step first"] = "backward first",
    record: Literal["number", "tensor", "after the step"] = "number",
) -> list[Any]:
    """A training loop with one part exchanged."""
    losses: list[Any] = []
    groups = optimizer.param_groups[:1] if rate == "first group" else optimizer.param_groups
    optimizer.zero_grad()
    for batch, learning_rate in zip(batches, learning_rates, strict=True):
        loss = loss_function(model, batch)
        if order == "backward first":
            loss.backward()
        if clear == "too late":
            optimizer.zero_grad()
        _clip(model, clip, max_grad_norm)
        if rate in ("in time", "first group"):
            _set_rate(groups, learning_rate)
        optimizer.step()
        if rate == "too late":
            _set_rate(groups, learning_rate)
        if clear == "before":
            optimizer.zero_grad()
        if order == "step first":
            loss_function(model, batch).backward()
        if record == "after the step":
            loss = loss_function(model, batch)
        losses.append(loss if record == "tensor" else loss.item())
    return losses


def _set_rate(groups: list[dict[str, Any]], learning_rate: float) -> None:
    for group in groups:
        group["lr"] = learning_rate


def _clip(model: nn.Module, how: str, most: float) -> None:
    if how == "together":
        nn.utils.clip_grad_norm_(model.parameters(), most)
    if how == "each":
        for parameter in model.parameters():
            nn.utils.clip_grad_norm_([parameter], most)
    if how == "values":
        nn.utils.clip_grad_value_(model.parameters(), most)


def plain_numbers_that_agree(trials: Sequence[Trial]) -> Fault | None:
    """Every loss a float of Python's own, and all of them the library's."""
    for trial in trials:
        for number, loss in enumerate(trial.answer):
            if not isinstance(loss, float):
                kind = type(loss).__name__
                return Fault(f"Loss {number} of your list is a {kind}; make it a float.", trial)
    wrong = apart(trials, TOLERANCE)
    if not wrong:
        return None
    sentence = f"Your losses differ from albert_lib's on {len(wrong)} of {len(trials)} inputs."
    first = wrong[0]
    pairs = list(zip(first.expected, first.answer, strict=False))
    places = [n for n, (one, other) in enumerate(pairs) if abs(one - other) > TOLERANCE]
    if places and len(first.expected) == len(first.answer):
        one, other = pairs[places[0]]
        sentence += (
            f" In the first of them the loss of step {places[0]} is {one:.6g}, and yours "
            f"{other:.6g}. What a step does shows in the losses after it."
        )
    return Fault(sentence, first)


TRAINING_STEPS = Exercise(
    id="5.3",
    title="The training step",
    difficulty=2,
    minutes=20,
    points=3,
    solution=training_steps,
    draw=draw_run,
    borders=no_batch_and_one,
    judge=plain_numbers_that_agree,
    tolerance=TOLERANCE,
    misconceptions=(
        Misconception(
            "gradients never cleared",
            partial(steps_like, clear="never"),
            "You never clear the gradients: backward adds to what is there, so every step also "
            "follows the gradients of all steps before it. Call optimizer.zero_grad() once a "
            "step, before backward or after the step.",
        ),
        Misconception(
            "never moves",
            partial(steps_like, clear="too late"),
            "Your model never moves: each loss is that of the first weights. Either nobody calls "
            "optimizer.step(), or it finds no gradient: backward is missing, or the gradients are "
            "cleared between backward and the step. Clear them before backward, or after the step.",
        ),
        Misconception(
            "not clipped",
            partial(steps_like, clip="not"),
            "Your steps follow the gradient as it comes, however long. Clip it to max_grad_norm "
            "after backward and before the step: behind the step it is too late.",
        ),
        Misconception(
            "clipped one by one",
            partial(steps_like, clip="each"),
            "You clip each parameter's gradient by itself, which turns the step: a long one is "
            "shortened and a short one beside it is not. All gradients together are one vector; "
            "hand all parameters over in one call.",
        ),
        Misconception(
            "values clipped",
            partial(steps_like, clip="values"),
            "You cut every number of the gradient off at max_grad_norm (clip_grad_value_), which "
            "turns the step. Shorten the whole gradient to that norm: clip_grad_norm_.",
        ),
        Misconception(
            "rate set too late",
            partial(steps_like, rate="too late"),
            "You set the learning rate behind the step, so each step moves at the rate of the one "
            "before it, and the first at whatever the optimizer was made with. Set it before.",
        ),
        Misconception(
            "rate of the first group",
            partial(steps_like, rate="first group"),
            "You set the rate of optimizer.param_groups[0] alone. The biases lie in a group of "
            "their own and go on at the old rate: set it in every group.",
        ),
        Misconception(
            "rate never set",
            partial(steps_like, rate="never"),
            "Your learning_rates change nothing: the optimizer steps at the rate that it was made "
            'with. Each group of optimizer.param_groups has its own under "lr".',
        ),
        Misconception(
            "step before backward",
            partial(steps_like, order="step first"),
            "You step before backward, so each step follows the gradient of the batch before, and "
            "the first follows none. First backward, then the step.",
        ),
        Misconception(
            "loss after the step",
            partial(steps_like, record="after the step"),
            "You ask for the loss again behind the step. Return the one that the gradient came "
            "from: a second look costs another forward pass, and a batch that was just learnt "
            "flatters the model.",
        ),
        Misconception(
            "loss with its graph",
            partial(steps_like, record="tensor"),
            "Your losses are tensors, and each still holds the whole computation that it came "
            "from: a run's memory grows with every step. Keep plain numbers: loss.item().",
        ),
    ),
    hints=(
        "A list of floats comes back, one a batch: loss_function(model, batch) is a tensor of "
        "shape (), and `.item()` makes it a number.",
        "For each batch and its rate: clear the gradients, loss, backward, clip, set the rate in "
        "every group, step. Clipping stands between backward and the step, because it changes "
        "the gradients that the step will use.",
        "`optimizer.zero_grad()`, `loss.backward()`, "
        "`nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)`, "
        '`group["lr"] = learning_rate` for each group of `optimizer.param_groups`, '
        "`optimizer.step()`.",
    ),
)
