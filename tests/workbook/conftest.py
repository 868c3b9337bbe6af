"""What the tests of the workbook share: a home of their own, and cells run as a notebook does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

# A history would be a file in the tester's own folder, and a thread for as long as the tests run.
NO_HISTORY = Config({"HistoryManager": {"enabled": False}})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where right answers are kept in this test: never among those of the person who tests."""
    monkeypatch.setenv("ALBERT_LIB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def notebook() -> Iterator[InteractiveShell]:
    """A fresh notebook's namespace, in which cells are run."""
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance(config=NO_HISTORY)
    InteractiveShell.clear_instance()
