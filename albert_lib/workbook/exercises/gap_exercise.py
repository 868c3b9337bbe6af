"""Exercise 6.1: how much likelier a token is in one context than in another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from albert_lib.probing.template_probe import log_probability_gap
from albert_lib.workbook.exercise import Arguments, Exercise, Misconception, Trial


def draw_logits(rng: np.random.Generator) -> dict[str, Any]:
    """Logits of a few templates in two contexts, which lie at different heights."""
    shape = (int(rng.integers(1, 5)), int(rng.integers(2, 8)))
    dtype = torch.float64 if rng.random() < 0.2 else torch.float32
    a, b = (
        torch.from_numpy(rng.normal(scale=1.5, size=shape) + rng.uniform(-4, 4)).to(dtype)
        for _ in range(2)
    )
    return {"logits_a": a, "logits_b": b}


def draw_contexts(rng: np.random.Generator) -> dict[str, Any]:
    """Two contexts, and the token that is asked about."""
    logits = draw_logits(rng)
    return {**logits, "token_id": int(rng.integers(logits["logits_a"].shape[1]))}


def two_alike(rng: np.random.Generator) -> Sequence[Arguments]:
    """Contexts that differ in height alone, so that the gap is 0; the first and the last token."""
    a = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, -1.0]])
    return [{"logits_a": a, "logits_b": a + 5.0, "token_id": token} for token in (0, 2)]


Kind = Literal["logarithms", "logits", "probabilities", "odds", "over templates"]


def score(logits: Tensor, kind: Kind) -> Tensor:
    """What a context's logits are turned into before they are compared."""
    return {
        "logarithms": lambda: logits.log_softmax(dim=-1),
        "logits": lambda: logits,
        "probabilities": lambda: logits.softmax(dim=-1),
        "odds": lambda: logits.softmax(dim=-1).logit(),
        "over templates": lambda: logits.log_softmax(dim=0),
    }[kind]()


def gap_like(
    logits_a: Tensor,
    logits_b: Tensor,
    token_id: int,
    *,
    of_a: Kind = "logarithms",
    of_b: Kind = "logarithms",
    contexts: Literal["a less b", "b less a", "a alone", "added", "a twice"] = "a less b",
    base: float = math.e,
    exponential: bool = False,
    averaged: bool = False,
) -> Tensor:
    """The gap with one part exchanged."""
    a, b = score(logits_a, of_a)[..., token_id], score(logits_b, of_b)[..., token_id]
    gaps = {"a less b": a - b, "b less a": b - a, "a alone": a, "added": a + b, "a twice": a - a}
    gap = gaps[contexts] / math.log(base)
    if exponential:
        gap = gap.exp()
    return gap.mean() if averaged else gap


def height_difference(trials: Sequence[Trial]) -> str:
    """The first template's gap, as answered and as it is."""
    answer, expected = trials[0].answer.flatten()[0], trials[0].expected.flatten()[0]
    return f"{answer:.2f} where the gap is {expected:.2f}"


def of_one_context(name: str, kind: Kind, sentence: str) -> Sequence[Misconception]:
    """A misconception made in A alone, and in B alone."""
    sides = (("A", "B", partial(gap_like, of_a=kind)), ("B", "A", partial(gap_like, of_b=kind)))
    return [
        Misconception(f"{one} {name}", wrong, sentence.format(one=one, other=other))
        for one, other, wrong in sides
    ]


GAP = Exercise(
    id="6.1",
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
            partial(gap_like, of_a="logits", of_b="logits"),
            lambda trials: (
                "You subtract logits of two contexts, each with a zero of its own: you get "
                f"{height_difference(trials)}. Add 10 to every logit of A and its "
                "probabilities stay; your answer grows by 10. Take log_softmax first."
            ),
        ),
        Misconception(
            "probabilities subtracted",
            partial(gap_like, of_a="probabilities", of_b="probabilities"),
            "You subtract probabilities. From 0.001 to 0.002 a word becomes twice as likely, "
            "from 0.500 to 0.501 it hardly changes, and both differ by 0.001. Subtract "
            "logarithms.",
        ),
        Misconception(
            "softmax over the templates",
            partial(gap_like, of_a="over templates", of_b="over templates"),
            "Your softmax runs down the templates, so that a token's probabilities in different "
            "sentences add up to 1. They add up over the vocabulary, within one row: dim=-1.",
        ),
        *of_one_context(
            "left as logits",
            "logits",
            "You turn the logits of {other} into log-probabilities and leave {one}'s as they are. "
            "Both need it, each by its own rows.",
        ),
        *of_one_context(
            "as probabilities",
            "probabilities",
            "You take the probability of {one} and the log-probability of {other}. Both are to be "
            "logarithms: log_softmax in both.",
        ),
        *of_one_context(
            "over the templates",
            "over templates",
            "Your softmax of {one} runs down the templates, that of {other} over the vocabulary. "
            "Probabilities add up to 1 within one row: dim=-1 in both.",
        ),
        Misconception(
            "one context twice",
            partial(gap_like, contexts="a twice"),
            "Your gaps are 0 everywhere: you take one context off itself. A's log-probabilities "
            "come from logits_a, B's from logits_b.",
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
            partial(gap_like, of_a="odds", of_b="odds"),
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
