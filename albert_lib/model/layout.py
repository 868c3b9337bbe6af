"""How a matrix lies in memory: the same numbers, in the order that is read faster.

A linear layer stores its weights row by row, and the matrix libraries of PyTorch rearrange them at
every call into blocks that fit the processor's registers. With only a few tokens to work on, that
takes as long as the products. oneDNN can keep the blocks: a shared layer is arranged once and
applied 12 or 24 times. A linear layer of base shape is then 1.3 to 2 times as fast
(`python -m benchmarks.fill_mask` measures whole models). Where PyTorch has MKL alone, large
matrices with at least as many outputs as inputs are read faster column by column.

The order changes the last digits of results, so it follows from PyTorch's build and the shape of a
matrix alone, never from a stopwatch: the same machine gives the same numbers, however busy it is.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from albert_lib.errors import ConfigError
from albert_lib.model.layer import FeedForward, gelu_new

ActivationFunction = Callable[[Tensor], Tensor]
# Activations that oneDNN applies to a product before it is written: their names there.
IN_ONE_GO: dict[ActivationFunction, tuple[str, str]] = {
    F.gelu: ("gelu", "none"),
    gelu_new: ("gelu", "tanh"),
    F.relu: ("relu", ""),
}
MatrixOrder = Literal["packed", "rows", "columns"]
ORDER_VARIABLE = "ALBERT_LIB_MATRIX_ORDER"
SMALLEST = 2**20  # numbers; a smaller matrix stays in the cache, where any order is fast
SMALLEST_PACKED = 2**16  # numbers; rearranging a smaller one at every call takes next to nothing
PACKED_TYPES = (torch.float32, torch.bfloat16)
PACKED_FOR = 16  # tokens at a time; the blocks are the same for 1 and for 512


def matrix_order() -> MatrixOrder:
    """The order for large matrices on this machine: blocks where PyTorch has oneDNN for it.

    The environment variable ALBERT_LIB_MATRIX_ORDER (packed, rows or columns) decides instead
    where it is set. Raises ConfigError for another value of it.

    Example:
        >>> from albert_lib.model.layout import matrix_order
        >>> matrix_order() in ("packed", "rows", "columns")
        True
    """
    forced = os.environ.get(ORDER_VARIABLE)
    if forced is None:
        if can_pack():
            return "packed"
        return "columns" if torch.backends.mkl.is_available() else "rows"
    for order in get_args(MatrixOrder):
        if forced == order:
            chosen: MatrixOrder = order
            return chosen
    raise ConfigError(
        f"{ORDER_VARIABLE}={forced!r} is no order of matrices; set it to packed, rows or columns, "
        f"or unset it."
    )


def can_pack() -> bool:
    """Whether this build of PyTorch multiplies by matrices that oneDNN has arranged.

    The two operations are those of PyTorch's own compiler, and no public interface: so it is asked
    whether they are there.

    Example:
        >>> can_pack() in (True, False)
        True
    """
    has_onednn = torch.backends.mkldnn.is_available() and platform.machine() in ("x86_64", "AMD64")
    operations = torch.ops.mkldnn
    return has_onednn and all(
        hasattr(operations, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


@torch.no_grad()
def store_for_few_tokens(model: nn.Module) -> MatrixOrder:
    """Store the large matrices of linear layers in the order that suits a few tokens; return it.

    Shapes, names and results stay the same, the latter to rounding, and the model can be saved and
    trained as before. In columns, one matrix at a time is in memory twice; packed ones are, from
    their first use on, beside the weights, which as pages of a file can leave the memory. Matrices
    on an accelerator stay as they are.

    Example:
        >>> import torch
        >>> from albert_lib.model.layout import store_for_few_tokens
        >>> model = torch.nn.Sequential(torch.nn.Linear(1024, 1024))
        >>> order = store_for_few_tokens(model)
        >>> model[0].weight.is_contiguous() == (order != "columns")
        True
    """
    order = matrix_order()
    if order == "packed":
        _replace_by_packed(model)
    elif order == "columns":
        for module in model.modules():
            if isinstance(module, nn.Linear) and columns_suit(module.weight):
                module.weight.data = by_columns(module.weight)
    return order


class PackedLinear(nn.Linear):
    """A linear layer that multiplies by a copy of its weights in oneDNN's order.

    The copy is made at the first use without gradients, and again when the weights have changed.
    With gradients, on another device or for another number format it is an ordinary linear layer.

    Example:
        >>> import torch
        >>> layer, inputs = torch.nn.Linear(600, 700), torch.randn(3, 600)
        >>> with torch.no_grad():
        ...     torch.allclose(PackedLinear(layer)(inputs), layer(inputs), atol=1e-5)
        True
    """

    def __init__(self, layer: nn.Linear, activation: ActivationFunction | None = None) -> None:
        """Take over the parameters of `layer`, and the activation that follows it, if any."""
        nn.Module.__init__(self)
        self.activation = activation
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight, self.bias = layer.weight, layer.bias
        self.train(layer.training)
        self._packed: Tensor | None = None
        self._packed_from: tuple[Any, ...] = ()

    def forward(self, input: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The layer's product, from the copy where there can be one."""
        weight = self.weight
        of_one_type = input.dtype == weight.dtype and weight.dtype in PACKED_TYPES
        if torch.is_grad_enabled() or not of_one_type or weight.device.type != "cpu":
            product = F.linear(input, weight, self.bias)
            return product if self.activation is None else self.activation(product)
        state = (weight.data_ptr(), weight._version, weight.dtype)
        if self._packed is None or state != self._packed_from:
            dense = weight.detach().contiguous()
            self._packed = torch.ops.mkldnn._reorder_linear_weight(dense, PACKED_FOR)
            self._packed_from = state
        kind, form = ("none", "") if self.activation is None else IN_ONE_GO[self.activation]
        return torch.ops.mkldnn._linear_pointwise(input, self._packed, self.bias, kind, [], form)

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: everything but the copy, which has no form outside memory."""
        return {**self.__dict__, "_packed": None}


def _as_it_is(inputs: Tensor) -> Tensor:
    return inputs


def _replace_by_packed(model: nn.Module) -> None:
    """Put a PackedLinear in the place of every large linear layer, one for all its places."""
    packed: dict[nn.Module, PackedLinear] = {}
    for parent in list(model.modules()):
        if isinstance(parent, FeedForward) and parent.activation in IN_ONE_GO:
            layer = parent.intermediate
            if layer.weight.numel() >= SMALLEST_PACKED:
                parent.intermediate = PackedLinear(layer, parent.activation)
                parent.activation = _as_it_is  # the linear layer has applied it
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and child.weight.numel() >= SMALLEST_PACKED:
                if child not in packed:
                    packed[child] = PackedLinear(child)
                setattr(parent, name, packed[child])


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
