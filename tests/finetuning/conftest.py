"""Files of tasks, small ones made here and the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tasks(shared_data: Path) -> Path:
    """The published task files that do not come with the project; skips without them."""
    folder = shared_data / "tasks"
    if not folder.is_dir():
        pytest.skip(f"no {folder}; set ALBERT_SHARED_DATA to the folder with the published data")
    return folder
