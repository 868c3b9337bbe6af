"""The environment check: what it finds, and what it says when something is missing."""

from __future__ import annotations

import importlib.metadata

import pytest

from albert_lib.workbook import environment


def test_everything_is_ready_here(capsys: pytest.CaptureFixture[str]) -> None:
    environment.environment_check()
    out = capsys.readouterr().out
    assert "[OK]   Python 3.11 or later (here: 3." in out
    assert "[OK]   torch >=" in out
    assert out.endswith("Everything is ready.\n")


def test_missing_and_old_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "tqdm":
            raise importlib.metadata.PackageNotFoundError
        return "0.1" if name == "numpy" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    environment.environment_check()
    out = capsys.readouterr().out
    assert "[FAIL] numpy >=" in out and "(here: 0.1)" in out
    assert "[FAIL] tqdm >=" in out and "(here: missing)" in out
    assert "make lab" in out and out.endswith("2 problems to repair before you go on.\n")


def test_what_raises_is_reported_and_the_rest_is_looked_at() -> None:
    def broken() -> str:
        raise OSError("read-only\nfile system")

    found = environment._guarded("the build folder can be written", broken, "make it writable")
    assert not found.ok and found.detail == "OSError: read-only file system"


def test_works_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    failed = [check for check in environment.checks() if not check.ok]
    assert "PyTorch computes a gradient" in [check.name for check in failed]


@pytest.mark.parametrize("order", ["rows", "columns", "packed"])
def test_choices_that_change_last_digits_are_shown(
    order: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALBERT_LIB_MATRIX_ORDER", order)
    monkeypatch.setenv("ALBERT_LIB_PRECISION", "float32")
    environment.environment_check()
    out = capsys.readouterr().out
    assert f"the memory order of large matrices is chosen (here: {order})" in out
    assert "the precision of matrix products is chosen (here: float32" in out
