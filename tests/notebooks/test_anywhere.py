"""`pytest --nbval NOTEBOOK` works in any folder, for instance in another course's tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from albert_lib.files import project_folder


@pytest.mark.parametrize("settings", ["the project's", "none"])
def test_a_notebook_is_compared_from_another_folder(tmp_path: Path, settings: str) -> None:
    words = ["--nbval", str(project_folder() / "notebooks" / "00_start_here.ipynb")]
    if settings == "none":
        (tmp_path / "empty.ini").touch()
        words += ["-c", "empty.ini"]
    paths = os.pathsep.join(filter(None, [str(project_folder()), os.environ.get("PYTHONPATH")]))
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-3000:]
    assert "(here:" in Path(words[1]).read_text(encoding="utf-8")  # which differs by machine
