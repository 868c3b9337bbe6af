"""Exercises 3.4 to 3.6: the feed-forward block, the order in a layer, and the layer repeated."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib.model.encoder import share_across_depth
from albert_lib.model.layer import feed_forward, gelu_new, post_norm_layer
from albert_lib.workbook.exercise import Exercise, Misconception, Trial
from albert_lib.workbook.exercises.drawn_modules import decimals, draw_linear, draw_norm

TOLERANCE = 1e-5
Drawn = dict[str, Any]
Map = Callable[[Tensor], Tensor]


def draw_states(rng: np.random.Generator, width: int, scale: float = 1.0) -> Tensor:
    """States of one to three texts of one to four tokens."""
    return decimals(rng, int(rng.integers(1, 4)), int(rng.integers(1, 5)), width, scale=scale)


# -- 3.4: feed-forward


def draw_block(rng: np.random.Generator, width: int = 0) -> Drawn:
    """States large enough that the two GELUs differ, and both maps."""
    width, inner = width or int(rng.integers(1, 5)), int(rng.integers(2, 9))
    return {
        "hidden": draw_states(rng, width, scale=2.0),
        "intermediate": draw_linear(rng, width, inner),
        "projection": draw_linear(rng, inner, width),
    }


def expand(
    hidden: Tensor,
    intermediate: nn.Linear,
    projection: nn.Linear,
    *,
    activation: Map = gelu_new,
    place: str = "between",
    added: bool = False,
) -> Tensor:
    """The block with parts of it done wrong."""
    inner = intermediate(hidden)
    if place in ("between", "both"):
        inner = activation(inner)
    outer = projection(inner)
    if place in ("last", "both"):
        outer = activation(outer)
    return hidden + outer if added else outer


def largest_gap(trials: Sequence[Trial]) -> float:
    """The largest difference between the answers and the library's."""
    return max(
        ((trial.answer - trial.expected).abs().max().item() for trial in trials), default=0.0
    )


FEED_FORWARD = Exercise(
    id="3.4",
    title="Feed-forward",
    difficulty=1,
    minutes=5,
    points=1,
    solution=feed_forward,
    draw=draw_block,
    borders=lambda rng: [draw_block(rng, width=1)],
    tolerance=TOLERANCE,
    gradients=("hidden", "intermediate", "projection"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "exact gelu",
            partial(expand, activation=F.gelu),
            lambda trials: (
                "Nearly: you are at most "
                f"{largest_gap(trials):.1e} off. F.gelu is the exact form with erf; ALBERT's "
                'gelu_new is the tanh form, F.gelu(…, approximate="tanh").'
            ),
        ),
        Misconception(
            "relu",
            partial(expand, activation=F.relu),
            "You activate with a ReLU, as the first Transformer did. BERT and ALBERT use a GELU, "
            "which is smooth and lets small negative numbers through.",
        ),
        Misconception(
            "no activation",
            partial(expand, place="nowhere"),
            "Nothing is between your two maps. Two linear maps in a row are one linear map: "
            "expanding to 4H and back would be of no use.",
        ),
        Misconception(
            "activation last",
            partial(expand, place="last"),
            "You activate after the second map. The GELU belongs between the two, at the wide "
            "place; what goes out must be free to be negative.",
        ),
        Misconception(
            "activated twice",
            partial(expand, place="both"),
            "You activate after both maps. One GELU, between them; behind the projection comes "
            "nothing.",
        ),
        Misconception(
            "added here",
            partial(expand, added=True),
            "You add the input to the result. The layer does that around the block (exercise "
            "3.5); added here too, it would count twice.",
        ),
    ),
    hints=(
        "(…, H) comes in, `intermediate` makes (…, 4H) of it, `projection` goes back to (…, H). "
        "Both are modules: call them.",
        "Two maps with one activation between them, the GELU in its tanh form. Every token is "
        "worked on alone, so there is nothing to do about positions.",
        '`projection(F.gelu(intermediate(hidden), approximate="tanh"))`.',
    ),
)


# -- 3.5: the order in a layer


def draw_layer(rng: np.random.Generator) -> Drawn:
    """States, two norms, and a linear map each in the place of attention and feed-forward."""
    width = int(rng.integers(3, 6))
    return {
        "hidden": draw_states(rng, width),
        "attention": draw_linear(rng, width, width),
        "attention_norm": draw_norm(rng, width),
        "feed_forward": draw_linear(rng, width, width),
        "feed_forward_norm": draw_norm(rng, width),
    }


def one_layer(
    hidden: Tensor,
    attention: Map,
    attention_norm: nn.LayerNorm,
    feed_forward: Map,
    feed_forward_norm: nn.LayerNorm,
    *,
    norm: str = "after",
    added: str = "own input",
    norms: str = "own",
    order: str = "attention first",
) -> Tensor:
    """The layer with parts of it done wrong."""
    halves = [(attention, attention_norm), (feed_forward, feed_forward_norm)]
    if norms == "the first twice":
        halves[1] = (feed_forward, attention_norm)
    elif norms == "exchanged":
        halves = [(attention, feed_forward_norm), (feed_forward, attention_norm)]
    if order == "feed-forward first":
        halves.reverse()
    state = hidden
    for half, its_norm in halves:
        kept = {"own input": state, "nothing": torch.zeros_like(state)}.get(added, hidden)
        if norm == "before":
            state = kept + half(its_norm(state))
        elif norm == "inside":
            state = kept + its_norm(half(state))
        else:
            state = its_norm(kept + half(state))
    return state


LAYER = Exercise(
    id="3.5",
    title="Add, then normalise",
    difficulty=2,
    minutes=10,
    points=2,
    solution=post_norm_layer,
    draw=draw_layer,
    tolerance=TOLERANCE,
    gradients=("hidden", "attention", "attention_norm", "feed_forward", "feed_forward_norm"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "norms before",
            partial(one_layer, norm="before"),
            "You normalise before each half (pre-LayerNorm, as GPT-2 does). In BERT and ALBERT "
            "the norm is taken of the sum: norm(x + half(x)).",
        ),
        Misconception(
            "norm inside",
            partial(one_layer, norm="inside"),
            "You normalise what a half returns and then add: x + norm(half(x)). The norm comes "
            "last, over the sum, so that what leaves the layer is normalised.",
        ),
        Misconception(
            "nothing added",
            partial(one_layer, added="nothing"),
            "Nothing is added: norm(half(x)). Each half only corrects its input, which goes "
            "around it: norm(x + half(x)). Without that way round, a deep model cannot be "
            "trained.",
        ),
        Misconception(
            "the layer's input added twice",
            partial(one_layer, added="the layer's input"),
            "To the feed-forward block's result you add what came into the layer. Its own input "
            "is wanted, the normalised sum behind the attention; a new name for each state helps.",
        ),
        Misconception(
            "one norm twice",
            partial(one_layer, norms="the first twice"),
            "You use attention_norm in both places. The two norms look alike, and each has a "
            "scale and a shift of its own.",
        ),
        Misconception(
            "norms exchanged",
            partial(one_layer, norms="exchanged"),
            "The two norms are exchanged: attention_norm belongs to the sum with the attention, "
            "feed_forward_norm to the sum with the feed-forward block.",
        ),
        Misconception(
            "feed-forward first",
            partial(one_layer, order="feed-forward first"),
            "The feed-forward block is your first half. Attention comes first: a token hears its "
            "neighbours, then thinks about what it heard.",
        ),
    ),
    hints=(
        "Every state has one shape, (batch, seq, H). `attention` and `feed_forward` take a state "
        "and return one; so do the norms.",
        "Two lines of one form, x ← norm(x + half(x)): first with the attention and its norm, "
        "then with the feed-forward block and its own. The second line starts from what the "
        "first one made.",
        "`hidden = attention_norm(hidden + attention(hidden))`, and the other half likewise.",
    ),
)


# -- 3.6: the layer repeated


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
) -> Any:
    """The repetition with parts of it done wrong."""
    states = [hidden]
    for _ in range(num_hidden_layers + times):
        applied = copy.deepcopy(layer) if copies else layer
        states.append(applied(states[-1] if of == "the last state" else hidden))
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
    tolerance=TOLERANCE,
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
