"""The browser tests can fail: a picture from elsewhere is noticed, and so is a deaf dial."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from keyboard import problems_of_widgets
from lab_in_browser import find_chromium, open_in_lab

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        find_chromium() is None or sys.platform == "win32",
        reason="needs Chromium on PATH (or ALBERT_LIB_CHROMIUM) and a POSIX system",
    ),
]


def write(path: Path, *sources: str) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(notebook, path)
    return path


def test_a_notebook_that_calls_home_is_noticed(tmp_path: Path) -> None:
    picture = '<img src="http://elsewhere.invalid/x.png">'
    source = f"from IPython.display import HTML\nHTML({picture!r})"
    with open_in_lab(write(tmp_path / "caller.ipynb", source)) as page:
        page.run_all_cells()
        assert set(page.complaints.blocked) == {"http://elsewhere.invalid/x.png"}
        assert page.images_without_alternative_text() == 1


def test_dials_that_the_keyboard_cannot_use_are_noticed(tmp_path: Path) -> None:
    other = "import ipywidgets\nipywidgets.Dropdown(options=['a', 'b'])"
    nameless = (
        "from IPython.display import display\nfrom albert_lib.workbook import slider\n"
        "display(slider('', 1, 0, 2))"
    )
    with open_in_lab(write(tmp_path / "deaf.ipynb", other, nameless)) as page:
        page.run_all_cells()
        dial = page.dials().first
        dial.evaluate("dial => { dial.tabIndex = -1; }")
        assert problems_of_widgets(page, tmp_path) == [
            "1 controls are none of albert_lib/workbook/dials.py",
            "a dial has no label",
            ": Tab does not lead to it",
        ]
