"""Exercise 6.2: the log-odds of two tokens in one context, less those in another."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Literal

import numpy as np
from torch import Tensor

from albert_lib.probing.template_probe import log_odds_gap
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.gap_exercise import draw_logits


def draw_two_tokens(rng: np.random.Generator) -> dict[str, Any]:
    """Two contexts, and two tokens that are held against each other."""
    logits = draw_logits(rng)
    tokens = rng.choice(logits["logits_a"].shape[1], size=2, replace=False)
    return {**logits, "token_a": int(tokens[0]), "token_b": int(tokens[1])}


Kind = Literal[
    "logits",
    "probabilities",
    "first token",
    "first logit",
    "all others",
    "logits added",
    "zero",
]


def log_odds_like(
    logits_a: Tensor,
    logits_b: Tensor,
    token_a: int,
    token_b: int,
    *,
    of: Kind = "logits",
    prior: Literal["taken off", "left out", "added", "divided by", "alone"] = "taken off",
    base: float = math.e,
    turned: bool = False,
    exponential: bool = False,
    averaged: bool = False,
) -> Tensor:
    """The gap of the log-odds with one part exchanged."""

    def odds(logits: Tensor) -> Tensor:
        log_probabilities = logits.log_softmax(dim=-1)
        probabilities = log_probabilities.exp()
        return {
            "logits": logits[..., token_a] - logits[..., token_b],
            "probabilities": probabilities[..., token_a] - probabilities[..., token_b],
            "first token": log_probabilities[..., token_a],
            "first logit": logits[..., token_a],
            "all others": probabilities[..., token_a].logit(),
            "logits added": logits[..., token_a] + logits[..., token_b],
            "zero": logits[..., token_a] - logits[..., token_a],
        }[of]

    a, b = odds(logits_a), odds(logits_b)
    gaps = {"taken off": a - b, "left out": a, "added": a + b, "divided by": a / b}
    gap = (gaps | {"alone": -b})[prior]
    gap = (-gap if turned else gap) / math.log(base)
    if exponential:
        gap = gap.exp()
    return gap.mean() if averaged else gap


ODDS = Exercise(
    id="6.2",
    title="Log-odds, less their prior",
    difficulty=1,
    minutes=8,
    points=2,
    solution=log_odds_gap,
    draw=draw_two_tokens,
    leaves_inputs=True,
    tolerance=2e-5,
    misconceptions=(
        Misconception(
            "context B left out",
            partial(log_odds_like, prior="left out"),
            "Those are the log-odds in context A alone. How frequent the two words are is still in "
            "them: take off the log-odds of context B, which hold the same frequencies.",
        ),
        Misconception(
            "context B added",
            partial(log_odds_like, prior="added"),
            "You add the log-odds of the two contexts, so their frequencies count twice. Subtract: "
            "what both contexts share then cancels.",
        ),
        Misconception(
            "divided by context B",
            partial(log_odds_like, prior="divided by"),
            "You divide the log-odds of A by those of B. Odds are divided, their logarithms are "
            "subtracted; a quotient of logarithms even blows up where B's odds are even.",
        ),
        Misconception(
            "context A left out",
            partial(log_odds_like, prior="alone"),
            "Those are the log-odds of context B, with the sign turned: in context A you take a "
            "token off itself, so nothing is left of it. token_a less token_b, in both contexts.",
        ),
        Misconception(
            "nothing left",
            partial(log_odds_like, of="zero"),
            "Your answers are 0 everywhere: you take a token off itself, or a context off itself. "
            "token_a less token_b, and of that logits_a less logits_b.",
        ),
        Misconception(
            "logits added",
            partial(log_odds_like, of="logits added"),
            "You add the logits of the two tokens, which makes the logarithm of a product. They "
            "are held against each other: token_a less token_b.",
        ),
        Misconception(
            "one token",
            partial(log_odds_like, of="first token"),
            "That is the gap of token_a alone, as in exercise 6.1. Whatever a context does to "
            "all words alike is still in it: take token_b's gap off.",
        ),
        Misconception(
            "one logit",
            partial(log_odds_like, of="first logit"),
            "You subtract one token's logits between contexts, each with a zero of its own. Inside "
            "a context a difference of two logits means something: token_a less token_b first.",
        ),
        Misconception(
            "against all others",
            partial(log_odds_like, of="all others"),
            "You take the odds of token_a against all other tokens, log p/(1 - p). Here it is held "
            "against one other, token_b.",
        ),
        Misconception(
            "probabilities subtracted",
            partial(log_odds_like, of="probabilities"),
            "You subtract probabilities, in which frequent words have all the say. Odds are "
            "quotients: subtract their logarithms, which differ as the logits do.",
        ),
        Misconception(
            "no logarithm",
            partial(log_odds_like, exponential=True),
            "That is the quotient of the odds. Its logarithm is asked for, in nats: 0 then says "
            "that both contexts have the same odds.",
        ),
        Misconception(
            "sign turned",
            partial(log_odds_like, turned=True),
            "Your sign is turned: either the tokens or the contexts are the wrong way round. "
            "token_a over token_b, in A less in B.",
        ),
        Misconception(
            "in bits",
            partial(log_odds_like, base=2.0),
            "Your logarithm is to base 2, so you answer in bits. The workbook counts in nats.",
        ),
        Misconception(
            "averaged",
            partial(log_odds_like, averaged=True),
            "You average over the templates. Return one number a template: their spread is what "
            "the interval will be made of.",
        ),
    ),
    hints=(
        "Both tables of logits are (templates, vocab), each token is a column of them, and one "
        "number a template comes back: (templates,).",
        "In one row both tokens have the same normaliser, so the difference of their logits is "
        "already the difference of their log-probabilities. Take it in A and in B, and compare.",
        "`logits_a[..., token_a] - logits_a[..., token_b]`, less the same of `logits_b`.",
    ),
)
