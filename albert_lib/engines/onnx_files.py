"""A folder with a model as ONNX: model.onnx, and beside it what it was made from.

`export.json` names the kind of model, its configuration, and the sha256 of model.onnx and of the
weights that went into it. It is compared whenever the folder is opened, so that no engine ever
parses half a file, or one that belongs to other weights.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from albert_lib.config import AlbertConfig
from albert_lib.engines.graph import LARGEST_FILE
from albert_lib.engines.model_graph import model_graph
from albert_lib.errors import CheckpointError, counted
from albert_lib.files import new_file, read_json, told_if_unwritable, write_json
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE
from albert_lib.model.weights import PretrainedModel

ONNX_FILE, RECORD_FILE = "model.onnx", "export.json"
ROOM_FOR_NODES = 2**20  # bytes; a model of 24 layers has 0.2 million
AGAIN = "export the model again (python -m albert_lib export)"


def onnx_bytes(model: PretrainedModel) -> bytes:
    """The model as the contents of a file of ONNX; float32, whatever the model's weights are.

    Raises CheckpointError for a model of more than 2 GB, which such a file cannot hold.

    Example:
        >>> from albert_lib.model import AlbertForMaskedLM
        >>> model = AlbertForMaskedLM(AlbertConfig(
        ...     vocab_size=900, hidden_size=64, num_hidden_layers=12, num_attention_heads=4,
        ...     intermediate_size=256))
        >>> weights = 4 * model.num_parameters()
        >>> weights < len(onnx_bytes(model)) < weights + ROOM_FOR_NODES
        True
    """
    size = 4 * model.num_parameters()
    if size + ROOM_FOR_NODES > LARGEST_FILE:
        raise CheckpointError(
            f"{counted(model.num_parameters(), 'parameter')} are {size / 1e9:.1f} GB in float32, "
            f"and one file of ONNX holds at most 2 GB; run this model with PyTorch."
        )
    contents: bytes = model_graph(model, {}).SerializeToString()
    return contents


def write_onnx(folder: Path, model: PretrainedModel, weights: Path | None) -> int:
    """Write model.onnx, export.json and config.json into a folder; return model.onnx's bytes.

    `weights` is the folder that the model was loaded from.

    Example:
        >>> import tempfile
        >>> from albert_lib.model import AlbertForMaskedLM
        >>> model = AlbertForMaskedLM(AlbertConfig(
        ...     vocab_size=9, hidden_size=24, num_hidden_layers=3, intermediate_size=48))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     size = write_onnx(Path(folder), model, None)
        ...     sorted(file.name for file in Path(folder).iterdir())
        ['config.json', 'export.json', 'model.onnx']
    """
    contents = onnx_bytes(model)
    kind = type(model).__name__
    described = model.config.to_dict()
    with new_file(folder / ONNX_FILE) as file, told_if_unwritable(file):
        file.write_bytes(contents)
    write_json(folder / "config.json", {"architectures": [kind], **described})
    write_json(
        folder / RECORD_FILE,
        {
            "kind": kind,
            "config": described,
            ONNX_FILE: hashlib.sha256(contents).hexdigest(),
            WEIGHTS_FILE: None if weights is None else weights_hash(weights),
        },
    )
    return len(contents)


def is_exported(folder: Path) -> bool:
    """Whether a folder holds a model as ONNX, or at least the remains of one."""
    return (folder / ONNX_FILE).exists() or (folder / RECORD_FILE).exists()


def check_exported(folder: Path) -> str:
    """Check a folder that `write_onnx` wrote; return the kind of its model.

    Raises CheckpointError for files that are missing, damaged, or of different models.
    """
    for name in (ONNX_FILE, RECORD_FILE):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder} has no {name}; {AGAIN}.")
    record = read_json(folder / RECORD_FILE)
    if not isinstance(record, dict) or not {"kind", "config", ONNX_FILE} <= record.keys():
        raise CheckpointError(f"{folder / RECORD_FILE} is not what export writes; {AGAIN}.")
    if _hash([folder / ONNX_FILE]) != record[ONNX_FILE]:
        raise CheckpointError(
            f"{folder / ONNX_FILE} is not the file that was exported: it was cut, damaged or "
            f"replaced; {AGAIN}."
        )
    if AlbertConfig.from_json(folder / "config.json").to_dict() != record["config"]:
        raise CheckpointError(
            f"{folder / 'config.json'} describes another model than {ONNX_FILE} was made from; "
            f"{AGAIN}."
        )
    present = weights_hash(folder)
    if present is not None and present != record.get(WEIGHTS_FILE):
        raise CheckpointError(
            f"{folder} holds other weights than {ONNX_FILE} was made from; {AGAIN}, or remove one "
            f"of the two."
        )
    return str(record["kind"])


def weights_hash(folder: Path) -> str | None:
    """The sha256 of a folder's weights, of several files one after another; None without any.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(weights_hash(Path(folder)))
        None
    """
    files = sorted(folder.glob("*.safetensors"))
    if (folder / WEIGHTS_FILE).exists() or not (folder / INDEX_FILE).exists():
        files = [file for file in files if file.name == WEIGHTS_FILE]
    return _hash(files) if files else None


def _hash(files: list[Path]) -> str:
    digest: Any = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(2**20):
                digest.update(piece)
    return str(digest.hexdigest())
