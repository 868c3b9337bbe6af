"""Training and evaluation mode of a model, and where it computes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Switch dropout off inside the block; afterwards every module is as it was before.

    Example:
        >>> from torch import nn
        >>> from albert_lib.model.modes import evaluation_mode
        >>> dropout = nn.Dropout()
        >>> with evaluation_mode(dropout):
        ...     print(dropout.training)
        False
        >>> dropout.training
        True
    """
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def device_of(model: nn.Module) -> torch.device:
    """The device of a model's weights; the CPU for one without any, which an engine runs.

    Example:
        >>> from torch import nn
        >>> from albert_lib.model.modes import device_of
        >>> device_of(nn.Dropout()).type
        'cpu'
    """
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
