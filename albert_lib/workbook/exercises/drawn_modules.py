"""Small tensors and modules with drawn, short decimals: nothing in them is 0 or 1 by habit.

A fresh LayerNorm scales by 1 and shifts by 0, so whoever forgets it would not be noticed; and
PyTorch would draw weights from the notebook's own random numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

EPS = 1e-12  # of every LayerNorm in a published ALBERT


def decimals(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    """Normal numbers with two digits behind the point, readable when an input is shown."""
    return torch.from_numpy(rng.normal(scale=scale, size=shape).round(2)).float()


def draw_linear(rng: np.random.Generator, inputs: int, outputs: int) -> nn.Linear:
    """A linear map with a bias."""
    linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    linear.weight = nn.Parameter(decimals(rng, outputs, inputs, scale=inputs**-0.5))
    linear.bias = nn.Parameter(decimals(rng, outputs, scale=0.5))
    return linear


def draw_norm(rng: np.random.Generator, width: int) -> nn.LayerNorm:
    """A LayerNorm whose scale and shift both show."""
    norm = nn.LayerNorm(width, eps=EPS)
    norm.weight = nn.Parameter(1 + decimals(rng, width, scale=0.3))
    norm.bias = nn.Parameter(decimals(rng, width, scale=0.5))
    return norm


def draw_table(rng: np.random.Generator, rows: int, width: int) -> nn.Embedding:
    """A table of `rows` rows."""
    return nn.Embedding(rows, width, _weight=decimals(rng, rows, width))
