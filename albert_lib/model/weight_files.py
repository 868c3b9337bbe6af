"""The tensors of a folder in Hugging Face's format, whatever version wrote it."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from albert_lib.errors import CheckpointError, listed
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE, files_of_index
from albert_lib.model.names import HEAD_NAMES, POOLER

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

    A bare AlbertModel is saved there without the `albert.` prefix; it is added. Raises
    CheckpointError for files that are missing, damaged, or hold numbers of another kind.

    Example:
        >>> import pathlib, tempfile, torch
        >>> from safetensors.torch import save_file
        >>> from albert_lib.model.weight_files import read_tensors
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_file({"pooler.bias": torch.zeros(3)}, f"{folder}/model.safetensors")
        ...     list(read_tensors(pathlib.Path(folder)))
        ['albert.pooler.bias']
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


def check_shapes(
    folder: Path,
    new_parts: Collection[str],
    wanted: Mapping[str, torch.Size],
    tensors: Mapping[str, Tensor],
) -> None:
    """Raise CheckpointError where saved tensors have other shapes than the model's parameters.

    Example:
        >>> weight = torch.zeros(2, 3)
        >>> check_shapes(Path("mine"), [], {"albert.pooler.weight": weight.shape},
        ...              {"albert.pooler.weight": weight})
    """
    wrong = [key for key, shape in wanted.items() if tensors[key].shape != shape]
    if not wrong:
        return
    shapes = [
        f"{key} is {tuple(tensors[key].shape)} instead of {tuple(wanted[key])}" for key in wrong
    ]
    if all(key.startswith(tuple(f"{part}." for part in new_parts)) for key in wrong):
        raise CheckpointError(
            f"{folder}: {listed(shapes)}; load it as the kind of model, and with as many labels, "
            f"as it was saved."
        )
    raise CheckpointError(
        f"{folder}: {listed(shapes)}; its config.json and its weights do not belong together."
    )


def check_left_over(
    folder: Path, kind: str, wanted: Collection[str], found: Collection[str]
) -> None:
    """Warn of tensors that the model does not have; another kind's head and pooler are expected.

    Raises CheckpointError where they are part of the encoder: the model would be another one
    than was saved.

    Example:
        >>> kept = ["albert.pooler.weight"]
        >>> check_left_over(Path("mine"), "AlbertModel", wanted=kept, found=kept)
    """
    others = tuple(
        f"{part}."
        for part in (*HEAD_NAMES, POOLER)
        if not any(key.startswith(f"{part}.") for key in wanted)
    )
    unknown = sorted(key for key in found if key not in wanted and not key.startswith(others))
    encoder = [k for k in unknown if k.startswith(("albert.encoder.", "albert.embeddings."))]
    if encoder:
        raise CheckpointError(
            f"{folder} also holds {listed(encoder)}, for which its config.json has no place; "
            f"config.json and the weights do not belong together."
        )
    if unknown:
        warnings.warn(
            f"{folder} also holds {listed(unknown)}, which no {kind} has; ignored.",
            stacklevel=4,
        )


def _settle_copies(file: Path, tensors: dict[str, Tensor]) -> None:
    """Leave out what a file holds twice; CheckpointError where the copies must agree and do not."""
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
            f"{file} holds predictions.decoder.bias beside another predictions.bias; ignored.",
            stacklevel=5,
        )


def _full_name(key: str) -> str:
    return f"albert.{key}" if key.startswith(("embeddings.", "encoder.", "pooler.")) else key


def _read(file: Path) -> dict[str, Tensor]:
    """The file's tensors in memory of their own.

    safetensors maps a file into memory, so that later changes of the file change the tensors.
    Opened anew for each tensor, at most one of them is in memory twice.
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
