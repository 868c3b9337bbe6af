"""The loop without anything around it: by hand, and against the one that long runs use."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from small_networks import network, optimizer_for
from test_loop import Numbers, Scale, mean_loss
from torch import nn

from albert_lib.training import Run, TrainingLoop, training_steps, warmup_linear


def scalar_loss(model: nn.Module, batch: Numbers) -> torch.Tensor:
    return mean_loss(model, batch)["loss"]


def test_rate_and_clipping_by_hand() -> None:
    # The gradient is 1; cut to 0.25 it moves the weight by 0.25 · (0.5, 1.0, 1.5).
    model = Scale()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e9)
    losses = training_steps(
        model, [Numbers(torch.ones(4))] * 3, scalar_loss, optimizer,
        learning_rates=[0.5, 1.0, 1.5], max_grad_norm=0.25,
    )  # fmt: skip
    assert losses == pytest.approx([10.0, 9.875, 9.625])
    assert all(type(loss) is float for loss in losses)
    assert model.weight.item() == pytest.approx(9.25, abs=1e-5)


def square_of(model: nn.Module, batch: Numbers) -> torch.Tensor:
    return model(batch.values).square().mean()


@pytest.mark.parametrize("kind", ["lamb", "muon", "adamw"])
def test_same_weights_as_the_loop_of_long_runs(kind: str) -> None:
    generator = torch.Generator().manual_seed(5)
    batches = [Numbers(torch.randn(3, 4, generator=generator)) for _ in range(8)]
    rates = [warmup_linear(n, peak=0.1, warmup_steps=3, total_steps=8) for n in range(8)]
    plain = network()
    long = copy.deepcopy(plain)
    losses = training_steps(
        plain, batches, square_of, optimizer_for(plain, kind), learning_rates=rates,
        max_grad_norm=0.5,
    )  # fmt: skip
    loop: TrainingLoop[Any] = TrainingLoop(
        long, batches.__getitem__, lambda model, batch: {"loss": square_of(model, batch)},
        optimizer_for(long, kind), rates.__getitem__, seed=0, max_grad_norm=0.5,
    )  # fmt: skip
    history = Run(8, progress=False).train(loop)
    assert history.column("loss").tolist() == losses
    assert losses[-1] < losses[0]
    for one, other in zip(plain.parameters(), long.parameters(), strict=True):
        assert torch.equal(one, other)


def test_goes_on_where_it_stopped() -> None:
    batches = [Numbers(torch.full((4,), float(n))) for n in (1, 2, 3, 4)]
    rates = [0.4, 0.3, 0.2, 0.1]

    def run(*pieces: slice) -> list[float]:
        model = Scale()
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
        losses: list[float] = []
        for piece in pieces:
            losses += training_steps(
                model, batches[piece], scalar_loss, optimizer, learning_rates=rates[piece]
            )
        return losses

    assert run(slice(4)) == run(slice(1), slice(1, 4))


def test_every_batch_needs_a_rate() -> None:
    model = Scale()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with pytest.raises(ValueError):
        training_steps(model, [Numbers(torch.ones(4))], scalar_loss, optimizer, learning_rates=[])
