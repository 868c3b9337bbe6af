"""AdamW without bias correction, against its formula in numpy and against pytorch_optimizer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_optimizer import Lamb as TheirLamb
from torch import nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import ConfigError
from albert_lib.finetuning.adamw import AdamWeightDecay, finetuning_optimizer
from albert_lib.model import AlbertForSequenceClassification

STEPS = 30


def gradients(shape: tuple[int, ...]) -> list[torch.Tensor]:
    """Gradients from tiny to large: eps must count in some, and be nothing in others."""
    generator = torch.Generator().manual_seed(5)
    return [
        torch.randn(shape, generator=generator) * 10.0 ** (step % 9 - 7) for step in range(STEPS)
    ]


def test_every_step_is_googles_formula() -> None:
    start = torch.linspace(-2, 2, 12).view(3, 4)
    weight = nn.Parameter(start.clone())
    optimizer = AdamWeightDecay([weight], lr=0.5, eps=1e-6, weight_decay=0.01)
    expected = start.double().numpy()
    m, v = np.zeros((3, 4)), np.zeros((3, 4))
    for step, gradient in enumerate(gradients((3, 4))):
        rate = 0.003 * (step % 5)
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = gradient.clone()
        optimizer.step()
        g = gradient.double().numpy()
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        expected = expected - rate * (m / (np.sqrt(v) + 1e-6) + 0.01 * expected)
        np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=0, atol=2e-6)


def test_every_step_equals_pytorch_optimizers_lamb_without_its_ratio() -> None:
    start = torch.linspace(-2, 2, 12, dtype=torch.float64).view(3, 4)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    here = AdamWeightDecay([ours], lr=0.003)
    there = TheirLamb(
        [theirs],
        lr=0.003,
        weight_decay=0.01,
        weight_decouple=False,
        adam=True,  # a trust ratio of 1
        adam_debias=True,  # in that library this switches the correction off
    )
    for gradient in gradients((3, 4)):
        ours.grad, theirs.grad = gradient.double(), gradient.double()
        here.step()
        there.step()
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_torchs_adamw_is_another_one() -> None:
    """The first step is ten times a bias-corrected one in m and the root of a thousand in v."""
    ours, theirs = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    ours.grad, theirs.grad = torch.ones(1), torch.ones(1)
    AdamWeightDecay([ours], lr=0.01, weight_decay=0.0).step()
    torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.0, eps=1e-6).step()
    assert 1 - theirs.item() == pytest.approx(0.01, rel=1e-4)
    assert 1 - ours.item() == pytest.approx(0.01 * 0.1 / 0.001**0.5, rel=1e-4)


def test_no_decay_of_biases_and_layer_norms() -> None:
    model = AlbertForSequenceClassification(
        AlbertConfig(
            vocab_size=30, embedding_size=8, hidden_size=16, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=32,
        )
    )  # fmt: skip
    for parameter in model.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.zeros_like(parameter)
    optimizer = finetuning_optimizer(model, lr=0.5, weight_decay=0.01)
    optimizer.step()
    shrunk = {name for name, each in model.named_parameters() if torch.all(each == 0.995)}
    kept = {name for name, each in model.named_parameters() if torch.all(each == 1)}
    assert shrunk | kept == {name for name, _ in model.named_parameters()}
    assert all("bias" in name or "norm" in name.lower() for name in kept)
    assert not any("bias" in name or "norm" in name.lower() for name in shrunk)
    assert "classifier.weight" in shrunk
    assert "classifier.bias" in kept


def test_values_that_cannot_work_are_refused() -> None:
    for bad in ({"lr": -1.0}, {"lr": 0.1, "eps": 0.0}, {"lr": 0.1, "weight_decay": -1.0}):
        with pytest.raises(ConfigError):
            AdamWeightDecay([nn.Parameter(torch.ones(1))], **bad)


def test_without_a_fused_kernel_the_steps_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = [nn.Parameter(torch.linspace(-2, 2, 12).view(3, 4)) for _ in range(2)]
    for weight, devices in zip(weights, (("cpu", "cuda"), ("cuda",)), strict=True):
        monkeypatch.setattr("albert_lib.finetuning.adamw.HAS_KERNEL", devices)
        optimizer = AdamWeightDecay([weight], lr=0.003)
        for gradient in gradients((3, 4)):
            weight.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=3e-6)
