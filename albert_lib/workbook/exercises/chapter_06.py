"""Exercises of chapter 6: probing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.probing.template_probe import log_probability_gap
from albert_lib.workbook.exercise import Exercise, Misconception, Trial


def draw_contexts(rng: np.random.Generator) -> dict[str, Any]:
    """Logits of a few templates in two contexts, which lie at different heights."""
    shape = (int(rng.integers(1, 5)), int(rng.integers(4, 8)))
    a, b = (
        torch.from_numpy(rng.normal(scale=1.5, size=shape) + rng.uniform(-4, 4)).float()
        for _ in range(2)
    )
    return {"logits_a": a, "logits_b": b, "token_id": int(rng.integers(shape[1]))}


def raw_logits(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """The difference of the logits as they stand."""
    return logits_a[..., token_id] - logits_b[..., token_id]


def probabilities_subtracted(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """The difference of the probabilities."""
    return raw_logits(logits_a.softmax(dim=-1), logits_b.softmax(dim=-1), token_id)


def quotient_without_logarithm(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """The quotient of the probabilities."""
    return log_probability_gap(logits_a, logits_b, token_id).exp()


def sign_turned(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """B less A."""
    return log_probability_gap(logits_b, logits_a, token_id)


def in_bits(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """With logarithms to base 2."""
    return log_probability_gap(logits_a, logits_b, token_id) / math.log(2)


def in_tens(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """With logarithms to base 10."""
    return log_probability_gap(logits_a, logits_b, token_id) / math.log(10)


def log_odds_instead(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """The token against all others, log p/(1 - p), in A less in B."""
    odds_a, odds_b = (logits.softmax(dim=-1).logit() for logits in (logits_a, logits_b))
    return raw_logits(odds_a, odds_b, token_id)


def averaged(logits_a: Tensor, logits_b: Tensor, token_id: int) -> Tensor:
    """One mean over the templates."""
    return log_probability_gap(logits_a, logits_b, token_id).mean()


def height_difference(trials: Sequence[Trial]) -> str:
    """The first template's gap, as answered and as it is."""
    answer, expected = trials[0].answer.flatten()[0], trials[0].expected.flatten()[0]
    return f"{answer:.2f} where the gap is {expected:.2f}"


EXERCISES = (
    Exercise(
        id="6.3",
        title="The gap between two contexts",
        difficulty=1,
        minutes=10,
        points=2,
        solution=log_probability_gap,
        draw=draw_contexts,
        tolerance=1e-5,
        misconceptions=(
            Misconception(
                "raw logits",
                raw_logits,
                lambda trials: (
                    "You subtract logits of two contexts, each with a zero of its own: you get "
                    f"{height_difference(trials)}. Add 10 to every logit of A and its "
                    "probabilities stay; your answer grows by 10. Take log_softmax first."
                ),
            ),
            Misconception(
                "probabilities subtracted",
                probabilities_subtracted,
                "You subtract probabilities. From 0.001 to 0.002 a word becomes twice as likely, "
                "from 0.500 to 0.501 it hardly changes, and both differ by 0.001. Subtract "
                "logarithms.",
            ),
            Misconception(
                "no logarithm",
                quotient_without_logarithm,
                "That is the quotient P(w|A) / P(w|B). Its logarithm is asked for: twice and half "
                "as likely then lie equally far from 0, and a mean over templates makes sense.",
            ),
            Misconception(
                "sign turned",
                sign_turned,
                "Your sign is turned: A less B, so that a positive gap says that the token is "
                "likelier in A.",
            ),
            Misconception(
                "in bits",
                in_bits,
                "Your logarithm is to base 2, so your gaps are in bits. The workbook counts in "
                "nats: use the natural logarithm.",
            ),
            Misconception(
                "to base 10",
                in_tens,
                "Your logarithm is to base 10. The workbook counts in nats: use the natural "
                "logarithm, `log` rather than `log10`.",
            ),
            Misconception(
                "odds instead of probability",
                log_odds_instead,
                "You compare log p/(1 - p), the token against all others. For a rare word that "
                "is nearly log p, for a likely one it is far from it: take log p.",
            ),
            Misconception(
                "averaged",
                averaged,
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
    ),
)
