"""Late points by a rule, the statements that an answer needs, and what a message may hold."""

from __future__ import annotations

import ast
import contextlib
import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from albert_lib.classroom.cells import Cell, Code, digest_of
from albert_lib.classroom.late import LateRule, LateRuleError
from albert_lib.classroom.values import UnreadableAnswer, overwrite, pack, unpack
from albert_lib.workbook.comparison import same

RULE = """
[due]
"02_masking" = 2027-01-08T12:00:00Z
[late]
grace_minutes = 15
percent_a_day = 10
most_percent = 25
"""
DUE = datetime.datetime(2027, 1, 8, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("minutes", "lost"),
    [(-5, 0.0), (15, 0.0), (16, 1.0), (24 * 60, 1.0), (24 * 60 + 1, 2.0), (10**6, 2.5)],
)
def test_late_points(tmp_path: Path, minutes: int, lost: float) -> None:
    file = tmp_path / "late.toml"
    file.write_text(RULE, encoding="utf-8")
    rule = LateRule.from_file(file)
    at = DUE + datetime.timedelta(minutes=minutes)
    assert rule.points_lost("02_masking", at, 10.0) == lost
    assert rule.points_lost("03_shared_encoder", at, 10.0) == 0
    assert rule.points_lost("02_masking", None, 10.0) == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[late]\npercent_a_day = 101", "percent_a_day"),
        ("[late]\npercent = 10", "percent"),
        ("[due]\nx = 2027-01-08", "x"),
        ("[dew]\n", "dew"),
    ],
)
def test_a_wrong_late_rule_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "late.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LateRuleError, match=rf"'{named}' is none of its settings"):
        LateRule.from_file(file)


def made(cells: list[str], exercise: str = "1.1", name: str = "f") -> dict[str, Any]:
    """The namespace that the needed statements make."""
    own = [Cell(number, source) for number, source in enumerate(cells, start=1)]
    own.append(Cell(len(own) + 1, "check('1.1', f)", checks=exercise))
    own.append(Cell(len(own) + 1, "def f():\n    return 'after its check'"))
    namespace: dict[str, Any] = {}
    for statement in Code(own).needed_for(exercise, name):
        exec(ast.unparse(statement.node), namespace)
    return namespace


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["def f():\n    return 0", "def f():\n    return 1"], 1),
        (["import math as m", "def f():\n    return m.floor(1.5)"], 1),
        (["from math import *", "def f():\n    return floor(1.5)"], 1),
        (["table = {}", "table['a'] = 1", "def f():\n    return table['a']"], 1),
        (["held = []\nfor i in [1]:\n    held.append(i)", "def f():\n    return held[0]"], 1),
        (["def f():\n    return g()", "print(1 / 0)", "def g():\n    return LOW\nLOW = 1"], 1),
        (["x = 0\nx += 1", "f = lambda: x"], 1),
        (["class A:\n    b = 1", "def f(a=A):\n    return a.b", "%matplotlib inline"], 1),
        (["%%time\ndef f():\n    return 1", "!ls", "f(:"], 1),
    ],
)
def test_an_answer_gets_what_it_needs_and_no_more(cells: list[str], expected: int) -> None:
    assert made([*cells, "import nothing_of_this_name\nother = 1 / 0"])["f"]() == expected


def test_answers_that_read_alike_share_a_mark() -> None:
    texts = (
        "def f(a):\n    return a + 1",
        'def f(a):\n    """One more."""\n    return (a +  1)  # yes',
        "def f(b):\n    return b + 1",
        "def f(a):\n    raise NotImplementedError",
    )
    marks = [digest_of(Code([Cell(1, text)]).needed_for("1.1", "f"), "f") for text in texts]
    assert marks[0] == marks[1] and marks[0] != marks[2] and marks[3] is None


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, 10**40, -0.0, float("nan"), float("inf"), "", "\ud800", "ü"),
        *([], (), {}, [(1, [2.5])], {"a": (1,), 2: None}, range(3, 9, 2)),
        *(np.float64(0.1), np.int32(3), np.bool_(True), np.arange(6).reshape(2, 3).T),
        *(np.zeros((0, 3)), np.array(["a", "bc"]), np.array(1 + 2j)),
        *(torch.arange(6.0).reshape(2, 3).T, torch.tensor(True), torch.zeros(0, 2)),
        *(torch.ones(2, dtype=torch.bfloat16), torch.tensor(3), np.random.default_rng(3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_arrives_as_it_was(value: Any) -> None:
    arrived = unpack(pack(value))
    assert type(arrived) is type(value) and same(value, arrived)
    if isinstance(value, (np.ndarray, torch.Tensor)):
        assert (arrived.dtype, arrived.shape) == (value.dtype, value.shape)


def test_an_object_arrives_as_its_name_alone() -> None:
    class Equal:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    arrived = unpack(pack([Equal(), np.array([Equal()], dtype=object), torch.nn.Parameter]))
    assert [type(each).__name__ for each in arrived] == ["Equal", "ndarray", "_ParameterMeta"]
    assert not same(1, arrived[0]) and arrived[0] != 1


@given(st.binary(max_size=60))
def test_whatever_arrives_is_read_or_refused(message: bytes) -> None:
    whole = pack([1, "a", np.arange(3)])
    assert unpack(whole)[:2] == [1, "a"]
    for sent in (message, whole + message, whole[:9] + message, whole[: len(message)]):
        with contextlib.suppress(UnreadableAnswer):  # nothing else, and nothing is run
            assert pack(unpack(sent)), "what is read is a value that could be sent back"


def test_what_cannot_be_sent_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UnreadableAnswer, match="holds itself"):
        pack(endless)
    with pytest.raises(UnreadableAnswer, match="takes 80 MB"):
        pack(torch.zeros(20 * 2**20))


def test_arguments_are_changed_in_place() -> None:
    old = {"list": [1, 2, [3]], "tensor": torch.zeros(2), "array": np.zeros(2), "tuple": ([1],)}
    inner, tensor, array, held = old["list"], old["tensor"], old["array"], old["tuple"][0]
    for name, new in {
        "list": [2, 3, [4], 5], "tensor": torch.ones(2), "array": np.ones(2), "tuple": ([7],)
    }.items():  # fmt: skip
        overwrite(old[name], new)
    assert inner == [2, 3, [4], 5] and held == [7]
    assert tensor.tolist() == array.tolist() == [1, 1]
    layer = torch.nn.Linear(2, 1)
    weight = layer.weight
    overwrite(layer, unpack(pack(torch.nn.Linear(2, 1).requires_grad_(False))))
    assert layer.weight is weight and weight.requires_grad
