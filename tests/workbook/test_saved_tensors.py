"""Counting what is saved for the backward pass: each piece of memory once, weights not at all."""

from __future__ import annotations

import torch
from torch import nn

from albert_lib.workbook.saved_tensors import saved_bytes, saved_tensors


def test_a_linear_map_saves_its_input_and_not_its_weights() -> None:
    layer, inputs = nn.Linear(5, 3), torch.randn(7, 5)
    (saved,) = saved_tensors(lambda: layer(inputs).sum(), layer)
    assert saved.data_ptr() == inputs.data_ptr()
    assert saved_bytes(lambda: layer(inputs).sum(), layer) == 7 * 5 * 4


def test_what_two_maps_share_is_counted_once() -> None:
    layers, inputs = nn.ModuleList([nn.Linear(5, 3), nn.Linear(5, 3)]), torch.randn(7, 5)
    assert saved_bytes(lambda: sum(layer(inputs).sum() for layer in layers), layers) == 7 * 5 * 4


def test_memory_that_is_used_again_is_counted_again() -> None:
    layer = nn.Linear(64, 64)

    def deep() -> torch.Tensor:
        hidden = torch.ones(8, 64)
        for _ in range(5):
            hidden = layer(hidden).tanh()
        return hidden.sum()

    # six vectors: the first input, and each tanh, which is also the next input
    assert saved_bytes(deep, layer) == 6 * 8 * 64 * 4


def test_nothing_is_saved_where_nothing_is_learnt() -> None:
    layer = nn.Linear(5, 3)
    with torch.no_grad():
        assert saved_bytes(lambda: layer(torch.ones(7, 5)).sum(), layer) == 0
