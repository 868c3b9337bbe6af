"""The training loop, one for pretraining and fine-tuning: it takes steps and yields their rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from albert_lib.training import distributed
from albert_lib.training.history import UnreadRow
from albert_lib.training.part_losses import (
    Losses,
    check_same_weights,
    check_weighted_sum,
    counts_of_whole,
    scale_to_whole,
)
from albert_lib.training.precision import autocast


@runtime_checkable
class TrainableBatch(Protocol):
    """What the loop needs of a batch; the rest is between batch and loss function."""

    @property
    def n_tokens(self) -> int:
        """Number of tokens that are not padding."""

    def to(self, device: torch.device) -> Any:
        """The same batch on `device`."""


AnyBatch = TypeVar("AnyBatch", bound=TrainableBatch)
LossFunction = Callable[[nn.Module, AnyBatch], Losses]
LossCounts = Callable[[AnyBatch], Mapping[str, int]]


@dataclass(frozen=True)
class TrainingLoop(Generic[AnyBatch]):
    """What a training step depends on. `rows(range(first, end))` takes these steps.

    Attributes:
        model: Trained in place.
        batch: Gives the batch of a step counted from 0: whole, or a list of parts, worked
            through in turn (gradient accumulation). On several processes each gives its own.
        loss_function: Of (model, batch): the scalar to minimise as "loss", with any means to
            record beside it.
        optimizer: Of the model's parameters; its learning rate is set at every step.
        learning_rate: Gives the learning rate of a step counted from 0.
        seed: Of dropout. Every part draws its own from (seed, step, its number in the whole
            batch) alone, so cutting a batch otherwise changes the draws.
        dtype: Of matrix products.
        max_grad_norm: A gradient of a larger norm is clipped to it.
        loss_counts: Needed where batches are cut: how many terms each loss of a part is a mean
            over. Losses, gradient and update are then those of the whole batch
            (`part_losses.py`).
        after_step: Called when the weights have been updated.
    """

    model: nn.Module
    batch: Callable[[int], AnyBatch | Sequence[AnyBatch]]
    loss_function: LossFunction
    optimizer: torch.optim.Optimizer
    learning_rate: Callable[[int], float]
    seed: int
    dtype: torch.dtype = torch.float32
    max_grad_norm: float = 1.0
    loss_counts: LossCounts | None = None
    after_step: Callable[[], object] | None = None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def rows(self, steps: range) -> Iterator[UnreadRow]:
        """Take each step and yield its row.

        A row has step (steps done, from 1), the losses, learning_rate, gradient_norm (before
        clipping) and tokens. Some are tensors: reading a number makes an accelerator wait, so
        that is left to the caller. The next batch is made while the caller holds a row on an
        accelerator. torch's global generators stay as they were. The model is left in evaluation
        mode when the iterator ends or is closed.
        """
        device = self.device
        on_cpu = device.type == "cpu"
        with training_mode(self.model):
            batches = each_batch(self.batch, steps, ahead=not on_cpu)
            for step, batch in zip(steps, batches, strict=True):
                with untouched_generators(device):
                    values = train_step(
                        self.model,
                        batch,
                        self.loss_function,
                        self.optimizer,
                        lr=self.learning_rate(step),
                        dtype=self.dtype,
                        max_grad_norm=self.max_grad_norm,
                        loss_counts=self.loss_counts,
                        before_part=partial(seed_dropout, device, self.seed, step),
                        check_losses=on_cpu or step == steps.start,
                    )
                if self.after_step is not None:
                    self.after_step()
                yield {"step": step + 1, **values}


def train_step(
    model: nn.Module,
    batch: AnyBatch | Sequence[AnyBatch],
    loss_function: LossFunction,
    optimizer: torch.optim.Optimizer,
    *,
    lr: float,
    dtype: torch.dtype = torch.float32,
    max_grad_norm: float = 1.0,
    loss_counts: LossCounts | None = None,
    before_part: Callable[[int], object] | None = None,
    check_losses: bool = True,
) -> UnreadRow:
    """Take one step; return its losses (tensors, not yet read) and measurements.

    The batch is whole, or a list of this process's parts of it, as in `TrainingLoop`.
    `before_part` is called before each part with its number in the whole batch. Raises
    ConfigError when the losses of a cut batch cannot be those of the whole one; `check_losses`
    also checks what takes reading numbers.
    """
    parts: Sequence[AnyBatch] = batch if isinstance(batch, Sequence) else [batch]
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    counts = [
        {"tokens": part.n_tokens, **(loss_counts(part) if loss_counts else {})} for part in parts
    ]
    whole = counts_of_whole(counts)
    gradients = Gradients(model, loss_function, dtype, whole, check_losses)
    for index, (part, own) in enumerate(zip(parts, counts, strict=True)):
        if before_part is not None:
            before_part(distributed.rank() * len(parts) + index)
        gradients.add(part, own, is_cut=len(parts) * distributed.world_size() > 1)
    losses = gradients.all_reduced()
    gradient_norm = nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    return {
        **losses,
        "learning_rate": lr,
        "gradient_norm": gradient_norm,
        "tokens": whole["tokens"],
    }


class Gradients:
    """Accumulates the gradients and losses of a batch's parts in the model's own gradients."""

    def __init__(
        self,
        model: nn.Module,
        loss_function: LossFunction,
        dtype: torch.dtype,
        whole: Mapping[str, int],
        check: bool,
    ) -> None:
        self.model, self.loss_function, self.dtype = model, loss_function, dtype
        self.whole, self.check = whole, check
        self.device = next(model.parameters()).device
        self.sums: dict[str, Tensor] = {}
        self.weights: dict[str, Tensor] = {}

    def add(self, part: TrainableBatch, own: Mapping[str, int], *, is_cut: bool) -> None:
        """Run one part forwards and backwards; `own` counts the terms of its losses."""
        with autocast(self.device, self.dtype):
            losses = self.loss_function(self.model, part.to(self.device))
            if is_cut:
                losses = self._scale(losses, own)
        losses["loss"].backward()
        for name, loss in losses.items():
            loss = loss.detach()
            self.sums[name] = self.sums[name] + loss if name in self.sums else loss

    def _scale(self, losses: Losses, own: Mapping[str, int]) -> Losses:
        scaled, weights = scale_to_whole(losses, own, self.whole)
        if self.check and weights:
            check_weighted_sum(losses, weights)
            check_same_weights(weights, self.weights or weights)
        self.weights = weights
        return scaled

    def all_reduced(self) -> dict[str, Tensor]:
        """Add up gradients and losses over all processes; return the losses."""
        gradients = [each.grad for each in self.model.parameters() if each.grad is not None]
        mean_weights = {
            name: weight / distributed.world_size() for name, weight in self.weights.items()
        }
        distributed.all_reduce([*gradients, *self.sums.values(), *mean_weights.values()])
        if self.check and distributed.world_size() > 1:
            check_same_weights(self.weights, mean_weights)
        return self.sums


def each_batch(
    batch: Callable[[int], AnyBatch | Sequence[AnyBatch]], steps: range, *, ahead: bool
) -> Iterator[AnyBatch | Sequence[AnyBatch]]:
    """Yield the batch of every step; with `ahead`, a thread makes the next one meanwhile.

    That pays where an accelerator works on its own; a CPU's cores are all busy with the step.

    Example:
        >>> list(each_batch(lambda step: 10 * step, range(2, 5), ahead=True))
        [20, 30, 40]
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
    """Put torch's random number generators back, after the block, to where they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def seed_dropout(device: torch.device, seed: int, step: int, part: int) -> None:
    """Draw dropout from (seed, step, part) from here on."""
    numbers = np.random.SeedSequence([seed, step, part]).generate_state(1, np.uint64)
    torch.default_generator.manual_seed(int(numbers[0]))
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(int(numbers[0]))
