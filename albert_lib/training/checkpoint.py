"""Saving a run so that, killed at any instant, it goes on as if it had never stopped.

A checkpoint is a folder, written beside its place and renamed when complete:

    checkpoint-00000100/
        model.safetensors       every parameter and buffer, by name
        optimizer.safetensors   the optimiser's running means, as STATE/PARAMETER
        history.json            the rows so far
        state.json              step, format version, and the run's description
        SHA256SUMS              a hash of each file above; `sha256sum -c SHA256SUMS` reads it
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from albert_lib.errors import CheckpointError
from albert_lib.files import new_folder, read_json, write_json
from albert_lib.model.names import current_name
from albert_lib.training import distributed
from albert_lib.training.history import History

FORMAT_VERSION = 1
KEPT = 2  # the newest, and the one before in case the disk damages the newest
HASHED = ("model.safetensors", "optimizer.safetensors", "history.json", "state.json")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose hashes were found right.

    `run` describes what was being trained (JSON values); `step` counts the steps done.
    """

    folder: Path
    step: int
    run: dict[str, Any]
    history: History

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Copy the saved weights and optimiser state into these two, bit for bit.

        Raises CheckpointError when the saved weights are of another model or optimiser.
        """
        copy_weights(self.folder / "model.safetensors", model)
        file = self.folder / "optimizer.safetensors"
        kind_saved, kind_here = optimizer_kind(file), type(optimizer).__name__
        if kind_saved != kind_here:
            raise CheckpointError(
                f"{file} is of {kind_saved}, but {kind_here} was asked for; use a new output "
                f"folder."
            )
        state: dict[str, dict[str, Tensor]] = {}
        for key, tensor in load_file(file).items():
            kind, _, name = key.partition("/")
            name = current_name(name, getattr(model, "config", None))
            state.setdefault(name, {})[kind] = tensor.clone()  # aligned as a fresh tensor is
        names = optimized_names(model, optimizer)
        if not state.keys() <= set(names):
            raise CheckpointError(f"{file} is of another model; use a new output folder.")
        optimizer.load_state_dict(
            {
                "state": {i: state[name] for i, name in enumerate(names) if name in state},
                "param_groups": optimizer.state_dict()["param_groups"],
            }
        )


def save_checkpoint(
    folder: Path,
    step: int,
    history: History,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    run: Mapping[str, Any],
) -> Path:
    """Write the checkpoint of `step` under `folder` and remove those no longer needed.

    Raises CheckpointError when it cannot be written (a full disk); the ones before stay whole.
    """
    target = folder / f"checkpoint-{step:08d}"
    names = optimized_names(model, optimizer)
    optimizer_state = {
        f"{kind}/{names[index]}": value.contiguous()
        for index, values in optimizer.state_dict()["state"].items()
        for kind, value in values.items()
    }
    try:
        sweep(folder, "checkpoint-*")
        with new_folder(target) as unfinished:
            save_file(weights(model), unfinished / "model.safetensors")
            save_file(
                optimizer_state,
                unfinished / "optimizer.safetensors",
                metadata={"optimizer": type(optimizer).__name__},
            )
            history.save(unfinished / "history.json")
            write_json(
                unfinished / "state.json",
                {"format_version": FORMAT_VERSION, "step": step, "run": dict(run)},
            )
            sums = "".join(f"{file_hash(unfinished / name)}  {name}\n" for name in HASHED)
            (unfinished / "SHA256SUMS").write_text(sums, encoding="utf-8")
    except (OSError, SafetensorError) as problem:
        raise CheckpointError(
            f"{target} could not be written ({problem}); free some disk space and run again, "
            f"which goes on from the checkpoint before."
        ) from None
    kept = {target, *undamaged_before(folder, step, KEPT - 1)}
    for path in checkpoints(folder).values():
        if path not in kept:  # older, or found damaged; those beyond `step` were so on resuming
            remove(path)
    return target


def undamaged_before(folder: Path, step: int, most: int) -> list[Path]:
    """Return the newest checkpoints of earlier steps whose hashes are right, so many at most."""
    found: list[Path] = []
    for number, path in sorted(checkpoints(folder).items(), reverse=True):
        if number < step and len(found) < most and find_damage(path) is None:
            found.append(path)
    return found


def remove(checkpoint: Path) -> None:
    """Remove a checkpoint so that, killed in the middle, what is left does not look like one."""
    half = checkpoint.with_name(f".{checkpoint.name}-old")
    try:
        checkpoint.rename(half)
    except OSError:  # in use; it is tried again after the next one is saved
        return
    shutil.rmtree(half, ignore_errors=True)


def sweep(folder: Path, pattern: str) -> None:
    """Remove what a kill left half-written of, or half-removed from, `folder`."""
    for leftover in folder.glob(f".{pattern}"):
        shutil.rmtree(leftover, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Raise CheckpointError when nothing can be saved in `folder`: better now than in an hour."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".checkpoint-probe-", dir=folder):
            pass
    except OSError as problem:
        raise CheckpointError(
            f"{folder} cannot be written to ({problem.strerror}); name another output folder or "
            f"make room and permission for it."
        ) from None


def load_latest(folder: Path) -> Checkpoint | None:
    """Return the newest undamaged checkpoint under `folder`, or None where there is none.

    A damaged one is named in a warning and the one before is tried.
    """
    for _, path in sorted(checkpoints(folder).items(), reverse=True):
        damage = find_damage(path)
        if damage is None:
            return open_checkpoint(path)
        warnings.warn(
            f"{path} is damaged ({damage}) and left aside; the run goes on from the checkpoint "
            f"before it, or from the start if there is none.",
            stacklevel=2,
        )
    return None


def load_latest_for_all(folder: Path) -> Checkpoint | None:
    """Return the checkpoint that `load_latest` finds on the first process, on all of them.

    Raises CheckpointError on a process that does not see it.
    """
    found = load_latest(folder) if distributed.is_first() else None
    name = distributed.broadcast_json(None if found is None else found.folder.name)
    if found is not None or name is None:
        return found
    if not (folder / name / "state.json").is_file():
        raise CheckpointError(
            f"{folder / name} is not seen by process {distributed.rank()} of the run; put the "
            f"output folder on a disk that all its machines share."
        )
    return open_checkpoint(folder / name)


def open_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint whose files are whole; CheckpointError when its format is another."""
    state = read_json(path / "state.json")
    if state["format_version"] != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format {state['format_version']}, this version of albert_lib "
            f"reads {FORMAT_VERSION}; use the version that wrote it or a new folder."
        )
    history = History.load(path / "history.json")
    return Checkpoint(path, state["step"], state["run"], history)


def find_damage(checkpoint: Path) -> str | None:
    """Say what is wrong with a checkpoint's files, or None when every hash is right."""
    try:
        lines = (checkpoint / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        hashes = {name: value for value, name in (line.split() for line in lines)}
    except FileNotFoundError:
        return "SHA256SUMS is missing"
    except (OSError, UnicodeDecodeError, ValueError):
        return "SHA256SUMS cannot be read"
    for name in HASHED:
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
        try:
            found = file_hash(checkpoint / name)
        except OSError as problem:  # a bad sector
            return f"{name} cannot be read: {problem.strerror}"
        if hashes.get(name) != found:
            return f"{name} is not what was written"
    return None


def copy_weights(file: Path, model: nn.Module) -> None:
    """Copy saved weights into `model`; raise CheckpointError when names or shapes differ."""
    config = getattr(model, "config", None)
    saved = {current_name(name, config): value for name, value in load_file(file).items()}
    own = weights(model)
    if unmatched := sorted(saved.keys() ^ own.keys()):
        raise CheckpointError(
            f"{file} is of another model ({unmatched[0]} is in only one of the two); "
            f"use a new output folder."
        )
    for name, tensor in own.items():
        if saved[name].shape != tensor.shape:
            raise CheckpointError(
                f"{file} is of another model: {name} has shape {tuple(saved[name].shape)} there "
                f"and {tuple(tensor.shape)} here; use a new output folder."
            )
        tensor.copy_(saved[name])


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return every parameter and buffer once, by name (a tied one by its first name)."""
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: tensor.detach() for name, tensor in named.items()}


def optimized_names(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[str]:
    """Return the names of the optimiser's parameters in the order of its state_dict."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]


def checkpoints(folder: Path) -> dict[int, Path]:
    """Return the checkpoint folders under `folder` by their step, damaged ones included."""
    found = {}
    for path in folder.glob("checkpoint-*"):
        number = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if number and path.is_dir():
            found[int(number[1])] = path
    return found


def optimizer_kind(file: Path) -> str:
    """Return the name of the class whose state `file` holds."""
    with safe_open(file, "pt") as saved:
        return str((saved.metadata() or {}).get("optimizer", "an unnamed optimiser"))


def file_hash(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
