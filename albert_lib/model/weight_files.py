"""The tensors of a folder in Hugging Face's format, whatever version wrote it."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from albert_lib.errors import CheckpointError, listed
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE, files_of_index

PICKLE_FILE = "pytorch_model.bin"

_WORDS = "albert.embeddings.word_embeddings.weight"
_CONSTANT = "albert.embeddings.position_ids"  # 0, 1, 2, …, which old versions saved

# Reads numbers alone (weights_only), so nothing in the file is executed.
_CONVERT = (
    'python -c "import torch; from safetensors.torch import save_file; '
    "t = torch.load('pytorch_model.bin', weights_only=True); "
    "save_file({k: v.clone().contiguous() for k, v in t.items()}, 'model.safetensors')\""
)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder under Hugging Face's full names, each once.

    A bare AlbertModel is saved there without the `albert.` prefix; it is put back. Raises
    CheckpointError for files that are missing, damaged, or hold no ALBERT's numbers.
    """
    files = _weight_files(folder)
    whole = {_full_name(key): tensor for file in files for key, tensor in _read(file).items()}
    whole.pop(_CONSTANT, None)
    for name, tensor in whole.items():
        if not tensor.is_floating_point():
            raise CheckpointError(
                f"{files[0]} holds {tensor.dtype} in {name}; fetch the weights as they were "
                f"before they were quantised."
            )
    _settle_copies(files[0], whole)
    return whole


def _settle_copies(file: Path, tensors: dict[str, Tensor]) -> None:
    """Leave out what a file carries a second time; the copies must agree where that decides."""
    matrix = tensors.pop("predictions.decoder.weight", None)
    words = tensors.get(_WORDS)
    if matrix is not None and words is not None and not torch.equal(matrix, words.to(matrix.dtype)):
        raise CheckpointError(
            f"{file} scores words by a matrix of its own (predictions.decoder.weight), but ALBERT "
            f"by the word embeddings; tie the two and train again, or use another checkpoint."
        )
    bias = tensors.pop("predictions.decoder.bias", None)
    if bias is not None and not torch.equal(bias, tensors.setdefault("predictions.bias", bias)):
        # Versions that did not tie the biases saved both; transformers goes by the first.
        warnings.warn(
            f"{file} holds predictions.decoder.bias beside another predictions.bias; left aside.",
            stacklevel=5,
        )


def _full_name(key: str) -> str:
    return f"albert.{key}" if key.startswith(("embeddings.", "encoder.", "pooler.")) else key


def _read(file: Path) -> dict[str, Tensor]:
    """The file's tensors in memory of their own.

    The library maps a file into memory, and what is done to the file later is done to the
    tensors. Opened anew for each tensor, at most one of them is there twice at a time.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            names = list(opened.keys())
        tensors = {}
        for name in names:
            with safe_open(file, framework="pt") as opened:
                tensors[name] = opened.get_tensor(name).clone()
    except (SafetensorError, OSError) as problem:
        raise CheckpointError(
            f"{file} is damaged or cut short ({problem}); copy or download it again."
        ) from None
    return tensors


def _weight_files(folder: Path) -> list[Path]:
    file, index, pickle = (folder / name for name in (WEIGHTS_FILE, INDEX_FILE, PICKLE_FILE))
    if file.is_file():
        return [file]
    if index.is_file():
        files = [folder / name for name in files_of_index(index)]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise CheckpointError(
                f"{index} names {listed(missing)}, not in that folder; copy or download them too."
            )
        return files
    if pickle.is_file():
        raise CheckpointError(
            f"{pickle} is a pickle, which could run code when opened, so it is not read; fetch "
            f"the model's model.safetensors instead, or make it from the numbers alone by this "
            f"command, run in that folder: {_CONVERT}"
        )
    raise CheckpointError(f"{file} does not exist; save or download the model into that folder.")
