"""A graph of ONNX operations in the making: every array of numbers is put into it once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from albert_lib.errors import CheckpointError

OPSET = 20  # of the operations; the first with GELU as one of them
IR_VERSION = 9  # of the file, of the same year (2023): older readers refuse a newer one
LARGEST_FILE = 2**31 - 1  # bytes of a message of Protocol Buffers, which a file of ONNX is
INSTALL_EXTRA = "pip install -c requirements.lock -e '.[{extra}]'"


def import_onnx() -> Any:
    """The package `onnx`; CheckpointError, with the command that installs it, where it is missing.

    Example:
        >>> import_onnx().__name__
        'onnx'
    """
    try:
        import onnx
    except ImportError:
        raise CheckpointError(
            f"A model is written as ONNX by the package onnx, which is not installed; run "
            f"`{INSTALL_EXTRA.format(extra='onnxruntime')}`."
        ) from None
    return onnx


class Graph:
    """Nodes and arrays; `add` and `array` return the name by which later nodes refer to them.

    Example:
        >>> graph = Graph()
        >>> graph.add_input("numbers", np.float32, ["length"])
        >>> two = graph.array("two", np.array(2.0, dtype=np.float32))
        >>> graph.add_output("doubled", graph.add("Mul", "numbers", two), np.float32, ["length"])
        >>> [node.op_type for node in graph.finished("double", {}).graph.node]
        ['Mul', 'Identity']
    """

    def __init__(self) -> None:
        self.onnx = import_onnx()
        self._nodes: list[Any] = []
        self._arrays: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._used: Counter[str] = Counter()

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        (output,) = self.add_several(operation, 1, *inputs, **attributes)
        return output

    def add_several(
        self, operation: str, n_outputs: int, *inputs: str, **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs."""
        self._used[operation] += 1
        name = f"{operation}_{self._used[operation]}"
        outputs = [name] if n_outputs == 1 else [f"{name}_{part}" for part in range(n_outputs)]
        node = self.onnx.helper.make_node(operation, inputs, outputs, name, **attributes)
        self._nodes.append(node)
        return outputs

    def array(self, name: str, values: np.ndarray | torch.Tensor) -> str:
        """Put an array into the graph, or find the one that has this name already."""
        if name not in self._arrays:
            if isinstance(values, torch.Tensor):
                values = values.detach().float().cpu().numpy()
            self._arrays[name] = self.onnx.numpy_helper.from_array(
                np.ascontiguousarray(values).reshape(np.shape(values)), name
            )
        return name

    def whole(self, *numbers: int) -> str:
        """Whole numbers as an array, such as a shape."""
        return self.array("whole_" + "_".join(map(str, numbers)), np.array(numbers, dtype=np.int64))

    def number(self, value: float) -> str:
        """One number without dimensions."""
        return self.array(f"number_{value}", np.array(value, dtype=np.float32))

    def add_input(self, name: str, kind: type, shape: Sequence[str]) -> None:
        """Name an input; each dimension of its shape is a name too, and so may have any size."""
        self._inputs.append(self._described(name, kind, shape))

    def add_output(self, name: str, value: str, kind: type, shape: Sequence[str | int]) -> None:
        """Name an output, the value of a node."""
        self._nodes.append(self.onnx.helper.make_node("Identity", [value], [name], f"as_{name}"))
        self._outputs.append(self._described(name, kind, shape))

    def _described(self, name: str, kind: type, shape: Any) -> Any:
        number_type = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        return self.onnx.helper.make_tensor_value_info(name, number_type, list(shape))

    def finished(self, name: str, about: dict[str, str]) -> Any:
        """The model, an `onnx.ModelProto`, with remarks; the graph is not to be used after it."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, list(self._arrays.values())
        )
        model = helper.make_model(
            graph,
            producer_name="albert_lib",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, about)
        return model
