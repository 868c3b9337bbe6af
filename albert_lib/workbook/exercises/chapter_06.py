"""Exercises of chapter 6: probing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from albert_lib.probing.template_probe import log_odds_gap, log_probability_gap
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial
from albert_lib.workbook.exercises.bootstrap_exercise import BOOTSTRAP
from albert_lib.workbook.exercises.holm_exercise import HOLM
from albert_lib.workbook.exercises.town_exercises import DIAL, SLOPE


def draw_logits(rng: np.random.Generator) -> dict[str, Any]:
    """Logits of a few templates in two contexts, which lie at different heights."""
    shape = (int(rng.integers(1, 5)), int(rng.integers(2, 8)))
    dtype = torch.float64 if rng.random() < 0.2 else torch.float32
    a, b = (
        torch.from_numpy(rng.normal(scale=1.5, size=shape) + rng.uniform(-4, 4)).to(dtype)
        for _ in range(2)
    )
    return {"logits_a": a, "logits_b": b}


# -- 6.3: the gap


def draw_contexts(rng: np.random.Generator) -> dict[str, Any]:
    """Two contexts, and the token that is asked about."""
    logits = draw_logits(rng)
    return {**logits, "token_id": int(rng.integers(logits["logits_a"].shape[1]))}


def two_alike(rng: np.random.Generator) -> Sequence[Arguments]:
    """Contexts that differ in height alone, so that the gap is 0; the first and the last token."""
    a = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, -1.0]])
    return [{"logits_a": a, "logits_b": a + 5.0, "token_id": token} for token in (0, 2)]


def gap_like(
    logits_a: Tensor,
    logits_b: Tensor,
    token_id: int,
    *,
    of: Literal["logarithms", "logits", "probabilities", "odds", "over templates"] = "logarithms",
    one_side: Literal["neither", "a", "b"] = "neither",
    contexts: Literal["a less b", "b less a", "a alone", "added"] = "a less b",
    base: float = math.e,
    exponential: bool = False,
    averaged: bool = False,
) -> Tensor:
    """The gap with one part exchanged; `one_side` is left as logits."""
    scores = {
        "logarithms": lambda logits: logits.log_softmax(dim=-1),
        "logits": lambda logits: logits,
        "probabilities": lambda logits: logits.softmax(dim=-1),
        "odds": lambda logits: logits.softmax(dim=-1).logit(),
        "over templates": lambda logits: logits.log_softmax(dim=0),
    }[of]
    a = (logits_a if one_side == "a" else scores(logits_a))[..., token_id]
    b = (logits_b if one_side == "b" else scores(logits_b))[..., token_id]
    gap = {"a less b": a - b, "b less a": b - a, "a alone": a, "added": a + b}[contexts]
    gap = gap / math.log(base)
    if exponential:
        gap = gap.exp()
    return gap.mean() if averaged else gap


def height_difference(trials: Sequence[Trial]) -> str:
    """The first template's gap, as answered and as it is."""
    answer, expected = trials[0].answer.flatten()[0], trials[0].expected.flatten()[0]
    return f"{answer:.2f} where the gap is {expected:.2f}"


GAP = Exercise(
    id="6.3",
    title="The gap between two contexts",
    difficulty=1,
    minutes=10,
    points=2,
    solution=log_probability_gap,
    draw=draw_contexts,
    borders=two_alike,
    leaves_inputs=True,
    tolerance=1e-5,
    misconceptions=(
        Misconception(
            "raw logits",
            partial(gap_like, of="logits"),
            lambda trials: (
                "You subtract logits of two contexts, each with a zero of its own: you get "
                f"{height_difference(trials)}. Add 10 to every logit of A and its "
                "probabilities stay; your answer grows by 10. Take log_softmax first."
            ),
        ),
        Misconception(
            "probabilities subtracted",
            partial(gap_like, of="probabilities"),
            "You subtract probabilities. From 0.001 to 0.002 a word becomes twice as likely, "
            "from 0.500 to 0.501 it hardly changes, and both differ by 0.001. Subtract "
            "logarithms.",
        ),
        Misconception(
            "softmax over the templates",
            partial(gap_like, of="over templates"),
            "Your softmax runs down the templates, so that a token's probabilities in different "
            "sentences add up to 1. They add up over the vocabulary, within one row: dim=-1.",
        ),
        Misconception(
            "A left as logits",
            partial(gap_like, one_side="a"),
            "You turn the logits of B into log-probabilities and leave A's as they are. Both need "
            "it, each by its own rows.",
        ),
        Misconception(
            "B left as logits",
            partial(gap_like, one_side="b"),
            "You turn the logits of A into log-probabilities and leave B's as they are. Both need "
            "it, each by its own rows.",
        ),
        Misconception(
            "A alone",
            partial(gap_like, contexts="a alone"),
            "That is log P(w|A) alone, in which a frequent word is always ahead. The gap takes "
            "log P(w|B) off, and the frequency with it.",
        ),
        Misconception(
            "added",
            partial(gap_like, contexts="added"),
            "You add the two log-probabilities, which makes the logarithm of a product. A gap is a "
            "difference: A less B.",
        ),
        Misconception(
            "no logarithm",
            partial(gap_like, exponential=True),
            "That is the quotient P(w|A) / P(w|B). Its logarithm is asked for: twice and half "
            "as likely then lie equally far from 0, and a mean over templates makes sense.",
        ),
        Misconception(
            "sign turned",
            partial(gap_like, contexts="b less a"),
            "Your sign is turned: A less B, so that a positive gap says that the token is "
            "likelier in A.",
        ),
        Misconception(
            "in bits",
            partial(gap_like, base=2.0),
            "Your logarithm is to base 2, so your gaps are in bits. The workbook counts in "
            "nats: use the natural logarithm.",
        ),
        Misconception(
            "to base 10",
            partial(gap_like, base=10.0),
            "Your logarithm is to base 10. The workbook counts in nats: use the natural "
            "logarithm, `log` rather than `log10`.",
        ),
        Misconception(
            "odds instead of probability",
            partial(gap_like, of="odds"),
            "You compare log p/(1 - p), the token against all others. For a rare word that "
            "is nearly log p, for a likely one it is far from it: take log p.",
        ),
        Misconception(
            "averaged",
            partial(gap_like, averaged=True),
            "You average over the templates. Return one gap a template: their spread is what "
            "the interval will be made of.",
        ),
    ),
    hints=(
        "`logits_a` and `logits_b` are (templates, vocab), `token_id` is one column of both. "
        "One gap a template comes back: (templates,).",
        "A logit says something only in comparison with its own row. Turn each row into log "
        "probabilities, then compare the two contexts.",
        "`logits_a.log_softmax(dim=-1)[..., token_id]`, less the same of `logits_b`.",
    ),
)


# -- 6.5: log-odds, less their prior


def draw_two_tokens(rng: np.random.Generator) -> dict[str, Any]:
    """Two contexts, and two tokens that are held against each other."""
    logits = draw_logits(rng)
    tokens = rng.choice(logits["logits_a"].shape[1], size=2, replace=False)
    return {**logits, "token_a": int(tokens[0]), "token_b": int(tokens[1])}


def log_odds_like(
    logits_a: Tensor,
    logits_b: Tensor,
    token_a: int,
    token_b: int,
    *,
    of: Literal["logits", "probabilities", "first token", "first logit", "all others"] = "logits",
    prior: Literal["taken off", "left out", "added", "divided by"] = "taken off",
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
        }[of]

    a, b = odds(logits_a), odds(logits_b)
    gap = {"taken off": a - b, "left out": a, "added": a + b, "divided by": a / b}[prior]
    gap = (-gap if turned else gap) / math.log(base)
    if exponential:
        gap = gap.exp()
    return gap.mean() if averaged else gap


ODDS = Exercise(
    id="6.5",
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
            "one token",
            partial(log_odds_like, of="first token"),
            "That is the gap of token_a alone, as in exercise 6.3. Whatever a context does to "
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

EXERCISES = (GAP, ODDS, DIAL, SLOPE, BOOTSTRAP, HOLM)
