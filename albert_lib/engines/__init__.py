"""Models as ONNX, and the inference engines that run them (notebook 08).

export        model_graph writes a model's operations, onnx_files a folder
run           engine opens such a file, engine_model answers as the model does
"""

from __future__ import annotations

from albert_lib.engines.engine import ENGINES, EngineName
from albert_lib.engines.engine_model import EngineModel, load_engine_model
from albert_lib.engines.onnx_files import onnx_bytes, write_onnx

__all__ = [
    "ENGINES",
    "EngineModel",
    "EngineName",
    "load_engine_model",
    "onnx_bytes",
    "write_onnx",
]
