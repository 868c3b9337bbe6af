"""Products of polynomials in t, cut off at a degree: a counter of mismatches.

A text that might have stood here differs from what is shown at some number of visible places.
Every such place contributes a factor t, so that the coefficient of t^d is the probability of all
texts that differ at d places. Polynomials lie along the last axis, from t^0 up.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float64
from torch import Tensor

Polynomial = Float64[Tensor, "*#rows degrees"]


def times_linear(
    polynomial: Polynomial,
    constant: Float64[Tensor, "*#rows 1"],
    slope: Float64[Tensor, "*#rows 1"],
) -> Polynomial:
    """Multiply by constant + slope · t."""
    same = polynomial * constant
    if polynomial.shape[-1] == 1:
        return same + 0 * slope  # of the same shape, whatever was cut off
    return same + F.pad(polynomial[..., :-1] * slope, (1, 0))


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """Multiply two polynomials cut off at the same degree."""
    degrees = range(1, left.shape[-1] + 1)
    terms = [(left[..., :d] * right[..., :d].flip(-1)).sum(dim=-1) for d in degrees]
    return torch.stack(terms, dim=-1)


def one(degrees: int) -> Polynomial:
    """The polynomial 1."""
    return F.pad(torch.ones(1, dtype=torch.float64), (0, degrees - 1))
