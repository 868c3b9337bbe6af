"""LAMB against an independent implementation, and against ten lines of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_optimizer import Lamb as TheirLamb
from torch import nn
from transformers import AlbertConfig as TheirConfig
from transformers import AlbertForPreTraining as TheirModel

from albert_lib.config import AlbertConfig
from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.training import Lamb, lamb_update, parameter_groups

RATES = (0.02, 0.0, 0.01, 0.004)


class UnclampedLamb(TheirLamb):
    """Google's code does not limit the weight's length; this library's default is 10."""

    clamp = float("inf")


def small_network() -> nn.Sequential:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(7, 5), nn.LayerNorm(5), nn.Linear(5, 3))
    with torch.no_grad():
        network[2].weight.mul_(40)  # long enough that a limit of 10 would show
    return network.double()


def gradients(network: nn.Module, step: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    return [
        torch.randn(p.shape, generator=generator, dtype=p.dtype) * 10 ** (step % 3 - 2)
        for p in network.parameters()
    ]


def take_steps(network: nn.Module, optimizer: torch.optim.Optimizer) -> list[list[torch.Tensor]]:
    path = []
    for step, rate in enumerate(RATES * 3):
        for parameter, gradient in zip(network.parameters(), gradients(network, step), strict=True):
            parameter.grad = gradient
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        path.append([parameter.detach().clone() for parameter in network.parameters()])
    return path


def largest_difference(ours: list[list[torch.Tensor]], theirs: list[list[torch.Tensor]]) -> float:
    return max(
        (a - b).abs().max().item()
        for step_ours, step_theirs in zip(ours, theirs, strict=True)
        for a, b in zip(step_ours, step_theirs, strict=True)
    )


def test_every_step_equals_pytorch_optimizers() -> None:
    ours, theirs = small_network(), small_network()
    decayed = [theirs[0].weight, theirs[2].weight]
    left_out = [theirs[0].bias, *theirs[1].parameters(), theirs[2].bias]
    reference = UnclampedLamb(
        [
            {"params": decayed, "weight_decay": 0.01},
            {"params": left_out, "weight_decay": 0.0, "adam": True},
        ],
        lr=0.02,
        betas=(0.9, 0.999),
        eps=1e-6,
        weight_decouple=False,
        adam_debias=True,  # in that library this switches the correction off
    )
    own = Lamb(parameter_groups(ours, weight_decay=0.01), lr=0.02)
    # That library divides by the update's length plus eps, hence not to the last digit.
    assert largest_difference(take_steps(ours, own), take_steps(theirs, reference)) < 1e-6


def numpy_lamb(w, g, m, v, lr, decay, adapt):  # type: ignore[no-untyped-def]
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    u = m / (np.sqrt(v) + 1e-6) + decay * w
    w_length, u_length = np.sqrt((w**2).sum()), np.sqrt((u**2).sum())
    ratio = w_length / u_length if adapt and w_length > 0 and u_length > 0 else 1.0
    return w - lr * ratio * u, m, v


def test_every_step_equals_numpy() -> None:
    network = small_network()
    start = [parameter.detach().numpy().copy() for parameter in network.parameters()]
    path = take_steps(network, Lamb(parameter_groups(network, weight_decay=0.01), lr=0.02))
    for place, value in enumerate(start):
        mean, mean_square = np.zeros_like(value), np.zeros_like(value)
        adapt = value.ndim == 2
        for step, rate in enumerate(RATES * 3):
            gradient = gradients(network, step)[place].numpy()
            value, mean, mean_square = numpy_lamb(
                value, gradient, mean, mean_square, rate, 0.01 if adapt else 0.0, adapt
            )
            np.testing.assert_allclose(path[step][place].numpy(), value, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("parameter", "gradient"), [([0.0, 0.0], [1.0, 2.0]), ([3.0, 4.0], [0.0, 0.0])]
)
def test_the_trust_ratio_is_one_where_a_length_is_zero(
    parameter: list[float], gradient: list[float]
) -> None:
    start, slope = torch.tensor(parameter), torch.tensor(gradient)
    zeros = torch.zeros(2)
    settings = {"lr": 0.1, "weight_decay": 0.0}
    adapted, _, _ = lamb_update(start, slope, zeros, zeros, **settings)
    plain, _, _ = lamb_update(start, slope, zeros, zeros, **settings, adapt=False)
    assert torch.equal(adapted, plain)
    assert adapted.isfinite().all()


def test_one_hand_worked_step() -> None:
    # m = 0.1·g, v = 0.001·g², so u = 0.1/√0.001 = √10 in every place: the signs alone remain.
    parameter, gradient = torch.tensor([3.0, 4.0]).double(), torch.tensor([2.0, -2.0]).double()
    zeros = torch.zeros(2).double()
    moved, _, _ = lamb_update(
        parameter, gradient, zeros, zeros, lr=0.1, eps=1e-16, weight_decay=0.0
    )
    length = 5 / np.sqrt(2)  # ‖w‖ = 5 spread over two equal places
    np.testing.assert_allclose(moved.numpy(), [3 - 0.1 * length, 4 + 0.1 * length], rtol=1e-12)


def test_the_groups_are_googles() -> None:
    sizes = {
        "vocab_size": 60, "embedding_size": 8, "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 20,
    }  # fmt: skip
    theirs = TheirModel(TheirConfig(**sizes))
    named = [
        any(word in name for word in ("LayerNorm", "layer_norm", "bias"))
        for name, _ in theirs.named_parameters()
    ]
    adapted, left_out = parameter_groups(AlbertForPreTraining(AlbertConfig(**sizes)), 0.01)
    assert len(left_out["params"]) == sum(named)
    assert len(adapted["params"]) == len(named) - sum(named)
    assert sum(p.numel() for p in left_out["params"]) == sum(
        p.numel() for p, excluded in zip(theirs.parameters(), named, strict=True) if excluded
    )


def test_impossible_settings_are_refused() -> None:
    for settings in ({"lr": -1.0}, {"lr": 0.1, "eps": 0.0}, {"lr": 0.1, "betas": (0.9, 1.0)}):
        with pytest.raises(ConfigError, match="Lamb cannot work"):
            Lamb(small_network().parameters(), **settings)
