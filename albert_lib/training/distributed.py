"""Several processes that train one model, as torchrun starts them; alone, nothing of it shows.

Every process makes its own rows of each batch, and before each update the gradients are added
up over all of them, in one message after the backward pass. DistributedDataParallel would begin
to send during that pass; but a layer that all depths share has its gradient complete only at the
end, so there is next to nothing to send early. And it lays its messages out anew after the first
step, which changes the order in which three processes or more add: a run that was killed would
not end with the same bits.
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

from albert_lib.errors import AlbertLibError, ConfigError

# A process that died is noticed by torchrun, not by waiting; one that hangs, by these. An hour is
# more than any step takes or any process is ahead of another.
PATIENCE = timedelta(hours=1)
PATIENCE_WITH_THE_FIRST = timedelta(days=7)  # while it builds a corpus, say
FAILED = "failed"  # under this key, the first process that has an error
ALREADY_SAID = 2  # the exit status of an AlbertLibError


class ProcessError(AlbertLibError, RuntimeError):
    """Processes that were to train together do not fit the machine, or one of them is gone."""


def world_size() -> int:
    """How many processes train together: 1 without torchrun."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def count_started() -> int:
    """How many processes torchrun started, before they have joined."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this one is, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def is_first() -> bool:
    """Whether this is the process that writes, prints and decides for all."""
    return rank() == 0


@contextlib.contextmanager
def joined(device: str | None = None) -> Iterator[torch.device]:
    """Join the processes that torchrun started with this one; yield the device of this one.

    `device` is as in `own_device`. An error that all have is raised by one of them, and the others
    end without a word. Raises ProcessError when another process is gone.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield own_device(device)
        return
    if not dist.is_available():
        raise ProcessError(
            "This build of PyTorch cannot join processes; install another or leave torchrun out."
        )
    from torch.distributed.distributed_c10d import PrefixStore

    shared, rank, size = meet()
    # What an attempt before a restart left there, addresses of dead processes, is not for this one.
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = PrefixStore(f"attempt {attempt}", shared)
    with one_voice(store, rank):
        own = own_device(device)
        backend = "cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
        yield own
        dist.destroy_process_group()


def meet() -> tuple[dist.Store, int, int]:
    """Return what the processes of this run share, which of them this one is, and how many.

    Raises ProcessError, on every process that does, when they do not find each other: there is
    nothing yet through which one could speak for all.
    """
    from torch.distributed.rendezvous import rendezvous

    try:
        shared, rank, size = next(rendezvous("env://", timeout=PATIENCE))
    except (RuntimeError, ValueError) as problem:
        raise ProcessError(
            f"This process does not find the others of its run ({first_line(problem)}); see that "
            f"torchrun starts all of them and that the first one's machine can be reached."
        ) from None
    return shared, rank, size


def first_line(problem: BaseException) -> str:
    """Return the first line of an error's own words, without the stop at its end."""
    return str(problem).strip().partition("\n")[0].rstrip(".") or type(problem).__name__


def own_device(name: str | None = None) -> torch.device:
    """Return the device called `name`, or the fastest; of several GPUs, each process has its own.

    Raises ConfigError for a name that torch does not know, ProcessError when there are more
    processes than GPUs.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise ConfigError(f"device is {name!r}; name one such as cpu, cuda or cuda:1.") from None
    if device.type == "cuda" and device.index is not None and count_started() > 1:
        raise ConfigError(
            f"device is {name}, but each of several processes needs a GPU of its own; use "
            f"--device cuda, which deals them out."
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
def one_voice(store: dist.Store, rank: int) -> Iterator[None]:
    """Raise an AlbertLibError on the first process that has it; end the others silently."""
    try:
        yield
    except AlbertLibError as problem:
        first_to_write(store, FAILED, rank)
        if not first_to_write(store, f"{FAILED}: {problem}", rank):
            raise SystemExit(ALREADY_SAID) from None
        raise
    except RuntimeError as problem:
        if not isinstance(problem, dist.DistError) and "gloo" not in str(problem):
            raise
        if not first_to_write(store, FAILED, rank):
            raise SystemExit(ALREADY_SAID) from None
        raise ProcessError(
            f"Another process of this run is gone or cannot be reached, and the rest cannot go on "
            f"without it ({first_line(problem)}); start the run again, or have torchrun do it "
            f"with --max-restarts."
        ) from None


def first_to_write(store: dist.Store, key: str, rank: int) -> bool:
    """Whether this process is the first to write `key` into what all of them share."""
    try:
        return store.compare_set(key, "", str(rank)) == str(rank).encode()
    except RuntimeError:  # gone with the machine that held it: better said twice than never
        return True


def own_rows(batch_size: int, accumulation: int) -> list[slice]:
    """Return this process's rows of every batch, in `accumulation` parts worked through in turn.

    All parts of all processes are equally long, or some a row longer than others, and lie in
    order: part i of process p is part p · accumulation + i of the batch. Raises ConfigError
    when there are more parts than rows.
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
    """Replace each tensor by its sum over all processes; all on one device, in one message."""
    if world_size() == 1:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(message)
    lengths = [tensor.numel() for tensor in tensors]
    for tensor, summed in zip(tensors, message.split(lengths), strict=True):
        tensor.copy_(summed.view_as(tensor))


def broadcast(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by the first process's."""
    if world_size() > 1:
        for tensor in tensors:
            dist.broadcast(tensor, 0)


def broadcast_json(value: Any) -> Any:
    """Return, on every process, the JSON value that the first one passes."""
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
    """Let the first process do what may take days, while the others wait for it."""
    if world_size() == 1:
        work()
        return
    patient = dist.new_group(backend="gloo", timeout=PATIENCE_WITH_THE_FIRST)
    if is_first():
        work()
    dist.broadcast(torch.zeros(1), 0, group=patient)
    dist.destroy_process_group(patient)


def barrier() -> None:
    """Go on when every process has come this far."""
    all_reduce([torch.zeros(1)])
