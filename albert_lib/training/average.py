"""A running mean of the weights, over the steps of a run.

Late in a run the weights move around a good place more than towards it; their mean lies nearer.
PyTorch's `AveragedModel` keeps it. After each step the mean m of every weight w becomes
decay · m + (1 − decay) · w, so that a step counts for 1 / (1 − decay) steps or so.
"""

from __future__ import annotations

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from albert_lib.model import AlbertForPreTraining
from albert_lib.training.saved_tensors import weights


def running_mean(model: AlbertForPreTraining, decay: float) -> AveragedModel:
    """Return the running mean of a model's weights, not yet begun: its first update copies them.

    `.module` is the model that has these weights, in evaluation mode; `update_parameters(model)`
    is called after every step.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> model = AlbertForPreTraining(AlbertConfig(hidden_size=24, vocab_size=9))
        >>> mean = running_mean(model, decay=0.9)
        >>> for value in (0.0, 1.0):
        ...     with torch.no_grad():
        ...         _ = model.mlm_head.bias.fill_(value)
        ...     mean.update_parameters(model)
        >>> round(mean.module.mlm_head.bias[0].item(), 3)
        0.1
    """
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=False)
    mean.eval().requires_grad_(False)
    return mean


@torch.no_grad()
def copy_mean(mean: AveragedModel, model: AlbertForPreTraining) -> None:
    """Give `model` the mean weights.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> model = AlbertForPreTraining(AlbertConfig(hidden_size=24, vocab_size=9))
        >>> mean = running_mean(model, decay=0.9)
        >>> mean.update_parameters(model)
        >>> _ = torch.nn.init.ones_(model.mlm_head.bias)
        >>> copy_mean(mean, model)
        >>> model.mlm_head.bias.sum().item()
        0.0
    """
    own = weights(model)
    for name, tensor in weights(mean.module).items():
        own[name].copy_(tensor)
