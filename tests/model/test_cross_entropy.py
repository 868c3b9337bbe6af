"""The chunked cross-entropy against PyTorch's, values and gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from albert_lib.model import cross_entropy, mlm_loss
from albert_lib.model.cross_entropy import mean_cross_entropy

ROWS_AT_ONCE = 16


@pytest.fixture(autouse=True)
def sixteen_rows_of_fifty_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_entropy, "SCORES_AT_ONCE", 50 * ROWS_AT_ONCE + 49)


@pytest.mark.parametrize("rows", [1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, 3 * ROWS_AT_ONCE + 5])
def test_values_and_gradients_equal_pytorchs(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    logits = 5 * torch.randn(rows, 50, generator=generator)
    labels = torch.randint(0, 50, (rows,), generator=generator)
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    loss, expected = mean_cross_entropy(ours, labels), F.cross_entropy(theirs, labels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert loss.item() == pytest.approx(mlm_loss(logits, labels).item(), rel=1e-6)
    (3 * loss).backward()
    (3 * expected).backward()
    # The exact gradient, in float64: one row's is 2.5, where float32 is 2.4e-7 apart, and which of
    # its two neighbours comes out depends on the processor, for PyTorch's own as well.
    exact = logits.double().softmax(1)
    exact[torch.arange(rows), labels] -= 1
    exact *= 3 / rows
    allowed = 1e-7 + torch.finfo(torch.float32).eps * exact.abs()
    assert ((ours.grad - exact).abs() <= allowed).all()
    assert ((theirs.grad - exact).abs() <= allowed).all(), "the yardstick itself"


def test_scores_of_any_size_stay_finite() -> None:
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e30, 0.0, 1e30]], requires_grad=True)
    loss = mean_cross_entropy(logits, torch.tensor([0, 2]))
    loss.backward()
    assert loss.item() == 0.0 and logits.grad.isfinite().all()


def test_bfloat16_scores_are_summed_in_float32() -> None:
    logits = torch.randn(40, 3000).bfloat16().requires_grad_()
    labels = torch.randint(0, 3000, (40,))
    loss = mean_cross_entropy(logits, labels)
    expected = F.cross_entropy(logits.detach().float(), labels)
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(expected.item(), rel=1e-6)
    loss.backward()
    assert logits.grad.dtype == torch.bfloat16
    exact = logits.detach().float().softmax(1) / 40
    exact[torch.arange(40), labels] -= 1 / 40
    assert (logits.grad - exact).abs().max() < 1e-3 / 40 * 8


def test_no_rows_give_zero_and_no_gradient() -> None:
    logits = torch.zeros(0, 7, requires_grad=True)
    loss = mean_cross_entropy(logits, torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0.0 and logits.grad.shape == (0, 7)


def test_a_row_longer_than_what_is_done_at_once_is_a_part_of_its_own() -> None:
    logits = torch.randn(3, 2000, requires_grad=True)
    labels = torch.tensor([0, 1999, 7])
    loss = mean_cross_entropy(logits, labels)
    assert loss.item() == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-6)


def test_parts_hold_as_many_scores_whatever_the_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small vocabularies in parts of few rows took three times as long."""
    parts: list[int] = []
    gather = torch.Tensor.gather
    monkeypatch.setattr(
        torch.Tensor, "gather", lambda self, *how: (parts.append(len(self)), gather(self, *how))[1]
    )
    monkeypatch.setattr(cross_entropy, "SCORES_AT_ONCE", 480_000)
    for rows, choices in ((1000, 450), (40, 30_000)):
        parts.clear()
        mean_cross_entropy(torch.zeros(rows, choices), torch.zeros(rows, dtype=torch.long))
        assert max(parts) == min(rows, 480_000 // choices) and sum(parts) == rows


def test_rows_beyond_the_labels_count_for_nothing() -> None:
    logits = torch.randn(ROWS_AT_ONCE + 9, 40, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(ROWS_AT_ONCE + 2)
    longer, exact = logits.clone().requires_grad_(), logits[: len(labels)].clone().requires_grad_()
    loss, expected = mean_cross_entropy(longer, labels), F.cross_entropy(exact, labels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    loss.backward()
    expected.backward()
    assert (longer.grad[: len(labels)] - exact.grad).abs().max() < 1e-7
    assert not longer.grad[len(labels) :].any()
    nothing = mean_cross_entropy(logits.requires_grad_(), labels[:0])
    nothing.backward()
    assert nothing.item() == 0.0 and not logits.grad.any()
