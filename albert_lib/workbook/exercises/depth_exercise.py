"""Exercise 3.6: one layer, applied again and again."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from albert_lib.model.encoder import share_across_depth
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.drawn_modules import draw_linear, draw_states

Drawn = dict[str, Any]
Map = Callable[[Tensor], Tensor]


def draw_depth(rng: np.random.Generator, depth: int = -1) -> Drawn:
    """States, a linear map in the place of a layer, and how often it is applied."""
    width = int(rng.integers(1, 4))
    return {
        "hidden": draw_states(rng, width),
        "layer": draw_linear(rng, width, width),
        "num_hidden_layers": int(rng.integers(1, 6)) if depth < 0 else depth,
    }


def repeat(
    hidden: Tensor,
    layer: Map,
    num_hidden_layers: int,
    *,
    times: int = 0,
    of: str = "the last state",
    kept: str = "all",
    copies: bool = False,
    called: bool = True,
) -> Any:
    """The repetition with parts of it done wrong."""
    states = [hidden]
    for _ in range(num_hidden_layers + times):
        applied = copy.deepcopy(layer) if copies else layer
        state = states[-1] if of == "the last state" else hidden
        states.append(applied(state) if called else state)
    if kept == "the last":
        return states[-1]
    return {"all": states, "outputs": states[1:], "inputs": states[:-1]}[kept]


DEPTH = Exercise(
    id="3.6",
    title="One layer, many times",
    difficulty=1,
    minutes=5,
    points=1,
    solution=share_across_depth,
    draw=draw_depth,
    borders=lambda rng: [draw_depth(rng, depth) for depth in (0, 1, 2)],
    tolerance=1e-5,
    gradients=("hidden", "layer"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "first state missing",
            partial(repeat, kept="outputs"),
            "The state before the first repetition is missing: L repetitions lie between L + 1 "
            "states. Begin the list with `hidden` itself.",
        ),
        Misconception(
            "last state missing",
            partial(repeat, kept="inputs"),
            "You keep what goes into each repetition, so the state after the last is missing: "
            "the one that the heads are to read.",
        ),
        Misconception(
            "only the last",
            partial(repeat, kept="the last"),
            "You return the last state alone. The list of all of them is asked for, from before "
            "the first repetition to after the last: L + 1 states.",
        ),
        Misconception(
            "always from the first state",
            partial(repeat, of="the first state"),
            "You apply the layer to `hidden` every time, so all its results are alike and the "
            "model is one layer deep. Each repetition takes what the one before it made.",
        ),
        Misconception(
            "never applied",
            partial(repeat, called=False),
            "All your states are the first one: `layer` is never called. Each repetition keeps "
            "what it makes of the state before.",
        ),
        Misconception(
            "once too often",
            partial(repeat, times=1),
            "You apply the layer once too often. With num_hidden_layers = L it is applied L "
            "times, which makes L + 1 states with the first.",
        ),
        Misconception(
            "another gradient",
            partial(repeat, copies=True),
            "The numbers are right, but a gradient is not. Either you apply copies of the layer: "
            "today they are equal, but each gets a gradient of its own, and after one step of "
            "training they are L different layers. Or the way back is cut, with detach or the "
            "like. Sharing means the same object, L times, and one gradient for all.",
        ),
    ),
    hints=(
        "A list of L + 1 tensors, all of the shape of `hidden`. For L = 0 it holds `hidden` alone.",
        "A loop without a word about weights: begin with one state, and L times apply `layer` to "
        "the last state so far and keep the result too.",
        "`states = [hidden]`, then `states.append(layer(states[-1]))` for each of "
        "`range(num_hidden_layers)`.",
    ),
)
