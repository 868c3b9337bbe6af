"""Choosing the type of matrix products."""

from __future__ import annotations

import pytest
import torch

from albert_lib.errors import ConfigError
from albert_lib.training import autocast, best_dtype, precision


@pytest.mark.parametrize(("speed_up", "expected"), [(4.0, torch.bfloat16), (1.1, torch.float32)])
def test_bfloat16_only_where_it_is_clearly_faster(
    speed_up: float, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALBERT_LIB_PRECISION", raising=False)
    monkeypatch.setattr(precision, "bfloat16_speed_up", lambda: speed_up)
    assert best_dtype("cpu") == expected


def test_it_is_measured_once() -> None:
    assert precision.bfloat16_speed_up() == precision.bfloat16_speed_up() > 0


def test_the_environment_settles_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        monkeypatch.setenv("ALBERT_LIB_PRECISION", name)
        assert best_dtype("cpu") == dtype
    monkeypatch.setenv("ALBERT_LIB_PRECISION", "fp16")
    with pytest.raises(ConfigError, match=r"ALBERT_LIB_PRECISION is 'fp16'; set it to float32"):
        best_dtype("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_multiplies_in_the_type_asked_for(dtype: torch.dtype) -> None:
    layer = torch.nn.Linear(3, 2)
    with autocast("cpu", dtype):
        assert layer(torch.ones(1, 3)).dtype == dtype
    assert layer.weight.dtype == torch.float32
