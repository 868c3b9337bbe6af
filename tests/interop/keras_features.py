"""Features of a saved folder as KerasHub computes them on TensorFlow.

    python tests/interop/keras_features.py FOLDER INPUTS.npz FEATURES.npz

INPUTS.npz holds token_ids, segment_ids and padding_mask, each (batch, seq); FEATURES.npz
receives sequence_output (batch, seq, hidden) and pooled_output (batch, hidden). TensorFlow gets a
process of its own: beside PyTorch it would bring a second set of thread pools, and Keras
chooses its backend once for a whole process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from torch import Tensor

Features = tuple[np.ndarray, np.ndarray]
SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


def keras_features(
    folder: str | os.PathLike[str], ids: Tensor, mask: Tensor, segments: Tensor
) -> Features:
    """Sequence and pooled features of (batch, seq) ids; RuntimeError with what KerasHub said."""
    inputs = {"token_ids": ids, "segment_ids": segments, "padding_mask": mask}
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch, "inputs.npz"), Path(scratch, "features.npz")
        np.savez(given, **{name: tensor.numpy() for name, tensor in inputs.items()})
        command = [sys.executable, __file__, os.fspath(folder), str(given), str(made)]
        finished = subprocess.run(
            command, env={**os.environ, **SETTINGS}, capture_output=True, text=True, check=False
        )
        if finished.returncode != 0:
            raise RuntimeError(f"KerasHub failed on {folder}:\n{finished.stderr}")
        with np.load(made) as features:
            return features["sequence_output"], features["pooled_output"]


def main(folder: str, given: str, made: str) -> None:
    """Load the folder, compute, write."""
    import keras_hub

    with np.load(given) as stored:
        inputs = {name: array.astype(np.int32) for name, array in stored.items()}
    features = keras_hub.models.AlbertBackbone.from_preset(folder)(inputs)
    np.savez(made, **{name: np.asarray(value) for name, value in features.items()})


if __name__ == "__main__":
    os.environ.update(SETTINGS)
    main(*sys.argv[1:])
