"""The tensors of a folder in Hugging Face's format, whatever version wrote it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from albert_lib.errors import CheckpointError
from albert_lib.files import read_json
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE
from albert_lib.model.names import HEADS

PICKLE_FILE = "pytorch_model.bin"

_WORDS = "albert.embeddings.word_embeddings.weight"
_TIED_WEIGHT = "predictions.decoder.weight"  # the word embedding, which some files carry twice
_TIED_BIAS = "predictions.decoder.bias"  # predictions.bias, likewise
_CONSTANT = "albert.embeddings.position_ids"  # 0, 1, 2, …, which old versions saved

# Reads numbers alone (weights_only), so nothing in the file is executed.
_CONVERT = (
    "python -c \"import torch; from safetensors.torch import save_file; f = '{folder}/'; "
    "t = torch.load(f + 'pytorch_model.bin', weights_only=True); "
    "save_file({{k: v.clone().contiguous() for k, v in t.items()}}, f + 'model.safetensors')\""
)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder under Hugging Face's full names, each once.

    A bare AlbertModel is saved there without the `albert.` prefix; it is put back. The tensors
    are the file's own bytes, mapped into memory: reading them costs no second copy.
    """
    files = _weight_files(folder)
    tensors = {key: tensor for file in files for key, tensor in _read(file).items()}
    whole = {
        key if key.startswith(("albert.", *(f"{head}." for head in HEADS))) else f"albert.{key}": t
        for key, t in tensors.items()
    }
    whole.pop(_CONSTANT, None)
    bias = whole.pop(_TIED_BIAS, None)
    if bias is not None:
        whole.setdefault("predictions.bias", bias)
    output = whole.pop(_TIED_WEIGHT, None)
    if output is not None and _WORDS in whole and not torch.equal(output, whole[_WORDS]):
        raise CheckpointError(
            f"{files[0]} scores words by a matrix of its own ({_TIED_WEIGHT}), but ALBERT by the "
            f"word embeddings; tie the two and train again, or use another checkpoint."
        )
    return whole


def _read(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (SafetensorError, OSError) as problem:
        raise CheckpointError(
            f"{file} is damaged or cut short ({problem}); copy or download it again."
        ) from None


def _weight_files(folder: Path) -> list[Path]:
    file, index, pickle = (folder / name for name in (WEIGHTS_FILE, INDEX_FILE, PICKLE_FILE))
    if file.is_file():
        return [file]
    if index.is_file():
        return _files_of_index(index)
    if pickle.is_file():
        raise CheckpointError(
            f"{pickle} is a pickle, which could run code when opened, so it is not read; fetch "
            f"the model's model.safetensors instead, or make it from the numbers alone with: "
            f"{_CONVERT.format(folder=folder)}"
        )
    raise CheckpointError(f"{file} does not exist; save or download the model into that folder.")


def _files_of_index(index: Path) -> list[Path]:
    """The files that an index names, each once and each there."""
    try:
        names = sorted(set(read_json(index)["weight_map"].values()))
    except (TypeError, KeyError, AttributeError):
        raise CheckpointError(f"{index} lists no weight_map; copy or download it again.") from None
    files = [index.parent / Path(name).name for name in names]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise CheckpointError(
            f"{index} names {', '.join(missing)}, not in that folder; copy or download them too."
        )
    return files
