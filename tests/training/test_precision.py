"""Choosing the precision of matrix products: by what the processor offers, and never otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from albert_lib import instruction_sets
from albert_lib.errors import ConfigError
from albert_lib.files import project_folder
from albert_lib.training import autocast, best_dtype, choose_precision

AMX = {"_is_amx_tile_supported": True, "_is_avx512_bf16_supported": True}
AVX512_BF16 = {"_is_amx_tile_supported": False, "_is_avx512_bf16_supported": True}
NEITHER = {"_is_amx_tile_supported": False, "_is_avx512_bf16_supported": False}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALBERT_LIB_PRECISION", raising=False)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (AMX, "bfloat16 (this processor has AMX)"),
        (AVX512_BF16, "bfloat16 (this processor has AVX512_BF16)"),
        (NEITHER, "float32 (this processor has no instructions for bfloat16)"),
    ],
)
def test_bfloat16_only_where_the_processor_has_instructions_for_it(
    offered: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for test, answer in offered.items():
        monkeypatch.setattr(torch.cpu, test, lambda answer=answer: answer, raising=False)
    assert str(choose_precision("cpu")) == expected
    assert best_dtype("cpu") == choose_precision("cpu").dtype


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f avx512_bf16 amx_bf16 amx_tile", "AMX"),
        ("fpu avx512f avx512_bf16", "AVX512_BF16"),
        ("fpu avx2", None),
        (None, None),
    ],
)
def test_a_pytorch_that_cannot_tell_is_helped_by_the_system(
    flags: str | None, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, test, _ in instruction_sets.BFLOAT16_INSTRUCTIONS:
        monkeypatch.delattr(torch.cpu, test, raising=False)
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(instruction_sets, "CPU_INFORMATION", tmp_path / "cpuinfo")
    assert instruction_sets.bfloat16_instructions() == expected


CHOOSE = """
import random, sys, time
draw = random.Random(int(sys.argv[1]))
now = 0.0
def clock():  # a stopwatch on a machine that is busy now and then
    global now
    now += draw.expovariate(1.0)
    return now
time.perf_counter = time.monotonic = clock
from albert_lib.training import choose_precision
print(choose_precision())
"""


def test_fresh_processes_choose_alike_whatever_else_runs() -> None:
    environment = {**os.environ, "PYTHONPATH": str(project_folder())}
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            started = [
                subprocess.Popen(
                    [sys.executable, "-c", CHOOSE, str(seed)],
                    stdout=subprocess.PIPE, text=True, env=environment,
                )
                for seed in range(6)
            ]  # fmt: skip
            choices = {process.communicate(timeout=120)[0].strip() for process in started}
        finally:
            neighbour.kill()
    assert choices == {str(choose_precision())}


def test_what_is_requested_comes_before_the_environment_and_that_before_the_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        monkeypatch.setenv("ALBERT_LIB_PRECISION", name)
        assert best_dtype("cpu") == dtype
        assert str(choose_precision("cpu")) == f"{name} (set by ALBERT_LIB_PRECISION)"
    assert choose_precision("cpu", "float32").dtype == torch.float32
    monkeypatch.setenv("ALBERT_LIB_PRECISION", "fp16")
    with pytest.raises(ConfigError, match=r"ALBERT_LIB_PRECISION is 'fp16'; set it to float32"):
        best_dtype("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_multiplies_in_the_given_type(dtype: torch.dtype) -> None:
    layer = torch.nn.Linear(3, 2)
    with autocast("cpu", dtype):
        assert layer(torch.ones(1, 3)).dtype == dtype
    assert layer.weight.dtype == torch.float32
