"""Activations that no published ALBERT has, but models of others do."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def quick_gelu(inputs: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """GELU's approximation by a sigmoid (Hendrycks and Gimpel, arXiv 1606.08415, section 2).

    Example:
        >>> import torch
        >>> from albert_lib.model.activations import quick_gelu
        >>> quick_gelu(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.1542,  0.0000,  0.8458])
    """
    return inputs * torch.sigmoid(1.702 * inputs)


def gelu_10(inputs: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Exact GELU, at most 10, as models that are to be quantised have it (arXiv 2004.09602).

    Example:
        >>> import torch
        >>> from albert_lib.model.activations import gelu_10
        >>> gelu_10(torch.tensor([0.0, 12.0]))
        tensor([ 0., 10.])
    """
    return F.gelu(inputs).clamp(-10.0, 10.0)
