"""Muon against PyTorch's own, against singular value decomposition, and against lines of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.training import Recipe, build_optimizer
from albert_lib.training.muon import NEWTON_SCHULZ, MuonWithAdamW, muon_groups, orthogonalized
from albert_lib.training.precision import PRECISIONS

RATES = (0.02, 0.0, 0.01, 0.004) * 2
SHAPES = {"square": (8, 8), "another square": (8, 8), "wide": (6, 20), "tall": (20, 6)}


def drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parameters() -> list[nn.Parameter]:
    return [nn.Parameter(drawn(shape, seed)) for seed, shape in enumerate(SHAPES.values())]


def take_steps(moved: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
    for step, rate in enumerate(RATES):
        for number, parameter in enumerate(moved):
            parameter.grad = drawn(parameter.shape, 100 + 10 * step + number).to(parameter.dtype)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()


@pytest.mark.parametrize("shape", SHAPES.values())
def test_directions_stay_and_their_lengths_become_alike(shape: tuple[int, int]) -> None:
    matrix = drawn(shape, 5)
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    made = u.mT @ orthogonalized(matrix) @ vh.mT  # diagonal, if the directions are the same
    lengths = made.diagonal()
    torch.testing.assert_close(made, torch.diag(lengths), atol=1e-10, rtol=0)
    assert lengths.min() > 0.65
    assert lengths.max() < 1.25


def test_a_batch_of_matrices_is_as_each_alone() -> None:
    matrices = drawn((3, 6, 20), 1)
    alone = torch.stack([orthogonalized(matrix) for matrix in matrices])
    torch.testing.assert_close(orthogonalized(matrices), alone)


def test_a_gradient_of_zero_moves_nothing_and_stays_finite() -> None:
    assert torch.equal(orthogonalized(torch.zeros(4, 6)), torch.zeros(4, 6))


def test_every_step_is_pytorchs_own_but_for_bfloat16() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("torch.optim.Muon came with PyTorch 2.9")
    ours, theirs = parameters(), parameters()
    take_steps(ours, MuonWithAdamW(ours, lr=0.02, weight_decay=0.1, orthogonalize=True))
    take_steps(
        theirs,
        torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    start = parameters()
    for mine, other, first in zip(ours, theirs, start, strict=True):
        way = (other - first).norm()  # theirs multiplies in bfloat16, three digits
        assert (mine - other).norm() < 0.02 * way


def test_in_bfloat16_every_step_is_nearly_pytorchs_own() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("torch.optim.Muon came with PyTorch 2.9")
    ours, theirs, precise = ([nn.Parameter(p.float()) for p in parameters()] for _ in range(3))
    settings = {"lr": 0.02, "weight_decay": 0.1}
    take_steps(ours, MuonWithAdamW(ours, **settings, orthogonalize=True, dtype=torch.bfloat16))
    take_steps(precise, MuonWithAdamW(precise, **settings, orthogonalize=True))
    take_steps(theirs, torch.optim.Muon(theirs, **settings, adjust_lr_fn="match_rms_adamw"))
    for mine, other, exact, first in zip(ours, theirs, precise, parameters(), strict=True):
        assert mine.dtype == torch.float32, "only the products are rounded"
        way = (exact - first).norm()
        assert 0 < (mine - exact).norm() < 0.02 * way
        assert (mine - other).norm() < 0.02 * way, "each rounds on its own"


def test_a_run_orthogonalizes_in_its_own_precision() -> None:
    model = AlbertForPreTraining(AlbertConfig(
        vocab_size=60, embedding_size=8, hidden_size=16, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=20,
    ))  # fmt: skip
    for name, dtype in PRECISIONS.items():
        recipe = Recipe(steps=1, warmup_steps=0, optimizer="muon", precision=name)
        assert build_optimizer(model, recipe).dtype == dtype


def test_every_step_equals_numpy() -> None:
    moved = parameters()
    values = [parameter.detach().numpy().copy() for parameter in moved]
    take_steps(moved, MuonWithAdamW(moved, lr=0.02, weight_decay=0.1, orthogonalize=True))
    a, b, c = NEWTON_SCHULZ
    for number, w in enumerate(values):
        mean = np.zeros_like(w)
        for step, rate in enumerate(RATES):
            g = drawn(w.shape, 100 + 10 * step + number).numpy()
            mean = 0.95 * mean + 0.05 * g
            u, s, vh = np.linalg.svd(0.05 * g + 0.95 * mean, full_matrices=False)
            s = s / np.sqrt((s**2).sum())
            for _ in range(5):
                s = a * s + b * s**3 + c * s**5  # the polynomial acts on each length alone
            w = (1 - rate * 0.1) * w - rate * 0.2 * np.sqrt(max(w.shape)) * (u * s) @ vh
        np.testing.assert_allclose(moved[number].detach().numpy(), w, rtol=1e-9, atol=1e-12)


def test_all_else_is_moved_by_adamw() -> None:
    ours, theirs = parameters(), parameters()
    settings = {"lr": 0.02, "weight_decay": 0.1, "eps": 1e-6}
    take_steps(ours, MuonWithAdamW(ours, **settings))
    take_steps(theirs, torch.optim.AdamW(theirs, fused=True, **settings))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=0)


def test_matrices_inside_the_model_are_muons_and_nothing_else() -> None:
    model = AlbertForPreTraining(
        AlbertConfig(
            vocab_size=60,
            embedding_size=8,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=20,
        )
    )
    groups = muon_groups(model, 0.3)
    names = {parameter: name for name, parameter in model.named_parameters()}
    muons = {names[p] for g in groups if g.get("orthogonalize") for p in g["params"]}
    layer = "albert.encoder"
    assert muons == {
        name for name in names.values()
        if name.endswith(".weight") and "norm" not in name
        and (name.startswith((layer, "albert.pooler")) or name == "mlm_head.dense.weight")
    }  # fmt: skip
    assert sum(len(group["params"]) for group in groups) == len(names)
    for group in groups:
        for parameter in group["params"]:
            is_bare = "norm" in names[parameter] or "bias" in names[parameter]
            assert group["weight_decay"] == (0.0 if is_bare else 0.3)


def test_impossible_settings_are_refused() -> None:
    for settings in ({"lr": -1.0}, {"lr": 0.1, "eps": 0.0}, {"lr": 0.1, "momentum": 1.0}):
        with pytest.raises(ConfigError, match="Muon cannot work"):
            MuonWithAdamW(parameters(), **settings)
    with pytest.raises(ConfigError, match="Muon is for matrices only"):
        MuonWithAdamW([nn.Parameter(torch.zeros(3))], lr=0.1, orthogonalize=True)
