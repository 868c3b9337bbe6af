"""Weights stored by columns: another order in memory, the same model."""

from __future__ import annotations

import pytest
import torch

from albert_lib import AlbertForMaskedLM, AlbertForPreTraining
from albert_lib.model import layout

IDS = torch.arange(5, 17).view(2, 6)


def weights(model):
    return [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]


@pytest.fixture(autouse=True)
def even_small_matrices(monkeypatch) -> None:
    monkeypatch.setattr(layout, "SMALLEST", 0)


@pytest.fixture(params=[True, False], ids=["columns", "rows"])
def decided(request, monkeypatch) -> bool:
    """Both decisions of the measurement, whatever this machine would say."""
    monkeypatch.setattr(layout, "columns_are_faster", lambda weight: request.param)
    return request.param


def test_both_orders_give_the_same_scores_and_files(tmp_path, tiny, decided) -> None:
    torch.manual_seed(0)
    model = AlbertForMaskedLM(tiny.replace(initializer_range=0.3)).eval()
    model.save_pretrained(tmp_path / "before")
    before = model(IDS).logits
    assert layout.store_for_few_pieces(model) is decided
    assert all(weight.is_contiguous() is not decided for weight in weights(model))
    assert (model(IDS).logits - before).abs().max() < 1e-5
    model.save_pretrained(tmp_path / "after")
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("before", "after")]
    assert files[0] == files[1]


def test_a_model_stored_by_columns_still_learns(tiny, monkeypatch) -> None:
    monkeypatch.setattr(layout, "columns_are_faster", lambda weight: True)
    model = AlbertForPreTraining(tiny)
    layout.store_for_few_pieces(model)
    before = [weight.clone() for weight in weights(model)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    output = model(IDS)
    (output.prediction_logits.square().mean() + output.sop_logits.square().mean()).backward()
    optimizer.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_small_matrices_stay_as_they_are(tiny, monkeypatch) -> None:
    monkeypatch.setattr(layout, "SMALLEST", 64 * 32 + 1)
    monkeypatch.setattr(layout, "columns_are_faster", lambda weight: True)
    assert layout.store_for_few_pieces(AlbertForMaskedLM(tiny)) is False


def test_the_order_is_chosen_by_measuring(monkeypatch) -> None:
    """The clock is stood in for: what it says decides."""
    ticks = iter([0, 2, 2, 3] * layout.REPETITIONS)  # rows take 2, columns 1
    monkeypatch.setattr(layout.time, "perf_counter", lambda: next(ticks))
    assert layout.columns_are_faster(torch.randn(8, 4)) is True
    ticks = iter([0, 1, 1, 3] * layout.REPETITIONS)
    assert layout.columns_are_faster(torch.randn(8, 4)) is False
