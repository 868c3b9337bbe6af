"""Training and evaluation mode of a model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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
