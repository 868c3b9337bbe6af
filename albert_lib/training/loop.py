"""The training loop, one for pretraining and fine-tuning."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from albert_lib.errors import ConfigError
from albert_lib.training import distributed
from albert_lib.training.history import History, Row
from albert_lib.training.precision import autocast
from albert_lib.training.recording import Recorder

ROWS_BETWEEN_READS = 10  # on an accelerator, reading a number makes it wait


@runtime_checkable
class Batch(Protocol):
    """What the loop asks of a batch; the rest is between batch and loss function."""

    @property
    def n_tokens(self) -> int:
        """Pieces in it that are not padding."""

    def to(self, device: torch.device) -> Any:
        """The same batch on `device`."""


AnyBatch = TypeVar("AnyBatch", bound=Batch)
Losses = Mapping[str, Tensor]


def train(
    model: nn.Module,
    batch: Callable[[int], AnyBatch | Sequence[AnyBatch]],
    loss_function: Callable[[nn.Module, AnyBatch], Losses],
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    learning_rate: Callable[[int], float],
    seed: int,
    dtype: torch.dtype = torch.float32,
    max_grad_norm: float = 1.0,
    terms: Callable[[AnyBatch], Mapping[str, int]] | None = None,
    history: History | None = None,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    evaluate_every: int = 0,
    checkpoint: Callable[[int, History], object] | None = None,
    checkpoint_every: int = 0,
    on_step: Callable[[Row], object] | None = None,
    progress: bool = True,
) -> History:
    """Train `model` in place up to `steps` steps; return the history, one row a step.

    `batch(step)` gives the batch of a step counted from 0, and `loss_function(model, batch)`
    the scalar to minimise as "loss", with any parts to record beside it. Training begins after
    the last row of `history`, so a restored model goes on where it stopped.

    A batch may come as a list of parts, worked through in turn, and on several processes each
    gives its own; then `terms(part)` says how many terms each loss is a mean over, as in
    `weighed`, so that losses, gradient and update are those of the whole batch.

    Every part draws its dropout from (seed, step, its number in the whole batch) alone, so cutting
    a batch otherwise changes the draws; torch's global generators stay as they were. A row holds
    step (steps done, from 1), the losses, learning_rate, gradient_norm (before clipping), tokens
    and seconds (making the batch included); after every `evaluate_every` steps and the last one,
    what `evaluate()` returned joins it. `checkpoint(step, history)` is called likewise, then
    `on_step(row)` for every row; on an accelerator rows are read ten at a time, and seconds is
    the mean of the ten.

    The model is left in evaluation mode. Raises TrainingError, naming the step, when a loss
    or gradient is not finite.
    """
    history = History() if history is None else history
    device = next(model.parameters()).device
    reads = 1 if device.type == "cpu" else ROWS_BETWEEN_READS
    hidden = not (progress and distributed.is_first())
    with (
        training_mode(model),
        tqdm(total=steps, initial=len(history), disable=hidden, unit="step") as bar,
    ):
        recorder = Recorder(
            history, bar, steps, reads,
            evaluate, evaluate_every, checkpoint, checkpoint_every, on_step,
        )  # fmt: skip
        to_come = range(len(history), steps)
        batches = each_batch(batch, to_come, ahead=device.type != "cpu")
        for step, parts in zip(to_come, batches, strict=True):
            with untouched_generators(device):
                values = train_step(
                    model, parts, loss_function, optimizer, lr=learning_rate(step), dtype=dtype,
                    max_grad_norm=max_grad_norm, terms=terms,
                    begin_part=partial(seed_dropout, device, seed, step),
                )  # fmt: skip
            recorder.add(step + 1, values)
    return history


def train_step(
    model: nn.Module,
    batch: AnyBatch | Sequence[AnyBatch],
    loss_function: Callable[[nn.Module, AnyBatch], Losses],
    optimizer: torch.optim.Optimizer,
    *,
    lr: float,
    dtype: torch.dtype = torch.float32,
    max_grad_norm: float = 1.0,
    terms: Callable[[AnyBatch], Mapping[str, int]] | None = None,
    begin_part: Callable[[int], object] | None = None,
) -> dict[str, int | float | Tensor]:
    """Take one step; return its losses (tensors, not yet read) and measurements.

    The batch is whole, or a list of this process's parts of it, as in `train`. `begin_part` is
    called before each part with its number in the whole batch.
    """
    parts: Sequence[AnyBatch] = batch if isinstance(batch, Sequence) else [batch]
    device = next(model.parameters()).device
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    counts = [{"tokens": part.n_tokens, **(terms(part) if terms else {})} for part in parts]
    whole = counts_of_whole(counts)
    is_cut = len(parts) * distributed.world_size() > 1
    sums: dict[str, Tensor] = {}
    for index, (part, own) in enumerate(zip(parts, counts, strict=True)):
        if begin_part is not None:
            begin_part(distributed.rank() * len(parts) + index)
        with autocast(device, dtype):
            losses = loss_function(model, part.to(device))
            if is_cut:
                losses = weighed(losses, own, whole)
        losses["loss"].backward()
        for name, loss in losses.items():
            sums[name] = sums[name] + loss.detach() if name in sums else loss.detach()

    gradients = [each.grad for each in model.parameters() if each.grad is not None]
    distributed.all_reduce([*gradients, *sums.values()])
    gradient_norm = nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    return {
        **sums,
        "learning_rate": lr,
        "gradient_norm": gradient_norm,
        "tokens": whole["tokens"],
    }


def counts_of_whole(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Add up the counts of all parts on all processes."""
    names = list(counts[0])
    numbers = torch.tensor([sum(part[name] for part in counts) for name in names])
    distributed.all_reduce([numbers])
    return dict(zip(names, numbers.tolist(), strict=True))


def weighed(losses: Losses, own: Mapping[str, int], whole: Mapping[str, int]) -> dict[str, Tensor]:
    """Scale a part's losses so that those of all parts add up to the whole batch's.

    A loss that is a mean over `own[name]` terms here and `whole[name]` in the whole batch counts
    by its share of them: the mean of part means would weigh a term by how few share its part.
    "loss", unless it has terms of its own, is the sum of the others. Raises ConfigError when the
    terms of a loss are not known.
    """
    scaled = {}
    for name, loss in losses.items():
        if name in own:
            scaled[name] = loss * (own[name] / max(1, whole[name]))
        elif name != "loss" or len(losses) == 1:
            raise ConfigError(
                f"A batch was cut into parts, but not how many terms {name} is a mean over; "
                f"give train a `terms` that counts them."
            )
    total = scaled.get("loss", sum(scaled.values(), torch.zeros_like(losses["loss"])))
    return {"loss": total, **scaled}


def each_batch(
    batch: Callable[[int], AnyBatch | Sequence[AnyBatch]], steps: range, *, ahead: bool
) -> Iterator[AnyBatch | Sequence[AnyBatch]]:
    """Yield the batch of every step; with `ahead`, the next is made in a thread meanwhile.

    That pays where an accelerator works on its own; a CPU's threads are all busy with the step.
    """
    if not ahead:
        yield from map(batch, steps)
        return
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = [maker.submit(batch, step) for step in steps[:1]]
        for step in steps:
            made = coming.pop().result()
            if step + 1 in steps:
                coming.append(maker.submit(batch, step + 1))
            yield made


@contextlib.contextmanager
def training_mode(model: nn.Module) -> Iterator[None]:
    """Train inside the block; leave the model in evaluation mode, even after an interruption."""
    model.train()
    try:
        yield
    finally:
        model.eval()


@contextlib.contextmanager
def untouched_generators(device: torch.device) -> Iterator[None]:
    """Put torch's generators back, after the block, to where they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def seed_dropout(device: torch.device, seed: int, step: int, part: int) -> None:
    """Draw dropout from (seed, step, part) from here on."""
    numbers = np.random.SeedSequence([seed, step, part]).generate_state(1, np.uint64)
    torch.default_generator.manual_seed(int(numbers[0]))
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(int(numbers[0]))
