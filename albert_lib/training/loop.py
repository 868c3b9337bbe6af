"""The training loop, one for pretraining and fine-tuning."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from albert_lib.errors import AlbertLibError
from albert_lib.training.history import History, Row
from albert_lib.training.precision import autocast

ROWS_BETWEEN_READS = 10  # on an accelerator, reading a number makes it wait


class TrainingError(AlbertLibError, ArithmeticError):
    """The loss or its gradient stopped being a finite number."""


@runtime_checkable
class Batch(Protocol):
    """What the loop asks of a batch; the rest is between batch and loss function."""

    @property
    def n_tokens(self) -> int:
        """Pieces in it that are not padding."""

    def to(self, device: torch.device) -> Any:
        """The same batch on `device`."""


AnyBatch = TypeVar("AnyBatch", bound=Batch)


def train(
    model: nn.Module,
    batch: Callable[[int], AnyBatch],
    loss_function: Callable[[nn.Module, AnyBatch], Mapping[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    learning_rate: Callable[[int], float],
    seed: int,
    dtype: torch.dtype = torch.float32,
    max_grad_norm: float = 1.0,
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

    Every step draws its dropout from (seed, step) alone and leaves torch's global generators as
    they were. A row holds step (steps done, from 1), the losses, learning_rate, gradient_norm
    (before clipping), tokens and seconds (making the batch included); after every
    `evaluate_every` steps and the last one, what `evaluate()` returned joins it.
    `checkpoint(step, history)` is called likewise, then `on_step(row)` for every row; on an
    accelerator rows are read ten at a time, and seconds is the mean of the ten.

    The model is left in evaluation mode. Raises TrainingError, naming the step, when a loss
    or gradient is not finite.
    """
    history = History() if history is None else history
    device = next(model.parameters()).device
    reads = 1 if device.type == "cpu" else ROWS_BETWEEN_READS
    unread: list[dict[str, int | float | Tensor]] = []
    with (
        training_mode(model),
        tqdm(total=steps, initial=len(history), disable=not progress, unit="step") as bar,
    ):
        clock = time.perf_counter()
        for step in range(len(history), steps):
            done = step + 1
            with repeatable_dropout(seed, step, device):
                values = train_step(
                    model, batch(step).to(device), loss_function, optimizer,
                    lr=learning_rate(step), dtype=dtype, max_grad_norm=max_grad_norm,
                )  # fmt: skip
            unread.append({"step": done, **values})
            evaluating = evaluate is not None and is_due(done, evaluate_every, steps)
            saving = checkpoint is not None and is_due(done, checkpoint_every, steps)
            if not (evaluating or saving or len(unread) >= reads or done == steps):
                continue

            rows = [read_row(values) for values in unread]
            seconds = (time.perf_counter() - clock) / len(rows)
            rows = [{**row, "seconds": seconds} for row in rows]
            if evaluating and evaluate is not None:
                rows[-1].update(evaluate())
            history.rows.extend(rows)
            if saving and checkpoint is not None:
                checkpoint(done, history)
            bar.set_postfix(loss=f"{rows[-1]['loss']:.3f}", refresh=False)
            bar.update(len(rows))
            if on_step is not None:
                for row in rows:
                    on_step(row)
            unread.clear()
            clock = time.perf_counter()
    return history


def train_step(
    model: nn.Module,
    batch: AnyBatch,
    loss_function: Callable[[nn.Module, AnyBatch], Mapping[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    lr: float,
    dtype: torch.dtype = torch.float32,
    max_grad_norm: float = 1.0,
) -> dict[str, int | float | Tensor]:
    """Take one step; return its losses (tensors, not yet read) and measurements."""
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    with autocast(next(model.parameters()).device, dtype):
        losses = loss_function(model, batch)
    losses["loss"].backward()
    gradient_norm = nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    return {
        **{name: loss.detach() for name, loss in losses.items()},
        "learning_rate": lr,
        "gradient_norm": gradient_norm,
        "tokens": batch.n_tokens,
    }


def read_row(values: Mapping[str, int | float | Tensor]) -> Row:
    """Turn a step's tensors into numbers; raise TrainingError when one is not finite."""
    row = {
        name: value.item() if isinstance(value, Tensor) else value for name, value in values.items()
    }
    for name in ("loss", "gradient_norm"):
        if not math.isfinite(row[name]):
            raise TrainingError(
                f"Step {row['step']:.0f}: {name} is {row[name]}, so training cannot go on; "
                f"lower the learning rate (here {row['learning_rate']:.2g}) or warm up longer."
            )
    return row


def is_due(done: int, every: int, steps: int) -> bool:
    """Whether something done after every `every` steps (0: never), and after the last, is due."""
    return every > 0 and (done % every == 0 or done == steps)


@contextlib.contextmanager
def training_mode(model: nn.Module) -> Iterator[None]:
    """Train inside the block; leave the model in evaluation mode, even after an interruption."""
    model.train()
    try:
        yield
    finally:
        model.eval()


@contextlib.contextmanager
def repeatable_dropout(seed: int, step: int, device: torch.device) -> Iterator[None]:
    """Draw dropout from (seed, step) inside the block; put torch's generators back after it."""
    number = int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0])
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(number)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(number)
        yield
