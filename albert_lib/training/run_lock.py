"""One process at a time writes into a run's folder; a second one is told so.

Two would remove each other's half-written checkpoints. The lock is the system's own, on the file
`.lock` in the folder: it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable

import filelock

from albert_lib.errors import CheckpointError
from albert_lib.training import distributed

LOCK = ".lock"
Given = ParamSpec("Given")
Returned = TypeVar("Returned")


@runtime_checkable
class RunInFolder(Protocol):
    """A run that may have a folder to write into."""

    folder: Path | None


RunType = TypeVar("RunType", bound=RunInFolder)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder; CheckpointError if another process holds it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, alone_in(Path(folder)):
        ...     with alone_in(Path(folder)):
        ...         pass
        Traceback (most recent call last):
        albert_lib.errors.CheckpointError: ... is being written by another run; wait for it, ...
    """
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise CheckpointError(
            f"{folder} is being written by another run; wait for it, stop it, or name another "
            f"output folder."
        ) from None
    except (OSError, NotImplementedError):  # a disk without locks, such as some network disks
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes it when it is released
            (folder / LOCK).unlink()
        lock.release()


def alone_in_its_folder(
    train: Callable[Concatenate[RunType, Given], Returned],
) -> Callable[Concatenate[RunType, Given], Returned]:
    """Let a run's method hold the lock of its folder, if it has one, in the process that writes."""

    @wraps(train)
    def trained(run: RunType, /, *given: Given.args, **named: Given.kwargs) -> Returned:
        if run.folder is None or not distributed.is_first():
            return train(run, *given, **named)
        with alone_in(run.folder):
            return train(run, *given, **named)

    return trained
