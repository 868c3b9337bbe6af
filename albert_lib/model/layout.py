"""How a matrix lies in memory: the same numbers, in the order that is read faster.

A linear layer stores its weights row by row. With only a few tokens to work on, MKL, the matrix
library of PyTorch on x86 processors, reads large matrices with at least as many outputs as inputs
faster column by column: 1.1 to 1.6 times as fast at xlarge shape (`python -m benchmarks.fill_mask`
measures it). With many tokens, or more inputs than outputs, the two orders are alike or rows win.

The order changes the last digits of results, so it follows from PyTorch's build and the shape of a
matrix alone, never from a stopwatch: the same machine gives the same numbers, however busy it is.
"""

from __future__ import annotations

import os
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from albert_lib.errors import ConfigError

MatrixOrder = Literal["rows", "columns"]
ORDER_VARIABLE = "ALBERT_LIB_MATRIX_ORDER"
SMALLEST = 2**20  # numbers; a smaller matrix stays in the cache, where any order is fast


def matrix_order() -> MatrixOrder:
    """The order for large matrices on this machine: columns where PyTorch computes with MKL.

    The environment variable ALBERT_LIB_MATRIX_ORDER (rows or columns) decides instead where it is
    set. Raises ConfigError for another value of it.

    Example:
        >>> from albert_lib.model.layout import matrix_order
        >>> matrix_order() in ("rows", "columns")
        True
    """
    forced = os.environ.get(ORDER_VARIABLE)
    if forced is None:
        return "columns" if torch.backends.mkl.is_available() else "rows"
    for order in get_args(MatrixOrder):
        if forced == order:
            chosen: MatrixOrder = order
            return chosen
    raise ConfigError(
        f"{ORDER_VARIABLE}={forced!r} is no order of matrices; set it to rows or columns, or "
        f"unset it."
    )


@torch.no_grad()
def store_for_few_tokens(model: nn.Module) -> MatrixOrder:
    """Store the large matrices of linear layers in the order that suits a few tokens; return it.

    Shapes, names and results stay the same, the latter to rounding. One matrix at a time is in
    memory twice. Matrices on an accelerator stay as they are.

    Example:
        >>> import torch
        >>> from albert_lib.model.layout import store_for_few_tokens
        >>> layer = torch.nn.Linear(1024, 1024)
        >>> order = store_for_few_tokens(layer)
        >>> layer.weight.is_contiguous() == (order == "rows")
        True
    """
    order = matrix_order()
    if order == "columns":
        for module in model.modules():
            if isinstance(module, nn.Linear) and columns_suit(module.weight):
                module.weight.data = by_columns(module.weight)
    return order


def columns_suit(weight: Float[Tensor, "outputs inputs"]) -> bool:
    """Whether MKL reads this matrix faster by columns, by its size and shape alone.

    Example:
        >>> import torch
        >>> from albert_lib.model.layout import columns_suit
        >>> columns_suit(torch.zeros(8192, 2048)), columns_suit(torch.zeros(2048, 8192))
        (True, False)
    """
    outputs, inputs = weight.shape
    return weight.device.type == "cpu" and weight.numel() >= SMALLEST and outputs >= inputs


def by_columns(weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
    """The same matrix, stored column by column.

    Example:
        >>> import torch
        >>> from albert_lib.model.layout import by_columns
        >>> by_columns(torch.zeros(3, 2)).stride()
        (1, 3)
    """
    return weight.detach().t().contiguous().t()
