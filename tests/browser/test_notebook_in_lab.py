"""A notebook in a real browser: every cell runs, dials answer the keyboard, nothing leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from keyboard import focus_with_tab, problems_of_widgets
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


def test_no_question_lies_over_the_page(notebook: NotebookPage) -> None:
    assert notebook.page.locator(".Toastify__toast").all_inner_texts() == []


def test_every_widget_answers_the_keyboard(notebook: NotebookPage) -> None:
    pictures = PROJECT / "build" / "browser" / "02_masking"
    assert problems_of_widgets(notebook, pictures) == []


def test_a_screen_reader_finds_the_dials_by_name(notebook: NotebookPage) -> None:
    page = notebook.page
    rate = page.get_by_role("slider", name="masking rate", exact=True)
    assert rate.get_attribute("aria-valuetext") == f"{float(rate.input_value()):.2f}"
    kind = page.get_by_role("combobox", name="the second segment", exact=True)
    assert kind.locator("option").all_inner_texts() == ["in order", "swapped", "another document"]


def test_a_slider_has_all_its_keys(notebook: NotebookPage) -> None:
    seed = notebook.page.get_by_role("slider", name="another draw", exact=True)
    assert focus_with_tab(notebook, seed)
    found = []
    for key in ("Home", "ArrowRight", "ArrowUp", "PageUp", "End", "ArrowLeft", "PageDown", "Home"):
        notebook.page.keyboard.press(key)
        found.append(int(seed.input_value()))
    assert found == [0, 1, 2, 4, 20, 19, 17, 0]


def test_the_notebooks_own_keys_stay_out_of_the_dials(notebook: NotebookPage) -> None:
    page = notebook.page
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    kind = page.get_by_role("combobox", name="the second segment", exact=True)
    for dial in (notebook.dials().first, kind):
        assert focus_with_tab(notebook, dial)
        for key in ("b", "a", "x", "d", "d", "m"):  # new cells, cut, delete, another kind
            page.keyboard.press(key)
        assert dial.evaluate("dial => dial === document.activeElement")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert page.locator(".jp-Notebook.jp-mod-commandMode").count() == 1


def test_every_image_has_alternative_text(notebook: NotebookPage) -> None:
    assert notebook.images_without_alternative_text() == 0


def test_nothing_leaves_the_machine_and_nothing_complains(notebook: NotebookPage) -> None:
    assert notebook.complaints.all() == []
