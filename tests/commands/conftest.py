"""The shipped model, and the command line run in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from albert_lib.__main__ import main
from albert_lib.files import data_folder

Run = Callable[..., str]


@pytest.fixture(scope="session")
def model() -> Path:
    return data_folder() / "checkpoints" / "albert-mini-en"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that succeeds; returns what it printed."""

    def run_command(*words: str | Path) -> str:
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        return printed.out

    return run_command


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that fails; returns its one sentence."""

    def run_command(*words: str | Path) -> str:
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)
        return printed.err

    return run_command


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes on standard input."""

    def put(content: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put
