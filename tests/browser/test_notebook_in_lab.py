"""A notebook in a real browser: every cell runs, a slider answers the keyboard, nothing leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from lab_in_browser import NotebookPage, find_chromium, open_in_lab
from lab_server import PROJECT

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        find_chromium() is None or sys.platform == "win32",
        reason="needs Chromium on PATH (or ALBERT_LIB_CHROMIUM) and a POSIX system",
    ),
]


@pytest.fixture(scope="module")
def notebook() -> Iterator[NotebookPage]:
    with open_in_lab(PROJECT / "notebooks" / "02_masking.ipynb") as page:
        page.run_all_cells()
        yield page


def test_every_cell_runs_without_an_error(notebook: NotebookPage) -> None:
    assert notebook.errors() == []
    assert notebook.unfinished_prompts() == []


def test_a_slider_answers_the_keyboard(notebook: NotebookPage) -> None:
    before = notebook.output_beside_slider()
    notebook.move_slider(key="ArrowRight", presses=3)
    assert notebook.output_beside_slider() != before


def test_every_image_has_alternative_text(notebook: NotebookPage) -> None:
    assert notebook.images_without_alternative_text() == 0


def test_nothing_leaves_the_machine_and_nothing_complains(notebook: NotebookPage) -> None:
    assert notebook.complaints.all() == []
