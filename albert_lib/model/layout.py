"""How a matrix lies in memory: the same numbers, in the order that this machine reads faster.

A linear layer keeps its weights row by row. With only a few pieces to work on, some matrix
libraries read them faster column by column: at xlarge shape a sentence of ten pieces took half
the time (`python -m benchmarks.fill_mask` measures it). With many pieces the two are alike.
"""

from __future__ import annotations

import time

import torch
from jaxtyping import Float
from torch import Tensor, nn

FEW_PIECES = 10  # a short sentence, where the order matters most
REPETITIONS = 5
SMALLEST = 2**20  # numbers; a smaller matrix stays in the cache, where any order is quick


@torch.no_grad()
def store_for_few_pieces(model: nn.Module) -> bool:
    """Turn every linear layer's weights to columns if that is faster here; say whether it was.

    Shapes, names and results stay the same to rounding, which is where two runs may differ if
    the clock decides otherwise. One matrix at a time is there twice.
    """
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    largest = max((linear.weight for linear in linears), key=Tensor.numel)
    if largest.device.type != "cpu" or largest.numel() < SMALLEST:
        return False
    if not columns_are_faster(largest):
        return False
    for linear in linears:
        linear.weight.data = by_columns(linear.weight)
    return True


def by_columns(weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
    """The same matrix, stored column by column."""
    return weight.detach().t().contiguous().t()


def columns_are_faster(weight: Float[Tensor, "outputs inputs"]) -> bool:
    """Multiply a few pieces with both, in turns, and compare the quickest of each."""
    pieces = torch.ones(FEW_PIECES, weight.shape[1], dtype=weight.dtype)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    turned = by_columns(weight)
    for _ in range(REPETITIONS):
        for columns, matrix in ((False, weight), (True, turned)):
            began = time.perf_counter()
            nn.functional.linear(pieces, matrix)
            seconds[columns].append(time.perf_counter() - began)
    return min(seconds[True]) < min(seconds[False])
