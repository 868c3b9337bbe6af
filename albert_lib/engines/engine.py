"""Inference engines that run a model given as ONNX: onnxruntime and OpenVINO, each an extra."""

from __future__ import annotations

import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast, get_args

import numpy as np
import torch

from albert_lib.engines.graph import INSTALL_EXTRA
from albert_lib.errors import CheckpointError, InputError, first_line, quoted

EngineName = Literal["onnxruntime", "openvino"]
ENGINES: tuple[str, ...] = get_args(EngineName)


class Engine(ABC):
    """A model that was opened by an engine; `inputs` are the names of what it takes.

    Example:
        >>> Engine.__abstractmethods__
        frozenset({'run'})
    """

    inputs: frozenset[str]

    @abstractmethod
    def run(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every output, by its name."""


def open_engine(name: str, model: Path | bytes, precision: str = "float32") -> Engine:
    """Open a model, a file or the contents of one, with as many threads as PyTorch has.

    Raises InputError for an engine that is not known or cannot compute in that precision, and
    CheckpointError where its package is missing or it refuses the model.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForMaskedLM
        >>> from albert_lib.engines.onnx_files import onnx_bytes
        >>> contents = onnx_bytes(AlbertForMaskedLM(AlbertConfig(
        ...     vocab_size=9, hidden_size=24, num_hidden_layers=3, intermediate_size=48)))
        >>> engine = open_engine("onnxruntime", contents)
        >>> ids = np.array([[2, 4, 3]])
        >>> engine.run({"input_ids": ids, "attention_mask": ids * 0 + 1,
        ...             "token_type_ids": ids * 0, "positions": ids[0, :1] - 1})["logits"].shape
        (1, 9)
    """
    check_engine(name, precision)
    package = _import(name)
    kind: Any = _OnnxRuntime if name == "onnxruntime" else _OpenVino
    try:
        return kind(package, model, precision)
    except Exception as problem:  # each engine has errors of its own, some of them bare
        raise CheckpointError(
            f"{name} cannot open the model ({first_line(problem)}); export it again, with the "
            f"versions that the extra {name} names."
        ) from None


def check_engine(name: str, precision: str = "float32") -> None:
    """Raise InputError unless the engine is known and computes in the precision.

    Example:
        >>> check_engine("openvino", "bfloat16")
    """
    if name not in ENGINES:
        raise InputError(
            f"{quoted(name)} is no engine; give {' or '.join(ENGINES)}, or leave it out for "
            f"PyTorch."
        )
    if name == "onnxruntime" and precision != "float32":
        raise InputError(
            f"onnxruntime computes in float32 alone on a CPU, not in {precision}; use PyTorch or "
            f"openvino for that."
        )


def _import(name: str) -> Any:
    if name == "openvino":  # it can report its use to its makers; without this part it cannot
        sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    try:
        return importlib.import_module(name)
    except ImportError:
        raise CheckpointError(
            f"The engine {name} is not installed; run `{INSTALL_EXTRA.format(extra=name)}`."
        ) from None


class _OnnxRuntime(Engine):
    def __init__(self, package: Any, model: Path | bytes, precision: str) -> None:
        options = package.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised as well
        self._session = package.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._outputs = [each.name for each in self._session.get_outputs()]
        self.inputs = frozenset(each.name for each in self._session.get_inputs())

    def run(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        values = self._session.run(self._outputs, dict(given))
        return dict(zip(self._outputs, values, strict=True))


class _OpenVino(Engine):
    def __init__(self, package: Any, model: Path | bytes, precision: str) -> None:
        core = package.Core()
        read = core.read_model(model if isinstance(model, bytes) else str(model))
        compiled = core.compile_model(
            read,
            "CPU",
            {
                # its own choice is bfloat16 where the processor has it
                "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "NUM_STREAMS": 1,
            },
        )
        self.inputs = frozenset(name for each in compiled.inputs for name in each.get_names())
        self._request = compiled.create_infer_request()
        self._names = [(each, name) for each in compiled.outputs for name in each.get_names()]

    def run(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        values = self._request.infer(dict(given))
        return {name: values[output].copy() for output, name in self._names}
