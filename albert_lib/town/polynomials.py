"""Products of polynomials in t, cut off at a degree: a counter of mismatches.

A text that may be the original one differs from what is shown at some number of visible positions.
Each of them contributes a factor t, so that the coefficient of t^d is the probability of all
texts that differ at d positions. Coefficients lie along the last axis, from t^0 up.
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
    """Multiply by constant + slope · t.

    Example:
        >>> import torch
        >>> from albert_lib.town.polynomials import one, times_linear
        >>> two, three = torch.tensor([[2.0], [3.0]], dtype=torch.float64)
        >>> times_linear(one(3), two, three).tolist()  # 2 + 3 t
        [2.0, 3.0, 0.0]
    """
    same = polynomial * constant
    if polynomial.shape[-1] == 1:
        return same + 0 * slope  # of the same shape, whatever was cut off
    return same + F.pad(polynomial[..., :-1] * slope, (1, 0))


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """Multiply two polynomials cut off at the same degree.

    Example:
        >>> import torch
        >>> from albert_lib.town.polynomials import times
        >>> left = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
        >>> times(left, left).tolist()  # (1 + t)²
        [1.0, 2.0, 1.0]
    """
    degrees = range(1, left.shape[-1] + 1)
    terms = [(left[..., :d] * right[..., :d].flip(-1)).sum(dim=-1) for d in degrees]
    return torch.stack(terms, dim=-1)


def one(degrees: int) -> Polynomial:
    """The polynomial 1.

    Example:
        >>> from albert_lib.town.polynomials import one
        >>> one(3).tolist()
        [1.0, 0.0, 0.0]
    """
    return F.pad(torch.ones(1, dtype=torch.float64), (0, degrees - 1))
