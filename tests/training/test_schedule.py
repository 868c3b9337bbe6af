"""The learning rate of every step, against transformers' schedule."""

from __future__ import annotations

import pytest
import torch
from transformers import get_linear_schedule_with_warmup

from albert_lib.training import warmup_linear


@pytest.mark.parametrize(("warmup", "total"), [(0, 7), (3, 20), (5, 5), (1, 2)])
def test_every_step_equals_transformers(warmup: int, total: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, total)
    for step in range(total + 3):
        ours = warmup_linear(step, peak=0.3, warmup_steps=warmup, total_steps=total)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-15)
        optimizer.step()
        schedule.step()


def test_the_papers_run() -> None:
    paper = {"peak": 0.00176, "warmup_steps": 3125, "total_steps": 125_000}
    assert warmup_linear(3125, **paper) == 0.00176
    assert warmup_linear((3125 + 125_000) // 2, **paper) == pytest.approx(0.00088, rel=1e-4)
    assert warmup_linear(125_000, **paper) == 0.0
