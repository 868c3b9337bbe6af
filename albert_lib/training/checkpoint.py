"""Saving a run so that, killed at any instant, it goes on as if it had never stopped.

A run's folder:

    history.jsonl               the rows so far, one JSON object a line; only ever appended to
    checkpoint-00000100/
        model.safetensors       every parameter and buffer, by name
        optimizer.safetensors   the optimizer's running means, as STATE/PARAMETER
        mean.safetensors        the running mean of the weights, where the run has one
        state.json              step, format version, the run's description, and how much of
                                history.jsonl belongs to this checkpoint
        SHA256SUMS              a hash of each file above; `sha256sum -c SHA256SUMS` reads it

A checkpoint is written beside its place and renamed when complete, after its rows are on the
disk. Rows past a checkpoint are those of a run that was killed before the next one: a run that
resumes there writes over them.

Format 1, read but no longer written, has all rows in each checkpoint, as history.json.
"""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from albert_lib.checksums import find_damage, write_sums
from albert_lib.errors import CheckpointError, WriteError, system_reason
from albert_lib.files import new_folder, read_json, ready_to_write, write_json
from albert_lib.paths import given_path, open_folder
from albert_lib.training import distributed
from albert_lib.training.history import History, HistoryFile, HistoryPrefix
from albert_lib.training.saved_tensors import (
    copy_optimizer_state,
    copy_weights,
    optimizer_state,
    weights,
)

CHECKPOINT_FORMAT = 2
WITH_ROWS_INSIDE = 1  # the format before
HISTORY = "history.jsonl"
HASHED = ("model.safetensors", "optimizer.safetensors", "state.json")
MEAN = "mean.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose hashes were found right.

    `run` describes what was being trained (JSON values); `step` counts the steps done.
    """

    folder: Path
    step: int
    run: dict[str, Any]
    history: History
    prefix: HistoryPrefix  # where the rows are in history.jsonl; none there in format 1

    def restore(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        mean: AveragedModel | None = None,
    ) -> None:
        """Copy the saved weights, optimizer state and mean into these, bit for bit.

        Raises CheckpointError when they are of another model or optimizer.
        """
        copy_weights(self.folder / "model.safetensors", model)
        copy_optimizer_state(self.folder / "optimizer.safetensors", model, optimizer)
        if mean is not None:
            copy_weights(self.folder / MEAN, mean.module)
            mean.n_averaged.fill_(self.step)


class CheckpointWriter:
    """Saves the checkpoints of one run in a folder, each file written and hashed once.

    `run` describes what is trained (JSON values). `resumed` is the checkpoint that the run goes
    on from: its rows are not written again, nor its files hashed again.
    """

    def __init__(
        self, folder: Path, run: Mapping[str, Any], resumed: Checkpoint | None = None
    ) -> None:
        self.folder, self.run = folder, dict(run)
        stored = HistoryPrefix() if resumed is None else resumed.prefix
        self.history_file = HistoryFile(folder / HISTORY, stored)
        self.last = None if resumed is None else resumed.folder  # known to be undamaged

    def save(
        self,
        step: int,
        history: History,
        *,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        mean: AveragedModel | None = None,
    ) -> Path:
        """Write the checkpoint of `step`; remove all but it and the one before.

        `history` has the rows of the save before, and perhaps more. Raises CheckpointError when
        something cannot be written (a full disk); the checkpoints before stay whole.
        """
        target = self.folder / f"checkpoint-{step:08d}"
        if self.last is None:
            self._find_last(step, history)
        before = self.last
        try:
            sweep(self.folder, "checkpoint-*")
            self.folder.mkdir(parents=True, exist_ok=True)
            prefix = self.history_file.append(history.rows[self.history_file.stored.rows :])
            state = {
                "format_version": CHECKPOINT_FORMAT,
                "step": step,
                "run": self.run,
                "history": prefix.to_dict(),
            }
            with new_folder(target) as unfinished:
                write_files(unfinished, model, optimizer, state, mean)
        except (OSError, SafetensorError) as problem:
            raise CheckpointError(
                f"{target} could not be written ({system_reason(problem)}); free some disk space "
                f"and run again, which goes on from the checkpoint before."
            ) from None
        for path in checkpoints(self.folder).values():
            # older, or found damaged; those beyond `step` were damaged on resuming
            if path not in (target, before):
                remove(path)
        self.last = target
        return target

    def _find_last(self, step: int, history: History) -> None:
        """Look for an undamaged checkpoint to keep, and for rows that need not be written again."""
        self.last = find_undamaged_before(self.folder, step)
        if self.last is None or find_history_damage(self.last) is not None:
            return
        found = open_checkpoint(self.last)
        if found.history.rows == history.rows[: len(found.history)]:
            self.history_file.stored = found.prefix


def save_checkpoint(
    folder: Path,
    step: int,
    history: History,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    run: Mapping[str, Any],
) -> Path:
    """Write one checkpoint of a run under `folder`, as `CheckpointWriter.save` does.

    A run that saves again and again uses a writer, which does not write the rows anew.
    """
    return CheckpointWriter(folder, run).save(step, history, model=model, optimizer=optimizer)


def write_files(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
    mean: AveragedModel | None = None,
) -> None:
    """Write the files of a checkpoint into its folder, SHA256SUMS last."""
    save_file(weights(model), folder / "model.safetensors")
    save_file(
        optimizer_state(model, optimizer),
        folder / "optimizer.safetensors",
        metadata={"optimizer": type(optimizer).__name__},
    )
    if mean is not None:
        save_file(weights(mean.module), folder / MEAN)
    write_json(folder / "state.json", state)
    write_sums(folder, HASHED if mean is None else (*HASHED, MEAN))


def find_undamaged_before(folder: Path, step: int) -> Path | None:
    """Return the newest checkpoint of an earlier step whose hashes are right, if there is one."""
    for number, path in sorted(checkpoints(folder).items(), reverse=True):
        if number < step and find_damage(path, HASHED) is None:
            return path
    return None


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
        ready_to_write(folder)
    except WriteError as problem:
        raise CheckpointError(
            f"{folder} cannot be written to ({problem.strerror}); name another output folder or "
            f"make room and permission for it."
        ) from None


def load_latest(folder: Path) -> Checkpoint | None:
    """Return the newest undamaged checkpoint under `folder`, or None where there is none.

    A damaged one is named in a warning and the one before is tried. Raises CheckpointError when
    there are whole checkpoints, but their rows are lost.
    """
    without_rows: Path | None = None
    folder = given_path(folder)
    for _, path in sorted(checkpoints(folder).items(), reverse=True):
        damage = find_damage(path, HASHED)
        if damage is None:
            damage = find_history_damage(path)
            if damage is None:
                return open_checkpoint(path)
            without_rows = without_rows or path
        warnings.warn(
            f"{path} is damaged ({damage}) and left aside; the run goes on from the checkpoint "
            f"before it, or from the start if there is none.",
            stacklevel=2,
        )
    if without_rows is not None:
        raise CheckpointError(
            f"{folder / HISTORY} has lost the rows of {without_rows.name}, whose weights are "
            f"whole; restore that file, or move the checkpoints away to start again."
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
    version = state["format_version"]
    if version == WITH_ROWS_INSIDE:
        prefix = HistoryPrefix()
        history = History.load(path / "history.json")
    elif version == CHECKPOINT_FORMAT:
        prefix = HistoryPrefix(**state["history"])
        history = prefix.read(path.parent / HISTORY)
    else:
        raise CheckpointError(
            f"{path} has format {version}, this version of albert_lib reads "
            f"{WITH_ROWS_INSIDE} and {CHECKPOINT_FORMAT}; use the version that wrote it or a new "
            f"folder."
        )
    return Checkpoint(path, state["step"], state["run"], history, prefix)


def find_history_damage(checkpoint: Path) -> str | None:
    """Say what is wrong with the rows of a checkpoint whose files are whole, or None."""
    state = read_json(checkpoint / "state.json")
    if state["format_version"] != CHECKPOINT_FORMAT:
        return None  # in format 1 they are among its files
    return HistoryPrefix(**state["history"]).find_damage(checkpoint.parent / HISTORY)


def checkpoints(folder: Path) -> dict[int, Path]:
    """Return the checkpoint folders under `folder` by their step, damaged ones included."""
    found = {}
    for path in open_folder(folder, CheckpointError).glob("checkpoint-*"):
        number = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if number and path.is_dir():
            found[int(number[1])] = path
    return found
