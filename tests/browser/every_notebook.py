"""Every widget of every notebook, by keyboard, in a browser, with the network shut.

`make browser-test` runs this and `make test` does not: each notebook's cells run first, which takes
minutes. A notebook that has passed is passed over until it, the library or these tests change, so a
run that was stopped goes on. Pictures are kept in build/browser/.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from keyboard import problems_of_widgets
from lab_in_browser import find_chromium, open_in_lab
from lab_server import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("[0-9]*.ipynb"))
PICTURES = PROJECT / "build" / "browser"
PATIENCE = 1800.0  # seconds for all cells of a notebook: a busy machine is not an error


def fingerprint(notebook: Path) -> str:
    """Another for every change of what a notebook's test depends on."""
    read = [notebook, *sorted((PROJECT / "tests" / "browser").glob("*.py"))]
    for kind in ("py", "js", "css"):
        read += sorted((PROJECT / "albert_lib").rglob(f"*.{kind}"))
    digest = hashlib.sha256()
    for path in read:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_widget_answers_the_keyboard(path: Path) -> None:
    assert find_chromium() is not None, "install Chromium, or set ALBERT_LIB_CHROMIUM"
    folder = PICTURES / path.stem
    passed, now = folder / "passed.txt", fingerprint(path)
    if passed.is_file() and passed.read_text(encoding="utf-8") == now:
        pytest.skip(f"passed before; remove {passed.relative_to(PROJECT)} to test it again")
    with open_in_lab(path) as notebook:
        notebook.run_all_cells(PATIENCE)
        problems = [f"a cell failed: {error[-300:]}" for error in notebook.errors()]
        problems += [f"a cell did not run: {each}" for each in notebook.unfinished_prompts()]
        problems += problems_of_widgets(notebook, folder)
        assert notebook.questions().count(), "no question was shown"
        silent = notebook.images_without_alternative_text()
        problems += [f"{silent} images have no alternative text"] * bool(silent)
        problems += notebook.complaints.all()
    assert not problems, "\n".join(problems)
    passed.write_text(now, encoding="utf-8")
