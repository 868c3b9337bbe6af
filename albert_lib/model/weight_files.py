"""The tensors of a folder in Hugging Face's format, whatever version wrote it."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from albert_lib.errors import CheckpointError, ConfigError, first_line, listed
from albert_lib.git_lfs import refuse_pointer
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE, files_of_index
from albert_lib.model.names import HEAD_NAMES, POOLER

NUMBER_FORMATS = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
PICKLE_FILE = "pytorch_model.bin"

_WORDS = "albert.embeddings.word_embeddings.weight"
# 0, 1, 2, … and 0, 0, 0, …, which old versions saved
_CONSTANTS = ("albert.embeddings.position_ids", "albert.embeddings.token_type_ids")
_KNOWN_PARTS = ("albert.", *(f"{part}." for part in HEAD_NAMES))
# What DataParallel, torch.compile and Lightning write before every name, and Google's names of two
# parameters, which transformers' first versions kept.
_WRAPPERS = re.compile(r"^((module|_orig_mod|model)\.)+")
_NAMES_OF_GOOGLE = {".gamma": ".weight", ".beta": ".bias"}

# Reads numbers alone (weights_only), so nothing in the file is executed.
_CONVERT = (
    'python -c "import torch; from safetensors.torch import save_file; '
    "t = torch.load('pytorch_model.bin', weights_only=True); "
    "save_file({k: v.clone().contiguous() for k, v in t.items()}, 'model.safetensors')\""
)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder under Hugging Face's full names, each once.

    A bare AlbertModel is saved there without the `albert.` prefix; it is added, and the prefixes
    of wrappers around a model (`module.`) are left out. Raises
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
    files = weight_files(folder)
    whole: dict[str, Tensor] = {}
    for file in files:
        refuse_pointer(file)
        for key, tensor in _read(file).items():
            if (name := _full_name(key)) in whole:
                raise CheckpointError(
                    f"{file} holds {name} a second time, as {key}; keep one of the two."
                )
            whole[name] = tensor
    for name in _CONSTANTS:
        whole.pop(name, None)
    for name, tensor in whole.items():
        _check_numbers(files[0], name, tensor)
    _settle_copies(files[0], whole)
    return whole


def _check_numbers(file: Path, name: str, tensor: Tensor) -> None:
    """CheckpointError for another format than floating-point numbers, and for NaN and infinity."""
    if tensor.dtype not in NUMBER_FORMATS and not name.startswith(_KNOWN_PARTS):
        return  # a count of steps, say, which no model takes
    if tensor.dtype not in NUMBER_FORMATS:  # eight-bit floats mean nothing without their scales
        raise CheckpointError(
            f"{file} holds {tensor.dtype} in {name}; fetch the weights as they were "
            f"before they were quantised."
        )
    # A sum needs no memory and shows NaN and infinity; it may also overflow, so the ends decide.
    if not math.isfinite(tensor.sum()) and not all(map(math.isfinite, tensor.aminmax())):
        raise CheckpointError(
            f"{file} holds NaN or infinity in {name}: its training diverged, or the file is "
            f"damaged; use an earlier checkpoint of the run, or copy the file again."
        )


def number_type_of(dtype: torch.dtype | str | None, saved: Mapping[str, Tensor]) -> torch.dtype:
    """The type that from_pretrained's `dtype` asks for; "auto" is that of the saved tensors.

    Raises ConfigError for what is no type of floating-point numbers.

    Example:
        >>> number_type_of("bfloat16", {})
        torch.bfloat16
    """
    if dtype == "auto":
        return next(iter(saved.values())).dtype
    found: Any = torch.float32 if dtype is None else dtype
    if isinstance(found, str):
        found = getattr(torch, found.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ConfigError(
            f"dtype={dtype!r} is no type of floating-point numbers; give torch.float32, "
            f'torch.bfloat16, torch.float16 or "auto".'
        )
    return found


def refuse_overflow(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise ConfigError where numbers became infinite on their way to half precision.

    Example:
        >>> refuse_overflow(Path("mine"), {"pooler.bias": torch.tensor([1e4]).half()})
    """
    halves = {name: tensor for name, tensor in tensors.items() if tensor.dtype == torch.float16}
    if large := [name for name, tensor in halves.items() if not bool(tensor.isfinite().all())]:
        raise ConfigError(
            f"{folder} holds numbers beyond float16's range in {listed(large)}; load it as "
            f"torch.bfloat16 or torch.float32."
        )


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
    name = _WRAPPERS.sub("", key)
    for ending, today in _NAMES_OF_GOOGLE.items():
        if name.endswith(ending):
            name = name.removesuffix(ending) + today
    return f"albert.{name}" if name.startswith(("embeddings.", "encoder.", "pooler.")) else name


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
        if "unknown variant" in str(problem):
            raise CheckpointError(
                f"{file} holds numbers in a format that is unknown here ({first_line(problem)}); "
                f"save the weights as float32."
            ) from None
        raise CheckpointError(
            f"{file} is damaged or cut short ({first_line(problem)}); copy or download it again."
        ) from None
    return tensors


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a folder's weights; CheckpointError where there are none that are read.

    Example:
        >>> from albert_lib.files import data_folder
        >>> folder = data_folder() / "checkpoints" / "albert-mini-en"
        >>> [file.name for file in weight_files(folder)]
        ['model.safetensors']
    """
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
        refuse_pointer(pickle)
        raise CheckpointError(
            f"{pickle} is a pickle, which could run code when opened, so it is not read; fetch "
            f"the model's model.safetensors instead, or make it from the numbers alone by this "
            f"command, run in that folder: {_CONVERT}"
        )
    raise CheckpointError(f"{file} does not exist; save or download the model into that folder.")
