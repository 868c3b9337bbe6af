"""The losses: of both pretraining heads, and of tasks."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

NOT_PREDICTED = -100  # the label of a token that the model is not asked to predict


def mlm_loss(
    logits: Float[Tensor, "*positions vocab"], labels: Int[Tensor, "*positions"]
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the predicted tokens alone.

    Positions labelled -100 were not masked: they enter neither the sum nor the count. Zero
    when nothing was masked (transformers gives NaN).

    Example:
        >>> import torch
        >>> from albert_lib.model import mlm_loss
        >>> mlm_loss(torch.zeros(1, 3, 10), torch.tensor([[-100, 7, -100]]))  # ln 10
        tensor(2.3026)
    """
    total = F.cross_entropy(
        logits.flatten(0, -2).float(),
        labels.flatten().long(),
        ignore_index=NOT_PREDICTED,
        reduction="sum",
    )
    n_predicted = (labels != NOT_PREDICTED).sum()
    return total / n_predicted.clamp(min=1)


def sop_loss(logits: Float[Tensor, "batch 2"], labels: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats of "in order" (0) against "swapped" (1).

    Example:
        >>> import torch
        >>> from albert_lib.model import sop_loss
        >>> sop_loss(torch.zeros(2, 2), torch.tensor([0, 1]))  # ln 2
        tensor(0.6931)
    """
    return F.cross_entropy(logits.float(), labels.long())


def classification_loss(logits: Float[Tensor, "batch classes"], labels: Tensor) -> Tensor:
    """The loss of a classifier, chosen as transformers chooses it.

    A single class: mean squared error. Whole-number labels (batch,): cross-entropy in nats.
    Float labels (batch, classes), where several classes may hold: binary cross-entropy.

    Example:
        >>> import torch
        >>> from albert_lib.model.losses import classification_loss
        >>> classification_loss(torch.zeros(1, 2), torch.tensor([1]))  # ln 2
        tensor(0.6931)
        >>> classification_loss(torch.tensor([[3.0]]), torch.tensor([5.0]))
        tensor(4.)
    """
    logits = logits.float()
    if logits.shape[-1] == 1:
        return F.mse_loss(logits.flatten(), labels.flatten().float())
    if labels.is_floating_point():
        return F.binary_cross_entropy_with_logits(logits, labels.float())
    return F.cross_entropy(logits, labels.flatten().long())


def span_loss(
    logits: Float[Tensor, "batch seq"], positions: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats of where an answer starts, or ends.

    Positions beyond the sequence, of answers that were truncated away, do not count.

    Example:
        >>> import torch
        >>> from albert_lib.model.losses import span_loss
        >>> span_loss(torch.zeros(2, 8), torch.tensor([3, 99]))  # ln 8
        tensor(2.0794)
    """
    length = logits.shape[1]
    return F.cross_entropy(
        logits.float(), positions.flatten().long().clamp(0, length), ignore_index=length
    )
