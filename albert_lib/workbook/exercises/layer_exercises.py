"""Exercises 3.4 and 3.5: the feed-forward block, and the order in a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib.model.layer import feed_forward, gelu_new, post_norm_layer
from albert_lib.workbook.exercise import Exercise, Misconception, Trial
from albert_lib.workbook.exercises.drawn_modules import draw_linear, draw_norm, draw_states

TOLERANCE = 1e-5
Drawn = dict[str, Any]
Map = Callable[[Tensor], Tensor]


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
    place: str = "after",
    norms: str = "own",
    order: str = "attention first",
    first: str = "whole",
    second: str = "whole",
) -> Tensor:
    """The layer with parts of it done wrong, in both halves or in the first or second."""
    one, other = {
        "own": (attention_norm, feed_forward_norm),
        "the first twice": (attention_norm, attention_norm),
        "the second twice": (feed_forward_norm, feed_forward_norm),
        "exchanged": (feed_forward_norm, attention_norm),
    }[norms]
    halves = [(attention, one, first), (feed_forward, other, second)]
    if order == "feed-forward first":
        halves.reverse()
    state = hidden
    for half, norm, how in halves:
        kept = hidden if how == "the layer's input" else state
        kept = torch.zeros_like(kept) if how == "not added" else kept
        if how == "not normalised":
            state = kept + half(state)
        elif how == "left out":
            state = norm(kept)
        elif place == "before":
            state = kept + half(norm(state))
        elif place == "inside":
            state = kept + norm(half(state))
        else:
            state = norm(kept + half(state))
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
            partial(one_layer, place="before"),
            "You normalise before each half (pre-LayerNorm, as GPT-2 does). In BERT and ALBERT "
            "the norm is taken of the sum: norm(x + half(x)).",
        ),
        Misconception(
            "norm inside",
            partial(one_layer, place="inside"),
            "You normalise what a half returns and then add: x + norm(half(x)). The norm comes "
            "last, over the sum, so that what leaves the layer is normalised.",
        ),
        Misconception(
            "attention not added",
            partial(one_layer, first="not added"),
            "What the attention returns replaces its input: norm(attention(x)). Each half only "
            "corrects its input, which goes around it: norm(x + attention(x)). Without that way "
            "round, a deep model cannot be trained.",
        ),
        Misconception(
            "feed-forward not added",
            partial(one_layer, second="not added"),
            "What the feed-forward block returns replaces its input: norm(feed_forward(x)). Each "
            "half only corrects its input, which goes around it: norm(x + feed_forward(x)).",
        ),
        Misconception(
            "no norm behind the attention",
            partial(one_layer, first="not normalised"),
            "Behind the attention the norm is missing. Each of the two sums is normalised, by the "
            "norm of its half: attention_norm for the first.",
        ),
        Misconception(
            "no norm at the end",
            partial(one_layer, second="not normalised"),
            "The last sum leaves the layer as it is. It is normalised too, by feed_forward_norm; "
            "else the states would grow with every repetition.",
        ),
        Misconception(
            "no attention",
            partial(one_layer, first="left out"),
            "The attention takes no part: you normalise its input alone. norm(x + attention(x)) "
            "has to be computed.",
        ),
        Misconception(
            "no feed-forward",
            partial(one_layer, second="left out"),
            "The feed-forward block takes no part: in the second half you normalise its input "
            "alone. It is norm(x + feed_forward(x)).",
        ),
        Misconception(
            "the layer's input added twice",
            partial(one_layer, second="the layer's input"),
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
            "the other norm twice",
            partial(one_layer, norms="the second twice"),
            "You use feed_forward_norm in both places. The sum with the attention has a norm of "
            "its own, attention_norm.",
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
