"""The browser tests can fail: a picture from elsewhere is stopped, counted, and has no text."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from lab_in_browser import find_chromium, open_in_lab

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        find_chromium() is None or sys.platform == "win32",
        reason="needs Chromium on PATH (or ALBERT_LIB_CHROMIUM) and a POSIX system",
    ),
]


def test_a_notebook_that_calls_home_is_noticed(tmp_path: Path) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    caller = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    picture = '<img src="http://elsewhere.invalid/x.png">'
    source = f"from IPython.display import HTML\nHTML({picture!r})"
    caller.cells = [nbformat.v4.new_code_cell(source)]
    nbformat.write(caller, tmp_path / "caller.ipynb")
    with open_in_lab(tmp_path / "caller.ipynb") as page:
        page.run_all_cells()
        assert set(page.complaints.blocked) == {"http://elsewhere.invalid/x.png"}
        assert page.images_without_alternative_text() == 1
