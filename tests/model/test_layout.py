"""Weights in another order in memory: the same model, and no stopwatch."""

from __future__ import annotations

import copy
import os
import platform
import subprocess
import sys
import time

import pytest
import torch

from albert_lib import AlbertForMaskedLM, AlbertForPreTraining
from albert_lib.errors import ConfigError
from albert_lib.model import layout

IDS = torch.arange(5, 17).view(2, 6)
DECIDE = """
import itertools, time, torch
import sys
step = float(sys.argv[1])
ticks = itertools.count()
time.perf_counter = lambda: next(ticks) * step  # a clock that any stopwatch would go by
from albert_lib.model import layout
torch.manual_seed(0)
layer = torch.nn.Sequential(torch.nn.Linear(1024, 1024))
order = layout.store_for_few_tokens(layer)
with torch.no_grad():
    print(order, layer(torch.ones(10, 1024)).double().sum().item().hex())
"""


def weights(model):
    return [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]


def packed_layers(model):
    return [m for m in model.modules() if isinstance(m, layout.PackedLinear)]


@pytest.fixture(autouse=True)
def even_small_matrices(monkeypatch) -> None:
    monkeypatch.setattr(layout, "SMALLEST", 0)
    monkeypatch.setattr(layout, "SMALLEST_PACKED", 0)


@pytest.mark.parametrize("order", ["columns", "rows", "packed"])
def test_all_orders_give_the_same_scores_and_files(tmp_path, tiny, monkeypatch, order) -> None:
    monkeypatch.setenv(layout.ORDER_VARIABLE, order)
    torch.manual_seed(0)
    model = AlbertForMaskedLM(tiny.replace(initializer_range=0.3)).eval()
    model.save_pretrained(tmp_path / "before")
    before = model(IDS).logits
    assert layout.store_for_few_tokens(model) == order
    for weight in weights(model):
        turned = order == "columns" and weight.shape[0] >= weight.shape[1]
        assert weight.is_contiguous() is not turned
    with torch.no_grad():
        assert (model(IDS).logits - before).abs().max() < 1e-5
    assert (order == "packed") == any(m._packed is not None for m in packed_layers(model))
    model.save_pretrained(tmp_path / "after")
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("before", "after")]
    assert files[0] == files[1]


def test_a_model_stored_by_columns_still_learns(tiny, monkeypatch) -> None:
    monkeypatch.setenv(layout.ORDER_VARIABLE, "columns")
    model = AlbertForPreTraining(tiny)
    layout.store_for_few_tokens(model)
    before = [weight.clone() for weight in weights(model)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    output = model(IDS)
    (output.prediction_logits.square().mean() + output.sop_logits.square().mean()).backward()
    optimizer.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_a_packed_model_learns_moves_and_is_copied(tiny, monkeypatch) -> None:
    monkeypatch.setenv(layout.ORDER_VARIABLE, "packed")
    torch.manual_seed(0)
    model = AlbertForMaskedLM(tiny.replace(initializer_range=0.3)).eval()
    names = list(model.state_dict())
    assert layout.store_for_few_tokens(model) == "packed"
    assert list(model.state_dict()) == names and len(packed_layers(model)) == 8  # of one layer
    shared = [layer.feed_forward.intermediate for layer in model.albert.encoder.layers]
    assert len(set(shared)) == 1
    with torch.no_grad():
        before = model(IDS).logits
    model(IDS, labels=IDS).loss.backward()
    torch.optim.SGD(model.parameters(), lr=0.5).step()
    learnt = model(IDS).logits  # with gradients, by the weights themselves
    for each in (model, copy.deepcopy(model)):
        with torch.no_grad():
            torch.testing.assert_close(each(IDS).logits, learnt.detach(), rtol=1e-4, atol=1e-4)
    assert (learnt - before).abs().max() > 0.01, "the copy follows the weights"
    with torch.no_grad():
        assert model.double()(IDS).logits.dtype == torch.float64


@pytest.mark.parametrize("activation", ["gelu_new", "gelu", "relu", "silu"])
def test_activations_in_one_go_are_the_same(activation, tiny, monkeypatch) -> None:
    monkeypatch.setenv(layout.ORDER_VARIABLE, "packed")
    torch.manual_seed(0)
    changes = {"hidden_act": activation, "initializer_range": 0.3}
    model = AlbertForMaskedLM(tiny.replace(**changes)).eval()
    with torch.no_grad():
        before = model(IDS).logits
        layout.store_for_few_tokens(model)
        torch.testing.assert_close(model(IDS).logits, before, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(model(IDS).logits.detach(), before, rtol=1e-5, atol=1e-5)
    assert (model.albert.encoder.layers[0].feed_forward.intermediate.activation is None) == (
        activation == "silu"
    )


def test_small_matrices_stay_as_they_are(tiny, monkeypatch) -> None:
    monkeypatch.setattr(layout, "SMALLEST", 64 * 32 + 1)
    monkeypatch.setenv(layout.ORDER_VARIABLE, "columns")
    model = AlbertForMaskedLM(tiny)
    layout.store_for_few_tokens(model)
    assert all(weight.is_contiguous() for weight in weights(model))


def test_the_order_follows_from_pytorchs_matrix_library(monkeypatch) -> None:
    monkeypatch.delenv(layout.ORDER_VARIABLE, raising=False)
    for machine, has_onednn, has_mkl, order in (
        ("x86_64", True, True, "packed"),
        ("AMD64", True, False, "packed"),
        ("x86_64", False, True, "columns"),
        ("arm64", True, False, "rows"),
        ("arm64", False, False, "rows"),
    ):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        for library, there in ((torch.backends.mkldnn, has_onednn), (torch.backends.mkl, has_mkl)):
            monkeypatch.setattr(library, "is_available", lambda there=there: there)
        assert layout.matrix_order() == order


def test_another_order_is_refused(monkeypatch) -> None:
    monkeypatch.setenv(layout.ORDER_VARIABLE, "diagonal")
    with pytest.raises(ConfigError, match=r"'diagonal'.*set it to packed, rows or columns"):
        layout.matrix_order()


def test_no_clock_decides_and_fresh_processes_agree_on_a_busy_machine() -> None:
    """With clocks that run apart and other processes computing beside, the bits are the same."""
    environment = {k: v for k, v in os.environ.items() if k != layout.ORDER_VARIABLE}
    environment["OMP_NUM_THREADS"] = "1"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", DECIDE, step],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for step in ("1", "-1", "0.001")
    ]
    until = time.monotonic() + 1
    while time.monotonic() < until:  # this process computes too
        torch.randn(256, 256).square().sum()
    said = {process.communicate()[0] for process in started}
    assert len(said) == 1 and said.pop().startswith(("packed ", "rows ", "columns "))
