"""Values written down: short, and the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.workbook.comparison import holds_nan, kind_problem, largest_difference, same
from albert_lib.workbook.describe import describe


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([[1.0, 2.5]]), "float32 (1, 2) [[1, 2.5]]"),
        (np.arange(100), "int64 (100,) beginning 0, 1, 2, 3, 4, 5, …"),
        (torch.tensor(0.25), "float32 () 0.25"),
        ({"▁a": -1.5}, "{'▁a': -1.5}"),
        ([range(1, 3), range(4, 5)], "[range(1, 3), range(4, 5)]"),
        ((1,), "(1,)"),
        (True, "True"),
        (np.random.default_rng(0), "a seeded generator"),
        (object(), "a value of type object"),
        (1 / 3, "0.33333"),
    ],
)
def test_value_is_described(value: Any, text: str) -> None:
    assert describe(value) == text


def test_module_is_described_with_its_weights() -> None:
    linear = torch.nn.utils.skip_init(torch.nn.Linear, 2, 1)
    linear.weight = torch.nn.Parameter(torch.tensor([[1.0, 2.5]]))
    linear.bias = torch.nn.Parameter(torch.tensor([-1.0]))
    written = "Linear 2 → 1 with weight float32 (1, 2) [[1, 2.5]] and bias float32 (1,) [-1]"
    assert describe(linear) == written
    table = torch.nn.Embedding(3, 1, _weight=torch.ones(3, 1))
    assert describe(table) == "Embedding 3 → 1 with weight float32 (3, 1) [[1], [1], [1]]"
    assert describe(torch.nn.LayerNorm(1)) == (
        "LayerNorm with weight float32 (1,) [1] and bias float32 (1,) [0]"
    )
    assert describe(torch.nn.Tanh()) == "Tanh"


def test_long_values_are_cut() -> None:
    assert len(describe(list(range(1000)))) <= 160


@pytest.mark.parametrize(
    ("expected", "answer", "tolerance", "agrees"),
    [
        (1.0, 1.0 + 1e-7, 1e-6, True),
        (1.0, 1.1, 1e-6, False),
        (1.0, torch.tensor(1.0), 0.0, True),
        (2, 2.0, 0.0, False),
        (2, np.int64(2), 0.0, True),
        (2.0, 2, 0.0, True),
        (1, True, 0.0, False),
        (True, 1, 0.0, False),
        (True, np.True_, 0.0, True),
        ([1, 2], [1, 2.0], 0.0, False),
        ({"a": 1}, {"a": 1.0}, 0.0, False),
        (0.0, -0.0, 0.0, True),
        ([1, 2], [1, 2, 3], 0.0, False),
        ([1, 2], (1, 2), 0.0, False),
        (["a"], ["a"], 0.0, True),
        ({"a": 1.0}, {"a": 1.0 + 1e-9}, 1e-6, True),
        ({"a": 1.0}, {"b": 1.0}, 1e-6, False),
        (torch.tensor([1, 2]), torch.tensor([1, 2]), 0.0, True),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), 1.0, False),
        (torch.tensor([float("nan")]), torch.tensor([float("nan")]), 1e-6, True),
        ((torch.ones(2), 3), (torch.ones(2), 4), 1e-6, False),
    ],
)
def test_same(expected: Any, answer: Any, tolerance: float, agrees: bool) -> None:
    assert same(expected, answer, tolerance) is agrees


def test_element_of_another_kind_is_named() -> None:
    problem = kind_problem([range(2)], [range(3), (1, 2)])
    assert problem == "element 1 of your answer is a tuple, a range is expected"


def test_largest_difference_looks_into_tuples() -> None:
    one = (torch.zeros(2), [1.0, 2.0])
    other = (torch.tensor([0.0, 0.5]), [1.0, 4.0])
    assert largest_difference(one, other) == 2.0


def test_nan_is_found_anywhere() -> None:
    assert holds_nan([torch.ones(1), {"a": float("nan")}])
    assert not holds_nan((1.0, "nan"))
