"""Answers to the exercises of chapter 4, as a student would write them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def masked_states(hidden: Tensor, labels: Tensor) -> Tensor:
    """The states at the positions that are asked, text by text."""
    text, position = torch.where(labels != -100)
    return hidden[text, position]


def tied_logits(
    states: Tensor, dense: nn.Linear, norm: nn.LayerNorm, words: Tensor, bias: Tensor
) -> Tensor:
    """A score for every piece of the vocabulary."""
    narrow = norm(F.gelu(dense(states), approximate="tanh"))
    return narrow @ words.T + bias


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats over the predicted tokens (labels other than -100)."""
    asked = labels != -100
    log_p = logits[asked].float().log_softmax(dim=-1)
    right = log_p.gather(1, labels[asked].unsqueeze(1))
    return -right.sum() / max(1, len(right))


def pooled_cls(hidden: Tensor, pooler: nn.Linear) -> Tensor:
    """The tanh of the pooler's map of the first token."""
    first = hidden[:, 0, :]
    return pooler(first).tanh()


def sop_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats of the right order."""
    scores = logits.float()
    right = scores[torch.arange(len(labels)), labels]
    return (scores.logsumexp(dim=-1) - right).mean()
