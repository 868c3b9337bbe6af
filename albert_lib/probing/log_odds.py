"""The arithmetic of a probe: what changing one word of a context does to a prediction.

Everything is in nats, from rows of logits over the vocabulary; a gap of 0.69 (ln 2) means
twice as likely. Leading axes, such as one row per template, are kept.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def log_probability_gap(
    logits_a: Float[Tensor, "*templates vocab"],
    logits_b: Float[Tensor, "*templates vocab"],
    token_id: int,
) -> Float[Tensor, "*templates"]:
    """How much likelier one piece is in context A than in context B: log P(w|A) − log P(w|B).

    How frequent the piece is cancels; what remains is what the contexts do to it.
    """
    log_probabilities_a = logits_a.log_softmax(dim=-1)  # each context has its own normaliser
    log_probabilities_b = logits_b.log_softmax(dim=-1)
    return log_probabilities_a[..., token_id] - log_probabilities_b[..., token_id]


def log_odds(
    logits: Float[Tensor, "*templates vocab"], token_a: int, token_b: int
) -> Float[Tensor, "*templates"]:
    """How much likelier piece a is than piece b in the same place: log P(a) − log P(b).

    Both share one normaliser, so logits are enough. How frequent the two words are in the
    language is still in it: a positive value alone says nothing about the context.
    """
    return logits[..., token_a] - logits[..., token_b]


def log_odds_gap(
    logits_a: Float[Tensor, "*templates vocab"],
    logits_b: Float[Tensor, "*templates vocab"],
    token_a: int,
    token_b: int,
) -> Float[Tensor, "*templates"]:
    """The log-odds of two pieces in context A less their log-odds in context B.

    Frequencies cancel, and so does whatever context A does to both pieces alike: only what
    distinguishes them is left.
    """
    return log_odds(logits_a, token_a, token_b) - log_odds(logits_b, token_a, token_b)
