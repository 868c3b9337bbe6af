"""Several processes that train one model, as torchrun starts them; one process needs none of it.

Every process makes its own rows of each batch, and before each update the gradients are summed
over all of them by one all_reduce after the backward pass. DistributedDataParallel would send
during that pass; but the gradient of a layer that all depths share is complete only at the end, so
there is little to send early. And it changes its buckets after the first step, and with them the
order in which three processes or more add: a run that was killed would not end with the same bits.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from albert_lib.errors import AlbertLibError, ConfigError, first_line

# torchrun notices a process that died; these limits are for one that hangs. An hour is longer than
# any step, and than any process is ahead of another.
TIMEOUT = timedelta(hours=1)
FIRST_PROCESS_TIMEOUT = timedelta(days=7)  # while it builds a corpus, say
FAILED = "failed"  # the key under which the first process with an error stores its rank
ERROR_STATUS = 2  # the exit status of an AlbertLibError


class ProcessError(AlbertLibError, RuntimeError):
    """The processes of a run do not fit the machine, or one of them is gone."""


def world_size() -> int:
    """Return how many processes train together: 1 without torchrun.

    Example:
        >>> world_size()
        1
    """
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def started_world_size() -> int:
    """Return how many processes torchrun started, before they have joined."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def is_first() -> bool:
    """Whether this is process 0, which writes, prints and decides for all."""
    return rank() == 0


@contextlib.contextmanager
def joined(device: str | None = None) -> Iterator[torch.device]:
    """Join the processes that torchrun started with this one; yield the device of this one.

    `device` is as in `own_device`. An error that all processes have is raised by one of them; the
    others exit silently. Raises ProcessError when another process is gone.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield own_device(device)
        return
    if not dist.is_available():
        raise ProcessError(
            "This build of PyTorch cannot join processes; install another or leave torchrun out."
        )
    from torch.distributed.distributed_c10d import PrefixStore

    shared, rank, size = rendezvous_store()
    # An attempt before a restart has left addresses of dead processes there.
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = PrefixStore(f"attempt {attempt}", shared)
    with raised_once(store, rank):
        own = own_device(device)
        backend = "cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
        yield own
        dist.destroy_process_group()


def rendezvous_store() -> tuple[dist.Store, int, int]:
    """Return the store that the processes of this run share, the rank and the world size.

    Raises ProcessError when they do not find each other, on every such process: there is no store
    yet through which they could agree on one.
    """
    from torch.distributed.rendezvous import rendezvous

    try:
        shared, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
    except (RuntimeError, ValueError) as problem:
        raise ProcessError(
            f"This process does not find the others of its run ({first_line(problem)}); see that "
            f"torchrun starts all of them and that the first one's machine can be reached."
        ) from None
    return shared, rank, size


def own_device(name: str | None = None) -> torch.device:
    """Return the device called `name`, or a GPU if there is one; each process has its own GPU.

    Raises ConfigError for a name that torch does not know, ProcessError when there are more
    processes than GPUs.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise ConfigError(f"device is {name!r}; name one such as cpu, cuda or cuda:1.") from None
    if device.type == "cuda" and device.index is not None and started_world_size() > 1:
        raise ConfigError(
            f"device is {name}, but each of several processes needs a GPU of its own; use "
            f"--device cuda, which assigns them."
        )
    if device.type != "cuda":
        return device
    here, there_are = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if there_are == 0:
        raise ConfigError(f"device is {device}, but PyTorch sees no GPU here; use --device cpu.")
    if str(device) != "cuda":  # one of them, by its number
        if device.index >= there_are:
            raise ConfigError(f"device is {device}, but the last GPU here is cuda:{there_are - 1}.")
        return device
    if here >= there_are:
        raise ProcessError(
            f"Process {here} of this machine has no GPU of its own ({there_are} here); start "
            f"torchrun with --nproc-per-node {there_are}, or use --device cpu."
        )
    torch.cuda.set_device(here)
    return torch.device("cuda", here)


@contextlib.contextmanager
def raised_once(store: dist.Store, rank: int) -> Iterator[None]:
    """Raise an AlbertLibError on the first process that has it; the others exit silently."""
    try:
        yield
    except AlbertLibError as problem:
        first_to_write(store, FAILED, rank)
        if not first_to_write(store, f"{FAILED}: {problem}", rank):
            raise SystemExit(ERROR_STATUS) from None
        raise
    except RuntimeError as problem:
        if not isinstance(problem, dist.DistError) and "gloo" not in str(problem):
            raise
        if not first_to_write(store, FAILED, rank):
            raise SystemExit(ERROR_STATUS) from None
        raise ProcessError(
            f"Another process of this run is gone or cannot be reached, and the rest cannot go on "
            f"without it ({first_line(problem)}); start the run again, or have torchrun do it "
            f"with --max-restarts."
        ) from None


def first_to_write(store: dist.Store, key: str, rank: int) -> bool:
    """Whether this process is the first to write `key` into the shared store."""
    try:
        return store.compare_set(key, "", str(rank)) == str(rank).encode()
    except RuntimeError:  # the store is gone: better print the error twice than never
        return True


def own_rows(batch_size: int, accumulation: int) -> list[slice]:
    """Return this process's rows of every batch, in `accumulation` parts.

    The parts of all processes are equally long, or some a row longer than others, and lie in
    order: part i of process p is part p · accumulation + i of the batch. Raises ConfigError
    when there are more parts than rows.

    Example:
        >>> own_rows(7, accumulation=2)
        [slice(0, 3, None), slice(3, 7, None)]
    """
    parts = world_size() * accumulation
    if parts > batch_size:
        raise ConfigError(
            f"batch_size is {batch_size}, which cannot be cut into {world_size()} processes × "
            f"{accumulation} parts; raise batch_size or lower accumulation."
        )
    ends = [part * batch_size // parts for part in range(parts + 1)]
    first = rank() * accumulation
    return [slice(*ends[part : part + 2]) for part in range(first, first + accumulation)]


def all_reduce(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor, all on one device, by its sum over all processes, in one message."""
    if world_size() == 1:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(message)
    lengths = [tensor.numel() for tensor in tensors]
    for tensor, summed in zip(tensors, message.split(lengths), strict=True):
        tensor.copy_(summed.view_as(tensor))


def broadcast(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by that of process 0."""
    if world_size() > 1:
        for tensor in tensors:
            dist.broadcast(tensor, 0)


def broadcast_json(value: Any) -> Any:
    """Return, on every process, the JSON value that process 0 passes.

    Example:
        >>> broadcast_json({"step": 4})
        {'step': 4}
    """
    if world_size() == 1:
        return value
    text = torch.tensor(list(json.dumps(value).encode()), dtype=torch.uint8)
    length = torch.tensor([len(text)])
    dist.broadcast(length, 0)
    if not is_first():
        text = torch.empty(int(length), dtype=torch.uint8)
    dist.broadcast(text, 0)
    return json.loads(bytes(text.tolist()))


def run_on_first(work: Callable[[], object]) -> None:
    """Let process 0 do what may take days, while the others wait for it."""
    if world_size() == 1:
        work()
        return
    group = dist.new_group(backend="gloo", timeout=FIRST_PROCESS_TIMEOUT)
    if is_first():
        work()
    dist.broadcast(torch.zeros(1), 0, group=group)
    dist.destroy_process_group(group)


def barrier() -> None:
    """Wait until every process has come this far."""
    all_reduce([torch.zeros(1)])
