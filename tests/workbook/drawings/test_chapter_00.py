"""The map of the course leads to every notebook that there is."""

from __future__ import annotations

from albert_lib.files import project_folder
from albert_lib.workbook.drawings.chapter_00 import draw_course


def test_the_map_of_the_course_has_every_notebook_once() -> None:
    figure, alt = draw_course()
    written = [text.get_text() for text in figure.axes[0].texts]
    notebooks = [
        path.name.partition("_")[0]
        for path in (project_folder() / "notebooks").glob("[0-9]*.ipynb")
    ]
    assert sorted(word for word in written if word[:1].isdigit()) == sorted(notebooks)
    assert all(f"{number} " in alt for number in notebooks)
